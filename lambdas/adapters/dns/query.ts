import { randomInt } from 'node:crypto';
import type { Answer, DecodedPacket, OptAnswer, Packet } from 'dns-packet';
import { printable } from '../../domain/contract/printable-text.ts';
import type { Address } from './addresses.ts';
import { askOverTcp, askOverUdp, type Tries } from './transports.ts';

export interface Question {
  /** Lower case, no trailing dot. */
  readonly name: string;
  readonly type: 'CAA' | 'CNAME' | 'NS' | 'TXT';
}

/** The reply of one server. */
export interface Reply {
  /** `NOERROR`, `NXDOMAIN`, `SERVFAIL`, `REFUSED` or another of RFC 1035 §4.1.1 and RFC 6895 §2.3. */
  readonly status: string;
  /** The AA bit. The server is authoritative for the name in the question. */
  readonly authoritative: boolean;
  readonly answers: readonly Answer[];
  readonly authorities: readonly Answer[];
  readonly additionals: readonly Answer[];
}

/** The name does not fit into a question. A label has 1 to 63 octets, a name 255 at most. RFC 1035 §2.3.4 */
export class UnaskableNameError extends Error {
  override name = 'UnaskableNameError';
  readonly code = 'EBADNAME';
}

/** Most network paths carry 1,232 bytes without fragmentation. DNS Flag Day 2020, RFC 9715 §3 */
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
 * Sends one question to one server, without recursion. It uses UDP, and TCP when the answer is truncated. The time limit over TCP is that of
 * the first try. Replies with another id, name or type are ignored.
 *
 * @throws LookupError with a message that continues after the name of the server
 * @throws UnaskableNameError before anything is sent
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
  // A server that does not know EDNS answers with one of these. RFC 6891 §7
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
  throw new UnaskableNameError(
    `${printable(name, 255)} is not a valid DNS name: a label has 1 to 63 octets, and a name 255 at most`,
  );
}
