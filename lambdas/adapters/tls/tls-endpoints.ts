import type { LookupFunction, TcpNetConnectOpts } from 'node:net';
import { type ConnectionOptions, connect } from 'node:tls';
import type { Lookup } from '../../domain/ports/dns.ts';
import type { ShownCertificate, TlsEndpoints } from '../../domain/ports/tls-endpoints.ts';

/** ms, of the name's look-up, the connection and the handshake together. A server that takes longer is as good as away for a browser. */
const handshakeLimit = 5_000;

/** ms until the next of several addresses is tried. Node.js gives up each after 250, which another continent may need. */
const addressLimit = 1_000;

const tls13 = 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256';

/**
 * What a client offers that takes one kind of key only (RFC 8446 §4.2.3): a server that has an RSA and an ECDSA certificate chooses by
 * it. TLS 1.2 names the kind of key in its ciphers too.
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

/** In words, what the codes of Node.js and OpenSSL mean for a handshake. */
const meanings: readonly (readonly [RegExp, string])[] = [
  [/^ENOTFOUND$|^EAI_/, 'its name is not found in DNS'],
  [/^ECONNREFUSED$/, 'it refuses the connection'],
  [/^ECONNRESET$|^EPIPE$/, 'it cut the connection during the handshake'],
  [/^ETIMEDOUT$/, 'it does not answer'],
  // Of a server that has IPv6 addresses only: functions outside a VPC have none.
  [/^E(HOST|NET)UNREACH$|^EADDRNOTAVAIL$|^EAFNOSUPPORT$/, 'no way leads to its address from here'],
  [
    /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST|UNKNOWN_PROTOCOL/,
    'what answers there does not speak TLS',
  ],
  [/UNRECOGNIZED_NAME/, 'it has no certificate for that name'],
  [/ALERT_PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL/, 'it speaks no TLS of version 1.2 or 1.3'],
];

/** The server has nothing for what was offered. */
const refusal = /HANDSHAKE_FAILURE|NO_SHARED|NO_SUITABLE|ILLEGAL_PARAMETER|INTERNAL_ERROR/;

const refused = 'it refused the handshake';

interface TlsOptions {
  /** ms for one endpoint. @default 5,000 */
  readonly limit?: number;
  /** How names are looked up. @default as the system does */
  readonly lookup?: LookupFunction;
}

/**
 * Handshakes and nothing more: nothing is sent or read over a connection. Whether the certificate is trusted, valid or of that name is
 * not asked: the question is which one it is.
 */
export function createTlsEndpoints({ limit = handshakeLimit, lookup }: TlsOptions = {}): TlsEndpoints {
  return {
    async shown(endpoint, keyType) {
      const started = performance.now();
      const kind = keyType.startsWith('RSA') ? 'RSA' : 'ECDSA';
      const answer = await handshake(endpoint, { ...offers[kind], lookup }, limit);
      if (!('failed' in answer) || answer.failed !== refused) return answer;
      // It has no such certificate, or minds that the CA signs with another kind of key, which the offer leaves out too. What it shows to
      // a client that takes any tells which.
      const other = await handshake(endpoint, { lookup }, Math.max(1, limit - (performance.now() - started)));
      return 'found' in other ? other : answer;
    },
  };
}

function handshake(endpoint: string, offer: ConnectionOptions, limit: number): Promise<Lookup<ShownCertificate>> {
  const [name = '', port] = endpoint.split(':');
  return new Promise((resolve) => {
    const options: ConnectionOptions & TcpNetConnectOpts = {
      ...offer,
      // RFC 6761 §6.3: loopback on every machine, which not every resolver knows.
      host: name.endsWith('.localhost') ? 'localhost' : name,
      port: Number(port),
      servername: name,
      rejectUnauthorized: false,
      autoSelectFamilyAttemptTimeout: addressLimit,
    };
    const socket = connect(options);
    const end = (answer: Lookup<ShownCertificate>) => {
      clearTimeout(timer);
      // The client's last message is on its way yet: cut off before it, the server would log a broken handshake.
      if ('found' in answer) socket.destroySoon();
      else socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => end({ failed: `no handshake within ${limit / 1000} s` }), limit);
    socket.on('error', (error: NodeJS.ErrnoException) => end({ failed: inWords(error) }));
    socket.on('close', () => end({ failed: 'it closed the connection during the handshake' }));
    socket.once('secureConnect', () => {
      const shown = socket.getPeerX509Certificate();
      if (!shown) return end({ failed: 'it showed no certificate' });
      end({ found: { serialNumber: shown.serialNumber.toLowerCase(), notAfter: shown.validToDate.toISOString() } });
    });
  });
}

/** Of several addresses that fail, Node.js collects the errors: the last is of the address tried last. */
function inWords(error: NodeJS.ErrnoException & { readonly errors?: readonly NodeJS.ErrnoException[] }): string {
  const { code = '', message } = error.errors?.at(-1) ?? error;
  if (refusal.test(code)) return refused;
  return meanings.find(([pattern]) => pattern.test(code))?.[1] ?? `${message} (${code})`;
}
