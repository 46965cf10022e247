/** Characters besides line breaks that could control a terminal or change the direction of text. `C` has control and format characters. */
const unsafe = /(?!\n)[\p{C}\u2028\u2029]/gu;

const escapeOf = (character: string): string =>
  Array.from({ length: character.length }, (_, unit) => character.charCodeAt(unit))
    .map((code) => `\\u${code.toString(16).padStart(4, '0')}`)
    .join('');

/** Returns a text in which control characters are escaped as in JSON, so that a value from outside cannot control the terminal. */
export const visible = (text: string): string => text.replaceAll(unsafe, escapeOf);

/** Returns a text with line breaks between words where a line would be longer than the terminal. Following lines begin at `indent`. */
export function wrapped(text: string, columns: number, indent: number): string {
  return fill(text.split(/\s+/), columns - indent).join(`\n${' '.repeat(indent)}`);
}

/** Returns a question that leaves space for the answer. */
export const wrappedQuestion = (question: string, columns: number): string =>
  wrapped(question, columns - ' [y/N] '.length, 0);

/** Returns a message with its first line broken between words. A policy statement or a link below it stays as it is, so that it can be copied. */
export function wrappedMessage(message: string, columns: number, indent = 0): string {
  const [first = '', ...more] = message.split('\n');
  const margin = ' '.repeat(indent);
  return [wrapped(first, columns, indent), ...more.map((line) => `${margin}${line}`)].join('\n');
}

/** Returns a command that a shell reads as one, with a backslash at the end of each line that continues. It is broken between words. */
export function wrappedCommand(command: string, columns: number, indent: number): string {
  return fill(command.split(' '), columns - indent - 4).join(` \\\n${' '.repeat(indent + 2)}`);
}

/** Returns lines of words that are no longer than `width`. A longer word has its own line, because a broken word cannot be copied. */
function fill(words: readonly string[], width: number): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + 1 + word.length <= width) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/**
 * Minimum width of the last column. If a table has less, the first column of each row has a line of its own. Otherwise the last one has, and in very
 * narrow terminals all others share one.
 */
const MINIMUM_WIDTH = 20;
const GAP = '  ';

/** Returns a table that fits the terminal, as one text for each row with the header first. The last column is broken between words. */
export function table(rows: readonly (readonly string[])[], columns: number): string[] {
  const facts = rows.map((row) => row.slice(1));
  const withName = (below: readonly string[]) =>
    rows.map(([name = ''], row) => [name, ...(below[row] ?? '').split('\n')].join(`\n${GAP}`));
  const fitting = aligned(rows, columns);
  if (fitting) return fitting;
  const alignedFacts = aligned(facts, columns - GAP.length);
  if (alignedFacts) return withName(alignedFacts);
  return (
    lastBelow(rows, columns) ??
    withName(facts.map((row) => wrapped(row.filter((cell) => cell !== '').join(', '), columns - GAP.length, 0)))
  );
}

/** Returns the rows with the text of the last column on a line of its own where it does not fit, or `null` if the others do not fit. */
function lastBelow(rows: readonly (readonly string[])[], columns: number): string[] | null {
  const others = rows.map((row) => [...row.slice(0, -1), '']);
  const fixed = Math.max(...(aligned(others, Number.POSITIVE_INFINITY) ?? []).map(({ length }) => length));
  if (fixed > columns) return null;
  return (aligned(others, columns) ?? []).map((line, row) => {
    const last = rows[row]?.at(-1) ?? '';
    if (last.length <= columns - fixed) return line + last;
    return `${line.trimEnd()}\n${GAP}${wrapped(last, columns, GAP.length)}`;
  });
}

/** Returns the rows with aligned columns, or `null` if the last column would be too narrow. */
function aligned(rows: readonly (readonly string[])[], columns: number): string[] | null {
  const width = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  const last = (rows[0]?.length ?? 1) - 1;
  const widths = Array.from({ length: last }, (_, column) => width(column));
  const fixed = widths.reduce((sum, each) => sum + each + GAP.length, 0);
  if (columns - fixed < Math.min(MINIMUM_WIDTH, width(last)) && last > 1) return null;
  return rows.map((row) => {
    const cells = widths.map((each, column) => (row[column] ?? '').padEnd(each) + GAP);
    return cells.join('') + wrapped(row[last] ?? '', columns, fixed);
  });
}
