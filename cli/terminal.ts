import { styleText } from 'node:util';

/** Where a command writes. Results go to standard output, and messages about the work to standard error. */
export interface Terminal {
  /** Columns of the terminal. 80 if they are not known. */
  readonly columns: number;
  print(text: string): void;
  /** Prints a message that is not part of the result. */
  note(text: string): void;
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly red: (text: string) => string;
}

/** Writes to the streams of the process. Texts are styled only in a terminal, unless NO_COLOR or FORCE_COLOR say otherwise. */
export function createTerminal(
  out: NodeJS.WriteStream,
  messages: NodeJS.WriteStream,
  env: NodeJS.ProcessEnv,
): Terminal {
  const styled = (style: 'bold' | 'dim' | 'red') => (text: string) =>
    styleText(style, text, { stream: out, validateStream: true });
  return {
    columns: out.columns || Number(env.COLUMNS) || 80,
    print: (text) => void out.write(`${text}\n`),
    note: (text) => void messages.write(`${text}\n`),
    bold: styled('bold'),
    dim: styled('dim'),
    red: styled('red'),
  };
}
