import packet, { type DecodedPacket } from 'dns-packet';
import type { Dnssec } from '../../domain/ports/dns.ts';
import { quoted } from '../../domain/rules/proof/quote-untrusted.ts';
import { inTurns } from './lookup.ts';
import { above, isWithin, plain } from './records.ts';

/** ms. For one answer of the resolver. */
const timeout = 5_000;
/** ms. For all answers of one instance: a hint must not take the 60 s that the challenge function has. */
const allTimeout = 10_000;
/** Names at once. */
const concurrency = 10;
/** RFC 8484 §6 */
const mediaType = 'application/dns-message';
/** RFC 1035 §4.1.1 */
const serverFailure = 2;
/** Nothing else is an answer: NOERROR and NXDOMAIN. */
const answered = [0, 3];
/** OPT option Extended DNS Error. RFC 8914 §2 */
const extendedError = 15;
/** Those about DNSSEC. RFC 8914 §4 */
const reasons: Readonly<Record<number, string>> = {
  7: 'a signature has expired',
  8: 'a signature is not valid yet',
  9: 'no DNSKEY record belongs to the DS records',
  10: 'signatures are missing',
  11: 'no DNSKEY record is a zone key',
  12: 'the proof of absence is missing',
};

/**
 * Asks a validating resolver over HTTPS (RFC 8484) for what CAs have to ask for and validate too, the CAA records. Bogus is what it refuses
 * to answer, twice, but answers with checking disabled. Any other failure is not about DNSSEC and says nothing. A resolver that cannot
 * be reached, or is too slow for all the names, is a warning, once, and not asked again by this instance: the renewal does not depend on
 * it. The clock of `allTimeout` runs from the first question.
 */
export function createDnssec({ resolver }: { readonly resolver: URL }): Dnssec {
  const inTurn = inTurns(concurrency);
  let reachable = true;
  let whole: AbortSignal | undefined;

  async function ask(name: string, checking: boolean): Promise<DecodedPacket> {
    whole ??= AbortSignal.timeout(allTimeout);
    const response = await fetch(resolver, {
      method: 'POST',
      headers: { 'content-type': mediaType, accept: mediaType },
      body: new Uint8Array(encodeQuestion(name, checking)),
      redirect: 'error',
      signal: AbortSignal.any([whole, AbortSignal.timeout(timeout)]),
    });
    if (!response.ok) throw new Error(`it answered with HTTP status ${response.status}`);
    return packet.decode(Buffer.from(await response.arrayBuffer()));
  }

  const refuses = async (name: string) => codeOf(await ask(name, true)) === serverFailure;

  async function look(name: string): Promise<string | null> {
    const checked = await ask(name, true);
    if (codeOf(checked) !== serverFailure) return null;
    const unchecked = await ask(name, false);
    if (!answered.includes(codeOf(unchecked)) || !(await refuses(name))) return null;
    // The fault may lie above: the topmost zone that is refused as well.
    let zone = zoneIn(unchecked, name);
    for (let domain = above(zone); domain !== '' && (await refuses(domain)); domain = above(domain)) zone = domain;
    return (
      `DNSSEC validation of ${name} fails${reasonIn(checked)}: CAs have to validate (CA/Browser Forum ballot SC-085v2) and will refuse. ` +
      `See that the DS records of ${zone} at its parent domain belong to the DNSKEY records in the zone, or remove the DS records.`
    );
  }

  return {
    warning: (name) =>
      inTurn(async () => {
        if (!reachable) return null;
        try {
          return await look(plain(name));
        } catch (error) {
          if (!reachable) return null; // said already, for a name asked at the same time
          reachable = false;
          return whole?.aborted
            ? `DNSSEC was not looked at for all names: the resolver ${resolver.href} took more than ${allTimeout / 1000} s for them.`
            : `DNSSEC was not looked at: the resolver ${resolver.href} cannot be used (${messageOf(error)}).`;
        }
      }),
  };
}

/** RFC 8484 §4.1: id 0, which caches on the way like. */
function encodeQuestion(name: string, checking: boolean): Buffer {
  const edns = { udpPayloadSize: 4096, extendedRcode: 0, ednsVersion: 0, flags: packet.DNSSEC_OK, flag_do: true };
  return packet.encode({
    type: 'query',
    id: 0,
    flags: packet.RECURSION_DESIRED | (checking ? 0 : packet.CHECKING_DISABLED),
    questions: [{ name, type: 'CAA', class: 'IN' }],
    additionals: [{ type: 'OPT', name: '.', options: [], ...edns }],
  });
}

const codeOf = ({ flags = 0 }: DecodedPacket): number => flags & 0xf;

/** The zone of a name, by whose signature or SOA record is in an answer about it. */
function zoneIn({ answers = [], authorities = [] }: DecodedPacket, name: string): string {
  const zones = [...answers, ...authorities].flatMap((each) => {
    if (each.type === 'RRSIG') return plain(each.data.signersName);
    return each.type === 'SOA' ? plain(each.name) : [];
  });
  return zones.find((zone) => zone !== '' && isWithin(name, zone)) ?? name;
}

function reasonIn({ additionals = [] }: DecodedPacket): string {
  const options = additionals.flatMap((each) => (each.type === 'OPT' ? each.options : []));
  const codes = options.flatMap(({ code, data }) =>
    Number(code) === extendedError && data && data.length >= 2 ? data.readUInt16BE(0) : [],
  );
  const reason = codes.flatMap((code) => reasons[code] ?? [])[0];
  return reason ? ` (${reason})` : '';
}

/** fetch hides the reason: `fetch failed`, because of ECONNREFUSED. It may tell what the other side said. */
function messageOf(error: unknown): string {
  const reason = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return quoted(reason instanceof Error ? reason.message : String(reason), 200).slice(1, -1);
}
