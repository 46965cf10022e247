import { expect, test } from 'vitest';
import { renew } from '../../../cli/commands/renew.ts';
import type { EnteredState, WorkflowExecution } from '../../../lambdas/domain/ports/workflows.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { certificateWith, reportOf } from '../page/reports.ts';
import { createTerminal } from '../terminal.ts';

const now = '2026-03-01T12:00:00Z';

/** Returns what `renew www --watch` prints if the execution ends like this. */
async function watched(
  ended: Partial<WorkflowExecution>,
  options: object = { watch: true },
  certificate: object = {},
  /** The states at each read. */
  histories: readonly (readonly EnteredState[])[] = [[{ name: 'Check renewal', at: now }]],
) {
  let read = 0;
  const terminal = createTerminal();
  const execution = { arn: 'arn', start: now, end: now, input: '', error: null, cause: null, output: null };
  const code = await renew('www', options, {
    terminal,
    clock: new FakeClock(now),
    deployments: {
      list: async () => [{ stack: 'Certificates', report: 'arn:report' }],
      report: async () => ({ ...reportOf(0), certificates: [certificateWith(certificate)], next: null }),
    },
    workflows: {
      start: async () => 'arn:aws:states:eu-west-1:111122223333:execution:renewal:www-1',
      list: async () => [],
      describe: async () =>
        read < histories.length - 1
          ? { ...execution, status: 'RUNNING', end: null }
          : { ...execution, status: 'SUCCEEDED', ...ended },
      states: async () => histories[read++] ?? [],
    },
  });
  return { code, text: terminal.lines.join('\n') };
}

test.each([
  ['{"reason":"nothing to do, renewal is due 2026-04-01"}', 'www: nothing to do, renewal is due 2026-04-01.'],
  [
    '{"current":{"serialNumber":"0a","notAfter":"2026-05-30T00:00:00Z"}}',
    'www has the serial number 0a and is valid until 2026-05-30 00:00 UTC.',
  ],
  [
    '{"current":{"serialNumber":"0a","notAfter":"2026-05-30T00:00:00Z"},"served":true}',
    'www has the serial number 0a and is valid until 2026-05-30 00:00 UTC. Its\nendpoints present it.',
  ],
  [
    '{"current":{"serialNumber":"0a","notAfter":"2026-05-30T00:00:00Z"},"served":false}',
    'www has the serial number 0a and is valid until 2026-05-30 00:00 UTC. An\nendpoint does not present it. "npx cdk-perennial status www" shows which.',
  ],
])('renew --watch of an execution with the output %s ends with a sentence', async (output, sentence) => {
  const { code, text } = await watched({ output });
  expect(text).toMatch(new RegExp(`12:00:00 Check renewal\\n.*\\n${sentence}$`));
  expect(code).toBe(0);
});

test.each([
  [{}, 'While it runs, this one renews nothing.'],
  [{ force: true }, 'This one waits, unless the other one orders.'],
])('renew with %j says what it does while another execution works on the certificate', async (options, sentence) => {
  const lease = { execution: 'arn:other', since: now };
  expect((await watched({}, options, { lease })).text.replaceAll('\n', ' ')).toContain(
    `Another execution works on www. ${sentence}`,
  );
});

test.each([
  ['TIMED_OUT', 'timed out'],
  ['ABORTED', 'was aborted'],
] as const)('renew --watch of an execution with the status %s says that it %s', async (status, ending) => {
  const { code, text } = await watched({ status });
  expect(text).toMatch(new RegExp(`\\nThe renewal has failed\\. The execution ${ending}\\.$`));
  expect(code).toBe(1);
});

test('renew --watch shows the error of a failed task once, below its state', async () => {
  const checked = { name: 'Check zones', at: now, failed: 'CaaError' };
  const { text } = await watched({ status: 'FAILED' }, { watch: true }, {}, [
    [{ name: 'Check zones', at: now }],
    [checked],
    [checked, { name: 'Record failure', at: '2026-03-01T12:00:03Z' }],
  ]);
  expect(text).toContain('12:00:00 Check zones\n           failed: CaaError\n  12:00:03 Record failure\nThe renewal');
});

test('renew --watch of a failed execution ends with its error', async () => {
  const { code, text } = await watched({ status: 'FAILED', error: 'CaaError', cause: 'CAA forbids it.' });
  expect(text).toMatch(/\nThe renewal has failed\. CaaError: CAA forbids it\.$/);
  expect(code).toBe(1);
});

test.each([
  [{ json: true }, { status: 'RUNNING', input: { certificate: 'www' } }],
  [
    { json: true, watch: true },
    { status: 'SUCCEEDED', output: { reason: 'paused' } },
  ],
])('renew with %j prints only the execution', async (options, expected) => {
  const { code, text } = await watched({ output: '{"reason":"paused"}' }, options);
  expect(JSON.parse(text)).toMatchObject(expected);
  expect(code).toBe(0);
});
