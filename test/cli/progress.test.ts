import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { createProgress } from '../../cli/progress.ts';

/** A stream that keeps what is written to it. */
function streamWith(isTTY: boolean) {
  const texts: string[] = [];
  const stream = new PassThrough().on('data', (data) => texts.push(String(data)));
  const terminal = Object.assign(stream, { isTTY, columns: 80, rows: 24 }) as unknown as NodeJS.WriteStream;
  return { progress: createProgress(terminal), text: () => texts.join(''), stream };
}

describe('the progress of a task', () => {
  test('is shown in a terminal with what the task says, and its result is returned', async () => {
    const { progress, text } = streamWith(true);
    const result = await progress('Checking', async (say) => {
      say('zones of 5 of 10 certificates');
      await new Promise((resolve) => setTimeout(resolve, 200));
      return 7;
    });
    expect(result).toBe(7);
    expect(text()).toContain('Checking: zones of 5 of 10 certificates');
  });

  test('lets the message of Ctrl-C pass, and shows the cursor again if the process ends meanwhile', async () => {
    const { progress, text, stream } = streamWith(true);
    const before = process.listeners('exit');
    await progress('Checking', async () => {
      stream.write('Interrupted.');
      for (const each of process.listeners('exit')) if (!before.includes(each)) each(130);
      await new Promise((resolve) => setImmediate(resolve));
      expect(text()).toContain('Interrupted.');
      expect(text().endsWith('\x1b[?25h')).toBe(true);
    });
    expect(process.listeners('exit')).toEqual(before);
  });

  test('is not shown in a pipe', async () => {
    const { progress, text } = streamWith(false);
    expect(await progress('Checking', async () => 7)).toBe(7);
    expect(text()).toBe('');
  });

  test.each([true, false])('ends with the error of the task (terminal: %s)', async (isTTY) => {
    const { progress, text } = streamWith(isTTY);
    const fail = async () => {
      throw new Error('Denied.');
    };
    await expect(progress('Checking', fail)).rejects.toThrow('Denied.');
    expect(text()).not.toContain('Denied.');
  });
});
