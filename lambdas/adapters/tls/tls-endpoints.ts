import type { LookupFunction, TcpNetConnectOpts } from 'node:net';
import { type ConnectionOptions, connect } from 'node:tls';
import { printable } from '../../domain/contract/printable-text.ts';
import type { Lookup } from '../../domain/ports/dns.ts';
import type { ShownCertificate, TlsEndpoints } from '../../domain/ports/tls-endpoints.ts';
import { hasTimes } from '../../domain/rules/certificate/certificate-times.ts';

/** Time limit of lookup, connection and handshake of one endpoint together, in ms. Browsers give up on a server that takes much longer. */
const handshakeLimit = 5_000;

/** Time until the next of several addresses is tried, in ms. The default of Node.js is 250 ms, which is short for another continent. */
const addressLimit = 1_000;

const tls13 = 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256';

/**
 * The offer of a client that accepts one kind of key only (RFC 8446 §4.2.3). A server with an RSA and an ECDSA certificate chooses by it. In
 * TLS 1.2 the ciphers name the kind of key too.
 */
const offers = {
  ECDSA: {
    sigalgs: 'ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384:ecdsa_secp521r1_sha512',
    ciphers: `${tls13}:aECDSA`,
  },
  RSA: {
    sigalgs: 'rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:rsa_pss_rsae_sha512:RSA+SHA256:RSA+SHA384:RSA+SHA512',
    ciphers: `${tls13}:aRSA`,
  },
} as const satisfies Record<string, ConnectionOptions>;

/** The meaning of error codes of Node.js and OpenSSL during a handshake. */
const meanings: readonly (readonly [RegExp, string])[] = [
  [/^ENOTFOUND$/, 'its name has no address in DNS'],
  [/^ECONNREFUSED$/, 'it refused the connection'],
  [/^ECONNRESET$|^EPIPE$/, 'it reset the connection during the handshake'],
  [/^ETIMEDOUT$/, 'it did not answer'],
  // A server with IPv6 addresses only. Functions outside a VPC have no IPv6.
  [/^E(HOST|NET)UNREACH$|^EADDRNOTAVAIL$|^EAFNOSUPPORT$/, 'its address cannot be reached from here'],
  [
    /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST|UNKNOWN_PROTOCOL/,
    'the server does not use TLS on this port',
  ],
  [/UNRECOGNIZED_NAME/, 'it has no certificate for that name'],
  [/ALERT_PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL/, 'it supports neither TLS 1.2 nor TLS 1.3'],
];

/** Error codes of a server that has no certificate for the offer. */
const refusal = /HANDSHAKE_FAILURE|NO_SHARED|NO_SUITABLE|ILLEGAL_PARAMETER|INTERNAL_ERROR/;

const refused = 'it refused the handshake';

/** Longest serial number in hexadecimal digits. RFC 5280 §4.1.2.2 allows 20 octets. */
const longestSerialNumber = 40;

interface TlsOptions {
  /** Looks up names. @default `getaddrinfo` of the system, which has no time limit */
  readonly lookup?: LookupFunction;
}

/**
 * Reads the certificate that a server presents. It performs a handshake and sends no data. It does not check trust, validity or names, because
 * it only has to identify the certificate.
 */
export function createTlsEndpoints({ lookup }: TlsOptions = {}): TlsEndpoints {
  return {
    async shown(endpoint, keyType) {
      const started = performance.now();
      const kind = keyType.startsWith('RSA') ? 'RSA' : 'ECDSA';
      const answer = await handshake(endpoint, { ...offers[kind], lookup }, handshakeLimit);
      if (!('failed' in answer) || answer.failed !== refused) return answer;
      // The server has no certificate of this kind, or its CA signs with the other kind, which the offer excludes too. A handshake with
      // an offer of all kinds tells which.
      const other = await handshake(endpoint, { lookup }, Math.max(1, handshakeLimit - (performance.now() - started)));
      return 'found' in other ? other : answer;
    },
  };
}

function handshake(endpoint: string, offer: ConnectionOptions, limit: number): Promise<Lookup<ShownCertificate>> {
  const [name = '', port] = endpoint.split(':');
  return new Promise((resolve) => {
    const options: ConnectionOptions & TcpNetConnectOpts = {
      ...offer,
      // Names under localhost are loopback on every machine, but not every resolver knows it. RFC 6761 §6.3
      host: name.endsWith('.localhost') ? 'localhost' : name,
      port: Number(port),
      servername: name,
      rejectUnauthorized: false,
      autoSelectFamilyAttemptTimeout: addressLimit,
    };
    const socket = connect(options);
    const end = (answer: Lookup<ShownCertificate>) => {
      clearTimeout(timer);
      // The last message of the client is still being sent. Closing at once would make the server log a failed handshake.
      if ('found' in answer) socket.destroySoon();
      else socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => end({ failed: `no handshake within ${limit / 1000} s` }), limit);
    socket.on('error', (error: NodeJS.ErrnoException) => end({ failed: inWords(error) }));
    socket.on('close', () => end({ failed: 'it closed the connection during the handshake' }));
    socket.once('secureConnect', () => {
      const shown = socket.getPeerX509Certificate();
      if (!shown) return end({ failed: 'it presented no certificate' });
      const { serialNumber, validToDate } = shown;
      if (!hasTimes(shown)) return end({ failed: 'it presented a certificate whose end of validity is not a time' });
      end({
        found: {
          serialNumber: printable(serialNumber, longestSerialNumber).toLowerCase(),
          notAfter: validToDate.toISOString(),
        },
      });
    });
  });
}

/** The meaning of an error. Where several addresses failed, Node.js collects the errors and the last address counts. */
function inWords(error: NodeJS.ErrnoException & { readonly errors?: readonly NodeJS.ErrnoException[] }): string {
  const { code = '', message } = error.errors?.at(-1) ?? error;
  if (refusal.test(code)) return refused;
  const meaning = meanings.find(([pattern]) => pattern.test(code))?.[1];
  // A failed lookup says itself what happened.
  return meaning ?? printable(code === 'EAI_AGAIN' ? message : `${message} (${code})`, 300);
}
