import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { status } from '../../cli/commands/status.ts';
import { follow } from '../../cli/follow.ts';
import { createTerminal } from '../../cli/terminal.ts';
import { ThrottledError } from '../../lambdas/domain/contract/errors.ts';
import type { WorkflowExecution } from '../../lambdas/domain/ports/workflows.ts';
import { certificateWith, reportOf } from './page/reports.ts';

// Node.js styles text by these variables of the process.
beforeEach(() => {
  for (const name of ['FORCE_COLOR', 'NO_COLOR']) vi.stubEnv(name, undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
});

/** Creates the terminal of the command line, of which everything that is written is kept. */
function terminalWith(columns: number | undefined, env: NodeJS.ProcessEnv = {}) {
  const stream = Object.assign(new PassThrough(), { columns }) as unknown as NodeJS.WriteStream;
  return {
    terminal: createTerminal(stream, stream, env),
    text: () => String((stream as unknown as PassThrough).read()),
  };
}

/** Prints a report as `status` does. */
async function printed(report: ReturnType<typeof reportOf>, columns: number, options: object = {}, name?: string) {
  const { terminal, text } = terminalWith(columns);
  const deployments = {
    list: async () => [{ stack: 'Perennial', report: 'arn' }],
    report: async () => ({ ...report, next: null }),
  };
  await status(name, options, { deployments, terminal, pageAssets: () => ({ style: '', script: '' }) });
  return text();
}

const hostile = '\x1b]0;title\x07\x1b[2J\x1b[8m\r\nwww \u009b31m \u202etxt\u2028end';
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that must not be printed.
const controls = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u202e]/;

describe('values from outside', () => {
  const failure = { error: hostile, cause: hostile, count: 1, last: '2026-03-01T12:00:00Z' };
  const certificate = certificateWith({
    name: hostile,
    issuer: hostile,
    identifiers: [hostile],
    failure,
    attention: [hostile],
  });
  const report = { ...reportOf(1), certificates: [certificate] };

  test.each([undefined, 'www'])('have no control characters in the status of %s', async (name) => {
    const text = await printed(report, 200, {}, name);
    expect(text).not.toMatch(controls);
    expect(text).toContain('\\u001b]0;title\\u0007');
  });

  test('are the same in JSON, of which the text has no control characters', async () => {
    const text = await printed(report, 80, { json: true });
    expect(text).not.toMatch(controls);
    expect((JSON.parse(text) as typeof report).certificates[0]?.failure?.cause).toBe(hostile);
  });

  test('have no control characters in the message of a problem', () => {
    const { terminal, text } = terminalWith(80);
    terminal.note(hostile);
    expect(text()).not.toMatch(controls);
  });
});

test.each(['.', '', '/dev/null/page.html', 'package.json/page.html'])(
  'the page in the file "%s", which cannot be written, is a sentence',
  async (html) => {
    await expect(printed(reportOf(1), 80, { html })).rejects.toMatchObject({
      message: expect.stringMatching(
        /^[^\n]+ cannot be written\. .*\. Give another path, or change its permissions\.$/,
      ),
      exitCode: 2,
    });
  },
);

test.each([
  [120, {}, 120],
  [undefined, {}, 80],
  [undefined, { COLUMNS: '100' }, 100],
  [undefined, { COLUMNS: 'wide' }, 80],
  [undefined, { COLUMNS: '-5' }, 20],
  [1, {}, 20],
])('a terminal of %s columns with %j has %d', (columns, env, expected) => {
  expect(terminalWith(columns, env).terminal.columns).toBe(expected);
});

describe('the list of certificates', () => {
  test.each([
    [1, '1 certificate, none needs attention', /attention$/],
    [
      3,
      '3 certificates, 1 of which needs attention',
      /\n"npx cdk-perennial explain mail" shows the cause and what to do\.$/,
    ],
    [
      50,
      '50 certificates, 7 of which need attention',
      /\n"npx cdk-perennial explain mail" shows the cause and what to do\.$/,
    ],
  ])('ends with the count of %d, and the command that explains the most urgent one', async (count, sentence, end) => {
    const text = (await printed(reportOf(count), 80)).trimEnd();
    expect(text).toContain(`\n${sentence}`);
    expect(text).toMatch(end);
  });

  test.each([45, 59, 80, 120, 250])('fits %d columns', async (columns) => {
    const lines = (await printed(reportOf(50), columns)).split('\n');
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(columns);
  });

  test('has at most three lines for a certificate in 45 columns', async () => {
    const lines = (await printed(reportOf(50), 45)).split('\n');
    expect(lines.slice(lines.indexOf('login'), lines.indexOf('shop'))).toEqual([
      'login',
      '  ░░░░░░░░░░, not issued, now, letsencrypt,',
      '  issue: never issued',
    ]);
  });

  test('describes certificates that need attention for one reason once', async () => {
    const text = await printed(reportOf(50), 80);
    expect(text).toContain('\nmail, login-1, api-3 and 4 more\n  Less than 20 % of its lifetime is left.');
    expect(text.match(/Less than 20 %/g)).toHaveLength(1);
  });
});

describe('following an execution', () => {
  const ended = { arn: 'arn:aws:states:eu-west-1:1:execution:renewal:www-1', status: 'SUCCEEDED' } as WorkflowExecution;

  /** Returns the result of following an execution of which the first reads are throttled, and the waits in ms. */
  async function followed(throttled: number) {
    const waits: number[] = [];
    let reads = 0;
    const workflows = {
      describe: async () => {
        reads += 1;
        if (reads <= throttled)
          throw new ThrottledError({
            what: 'Call throttled.',
            why: 'Rate exceeded.',
            remedy: 'Wait.',
            action: 'states:DescribeExecution',
            resource: 'www-1',
          });
        return ended;
      },
      states: async () => [{ name: 'Announce', at: '2026-03-01T12:00:00Z' }],
    };
    const { terminal, text } = terminalWith(80);
    const clock = { sleep: async (milliseconds: number) => void waits.push(milliseconds) };
    const result = await follow(ended.arn, { workflows, terminal, clock }).catch((error: unknown) => error);
    return { result, waits, text };
  }

  test('continues after throttled reads, with longer waits', async () => {
    const { result, waits, text } = await followed(7);
    expect(result).toBe(ended);
    expect(waits).toEqual([2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
    expect(text()).toContain('12:00:00 Announce');
  });

  test('ends after thirteen throttled reads, and tells where the execution is', async () => {
    const { result, waits } = await followed(100);
    expect(waits).toHaveLength(12);
    expect(result).toMatchObject({
      exitCode: 4,
      message: expect.stringMatching(/The execution continues.*#\/v2\/executions\/details\/arn:aws:states:/),
    });
  });
});
