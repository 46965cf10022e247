import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { CommandError, exitCodes } from './exit-codes.ts';

/**
 * Asks for a text that the terminal does not show.
 *
 * @throws CommandError if there is no terminal
 */
export function askSecret(question: string): Promise<string> {
  const { stdin, stderr } = process;
  if (!stdin.isTTY)
    throw new CommandError(
      'There is no terminal to ask for the password. Give --password-file or --password-env.',
      exitCodes.usage,
    );
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: stdin, output: silent, terminal: true });
  // The terminal shows no input any more.
  stderr.write(question);
  return new Promise((resolve) => {
    lines.question('', (answer) => {
      lines.close();
      stderr.write('\n');
      resolve(answer);
    });
    lines.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  });
}
