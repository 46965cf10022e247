import { randomInt } from 'node:crypto';
import type { Answer, DecodedPacket, OptAnswer, Packet } from 'dns-packet';
import type { Address } from './addresses.ts';
import { askOverTcp, askOverUdp, type Tries } from './transports.ts';

export interface Question {
  /** Lower case, no trailing dot. */
  readonly name: string;
  readonly type: 'CAA' | 'CNAME' | 'NS' | 'TXT';
}

/** What a server said. */
export interface Reply {
  /** `NOERROR`, `NXDOMAIN`, `SERVFAIL`, `REFUSED` or another of RFC 1035 §4.1.1 and RFC 6895 §2.3. */
  readonly status: string;
  /** The server is authoritative for the name asked for: the AA bit. */
  readonly authoritative: boolean;
  readonly answers: readonly Answer[];
  readonly authorities: readonly Answer[];
  readonly additionals: readonly Answer[];
}

/** A name that no question can hold: labels of 1 to 63 octets, 255 in all. RFC 1035 §2.3.4 */
export class UnaskableNameError extends Error {
  override name = 'UnaskableNameError';
  readonly code = 'EBADNAME';
}

/** 1,232 bytes are what most paths carry in one piece. DNS Flag Day 2020; RFC 9715 §3 */
const edns: OptAnswer = {
  type: 'OPT',
  name: '.',
  udpPayloadSize: 1232,
  extendedRcode: 0,
  ednsVersion: 0,
  flags: 0,
  flag_do: false,
  options: [],
};

const statuses = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'];

/**
 * Asks one server one question, without recursion and past every cache: over UDP, and over TCP, within the time of the first try, when
 * the answer is truncated. What does not answer the question (another id, name or type) is passed over. Throws `LookupError`, whose
 * message goes on after the server's name, and `UnaskableNameError` before anything is sent.
 */
export async function query(address: Address, question: Question, tries: Tries, signal?: AbortSignal): Promise<Reply> {
  refuseUnaskable(question.name);
  const ask = async (additionals: OptAnswer[]): Promise<Reply> => {
    const id = randomInt(0x1_0000);
    const asked: Packet = { type: 'query', id, questions: [{ ...question, class: 'IN' }], additionals };
    const reply = await askOverUdp(address, asked, tries, signal);
    return toReply(reply === 'truncated' ? await askOverTcp(address, asked, tries[0], signal) : reply);
  };
  const reply = await ask([edns]);
  // RFC 6891 §7: a server from before EDNS answers with one of these.
  return ['FORMERR', 'NOTIMP'].includes(reply.status) ? ask([]) : reply;
}

function toReply({ flags = 0, flag_aa, answers = [], authorities = [], additionals = [] }: DecodedPacket): Reply {
  const code = flags & 0xf;
  return { status: statuses[code] ?? `RCODE ${code}`, authoritative: flag_aa, answers, authorities, additionals };
}

function refuseUnaskable(name: string): void {
  const labels = name.replace(/\.$/, '').split('.');
  const lengths = labels.map((label) => Buffer.byteLength(label));
  const whole = lengths.reduce((sum, length) => sum + 1 + length, 1);
  if (lengths.every((length) => length >= 1 && length <= 63) && whole <= 255) return;
  throw new UnaskableNameError(`${name} cannot be asked for: a name has labels of 1 to 63 octets, 255 in all`);
}
