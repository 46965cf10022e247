import { PerennialError } from '../domain/contract/errors.ts';
import { longestMessage } from '../domain/contract/failure.ts';
import type { StepLog } from '../domain/ports/runtime.ts';
import { aboutCertificate } from './about-certificate.ts';

const where = 'see the log of the challenge function (output ChallengeLogs).';
/** For that, with a count before it. */
const whereRoom = where.length + 20;

/**
 * The first, in the order of the identifiers, which says of the others what is to be done, as far as a message has room. They are all in
 * the log.
 */
export function firstProblem(certificate: string, problems: readonly unknown[], log: Pick<StepLog, 'error'>): unknown {
  const [first, ...others] = problems;
  for (const other of others) log.error('Another problem was found.', { error: other });
  const problem = aboutCertificate(certificate, first);
  if (problem instanceof PerennialError) problem.message = withOthers(problem.message, others.map(messageOf));
  return problem;
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Of a record to make the rest of the message says nothing that its name does not: ten have room, where ten messages have not. */
const recordIn = (message: string): string | undefined => /(?:Make|Add) this record:\n(.+)$/.exec(message)?.[1];

function withOthers(first: string, others: readonly string[]): string {
  // A name and its wildcard want the same record.
  const records = new Set(others.flatMap((other) => recordIn(other) ?? []));
  records.delete(recordIn(first) ?? '');
  const messages = others.filter((other) => recordIn(other) === undefined);
  const count = records.size + messages.length;
  if (count === 0) return first;

  const found = `${first}\n${count} other problem${count > 1 ? 's were' : ' was'} found`;
  const make = records.size > 1 ? 'Make these records too:' : 'Make this record too:';
  let text = records.size > 0 ? `${found}. ${make}` : `${found}:`;
  let shown = 0;
  for (const other of [...records, ...messages]) {
    if (text.length + 1 + other.length + whereRoom > longestMessage) break;
    text += `\n${other}`;
    shown += 1;
  }
  if (shown === count) return text;
  return shown === 0 ? `${found}, ${where}` : `${text}\nand ${count - shown} more, ${where}`;
}
