import { createInterface } from 'node:readline';

/** Asks a question that `y` or `yes` confirms. Returns `null` if there is no terminal to ask. */
export function askConfirmation(question: string): Promise<boolean | null> {
  const { stdin, stderr } = process;
  if (!stdin.isTTY) return Promise.resolve(null);
  const lines = createInterface({ input: stdin, output: stderr });
  return new Promise((resolve) => {
    lines.question(`${question} [y/N] `, (answer) => {
      resolve(/^y(es)?$/i.test(answer.trim()));
      lines.close();
    });
    // Ctrl-D closes the input without an answer. A promise keeps its first result.
    lines.on('close', () => resolve(false));
    lines.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  });
}
