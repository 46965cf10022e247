import { styleText } from 'node:util';
import { visible } from './layout.ts';
import { createProgress, type Progress } from './progress.ts';

/** Where a command writes. Results go to standard output, and messages about the work to standard error. */
export interface Terminal {
  /** Columns of the terminal. 80 if they are not known. */
  readonly columns: number;
  print(text: string): void;
  /** Prints a message that is not part of the result. */
  note(text: string): void;
  /** Shows on standard error that a task is in progress. */
  readonly progress: Progress;
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly red: (text: string) => string;
}

/** Returns a terminal that prints notes only, for a command whose result is JSON. */
export const silenced = (terminal: Terminal): Terminal => ({ ...terminal, print: () => undefined });

/** The styles that this file makes. All other escape sequences come from outside. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: ESC begins each style.
const ownStyle = /(\x1b\[(?:1|2|22|31|39)m)/;

const readable = (text: string): string =>
  text
    .split(ownStyle)
    .map((part, index) => (index % 2 === 1 ? part : visible(part)))
    .join('');

/** Narrower terminals are treated as if they had this width. */
const narrowest = 20;

/**
 * Writes to the streams of the process. Texts are styled only in a terminal, unless NO_COLOR or FORCE_COLOR say otherwise. Control characters in
 * values from outside are shown as escapes.
 */
export function createTerminal(
  out: NodeJS.WriteStream,
  messages: NodeJS.WriteStream,
  env: NodeJS.ProcessEnv,
): Terminal {
  const styled = (style: 'bold' | 'dim' | 'red') => (text: string) =>
    styleText(style, visible(text), { stream: out, validateStream: true });
  const wanted = out.columns || Number(env.COLUMNS) || 80;
  return {
    columns: Math.max(narrowest, Math.floor(wanted)),
    print: (text) => void out.write(`${readable(text)}\n`),
    note: (text) => void messages.write(`${readable(text)}\n`),
    progress: createProgress(messages),
    bold: styled('bold'),
    dim: styled('dim'),
    red: styled('red'),
  };
}
