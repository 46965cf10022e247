import type { Terminal } from '../../cli/terminal.ts';

/** Creates a terminal of 80 columns that keeps what is written to it. */
export function createTerminal(): Terminal & { readonly lines: string[]; readonly notes: string[] } {
  const lines: string[] = [];
  const notes: string[] = [];
  const plain = (text: string) => text;
  return {
    columns: 80,
    lines,
    notes,
    print: (text) => void lines.push(text),
    note: (text) => void notes.push(text),
    progress: (_, task) => task(() => undefined),
    bold: plain,
    dim: plain,
    red: plain,
  };
}
