import { expect, test } from 'vitest';
import { drill } from '../../../cli/commands/drill.ts';
import { AccessDeniedError } from '../../../lambdas/domain/contract/errors.ts';
import type { ReportOutput } from '../../../lambdas/domain/contract/report.ts';
import type { Drills } from '../../../lambdas/domain/ports/drills.ts';
import { createWorld } from '../../fakes/world.ts';
import { reportOf } from '../page/reports.ts';
import { createTerminal } from '../terminal.ts';

interface Situation {
  readonly topic?: string | null;
  readonly answers?: readonly (boolean | null)[];
  readonly drills?: Partial<Drills>;
}

async function run({ topic = 'arn:topic', answers = [true, true], drills }: Situation = {}) {
  const report = reportOf(0);
  const output: ReportOutput = { ...report, next: null, deployment: { ...report.deployment, topic } };
  const sent: unknown[] = [];
  const left = [...answers];
  const terminal = createTerminal();
  const code = await drill(
    {},
    {
      deployments: { list: async () => [{ stack: 'Perennial', report: 'arn' }], report: async () => output },
      drills: {
        alarmsOf: async () => ['Perennial fleet fails', 'Perennial changed outside'],
        setAlarm: async (...alarm) => void sent.push(alarm),
        publish: async (detail) => void sent.push(detail),
        ...drills,
      },
      terminal,
      clock: createWorld().clock,
      askConfirmation: async () => left.shift() ?? null,
    },
  );
  return { code, sent, text: terminal.lines.join('\n') };
}

test('sets one real alarm and publishes one event, which say that they are tests', async () => {
  const { code, sent, text } = await run();
  const isTest = expect.stringContaining('This is a test by "cdk-perennial drill"');
  expect(sent).toEqual([
    ['Perennial changed outside', isTest],
    expect.objectContaining({ request: { action: 'drill' }, cause: isTest, issuers: [] }),
  ]);
  expect(text).toBe('OK  alarm: the message arrived\nOK  event: the message arrived');
  expect(code).toBe(0);
});

test('a message that did not arrive needs attention, with what to look at', async () => {
  const { code, text } = await run({ answers: [false, true] });
  expect(text).toContain('FIX alarm: The message did not arrive. Run "npx cdk-perennial doctor"');
  expect(code).toBe(1);
});

test('without a terminal it sends both and asks nothing', async () => {
  const { code, sent, text } = await run({ answers: [] });
  expect(sent).toHaveLength(2);
  expect(text).toContain('See that it arrives.');
  expect(code).toBe(0);
});

test('without notifications it sends nothing and names the setting', async () => {
  const { code, sent, text } = await run({ topic: null });
  expect(sent).toEqual([]);
  expect(text.match(/Add\s+notifications:/g)).toHaveLength(2);
  expect(code).toBe(1);
});

test('a denied call of one path does not end the other', async () => {
  const denied = new AccessDeniedError({ what: 'denied.', action: 'cloudwatch:DescribeAlarms', resource: 'alarms' });
  const { code, text } = await run({ drills: { alarmsOf: async () => Promise.reject(denied) }, answers: [true] });
  expect(text).toContain('Your credentials may not call cloudwatch:DescribeAlarms.');
  expect(text).toContain('OK  event: the message arrived');
  expect(code).toBe(4);
});
