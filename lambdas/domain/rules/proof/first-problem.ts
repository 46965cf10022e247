import { sentences } from '../../contract/errors/perennial-error.ts';
import { PerennialError } from '../../contract/errors.ts';
import { longestMessage } from '../../contract/failure.ts';
import { counted } from '../wording.ts';
import { recordList } from './record-list.ts';

/**
 * Returns the first of several problems, in the order of the identifiers. Its message also lists what to do about the other problems. Records to
 * create come before other sentences, because ten records fit into a message and ten complete messages do not. Problems that do not fit are
 * counted.
 */
export function firstProblem(certificate: string, first: unknown, others: readonly unknown[]): unknown {
  if (!(first instanceof PerennialError)) return first;
  const { record } = first.fields;
  const alone = first.with({ certificate });
  // A name and its wildcard need the same record.
  const records = new Set(others.flatMap((other) => recordOf(other) ?? []));
  if (record !== undefined) records.delete(record);
  const texts = others.flatMap((other) => (recordOf(other) === undefined ? [textOf(other)] : []));
  const count = records.size + texts.length;
  if (count === 0) return alone;

  const { remedy = '' } = first.explanation;
  for (let shown = count; ; shown--) {
    const all = alone.with({ remedy: `${remedy} ${alsoFound([...records], texts, shown)}`.trim() });
    if (all.message.length <= longestMessage || shown === 0) return all;
  }
}

const recordOf = (error: unknown): string | undefined =>
  error instanceof PerennialError ? error.fields.record : undefined;

function textOf(error: unknown): string {
  if (error instanceof PerennialError) return sentences(error.explanation);
  return error instanceof Error ? error.message : String(error);
}

/** Describes the first `shown` of the other problems, and counts the rest. */
function alsoFound(records: readonly string[], texts: readonly string[], shown: number): string {
  const count = records.length + texts.length;
  const toCreate = records.slice(0, shown);
  return [
    `${counted(count, 'other problem was', 'other problems were')} found.`,
    ...(toCreate.length > 0
      ? [`Create ${toCreate.length > 1 ? 'these records' : 'this record'} too: ${recordList(toCreate)}.`]
      : []),
    ...texts.slice(0, Math.max(0, shown - records.length)),
    ...(shown < count ? [`The log of the challenge function (output ChallengeLogs) has ${count - shown} more.`] : []),
  ].join(' ');
}
