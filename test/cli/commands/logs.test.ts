import { describe, expect, test } from 'vitest';
import { type LogsOptions, logs } from '../../../cli/commands/logs.ts';
import { AccessDeniedError } from '../../../lambdas/domain/contract/errors.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { certificateWith, reportOf } from '../page/reports.ts';
import { createTerminal } from '../terminal.ts';

const arn = (name: string) => `arn:aws:states:eu-west-1:111122223333:execution:renewal:${name}`;
const step = (certificate: string, execution: string, fields: object = {}) =>
  JSON.stringify({
    level: 'INFO',
    message: 'done',
    step: 'newOrder',
    certificate,
    execution: arn(execution),
    ...fields,
  });
const entered = (execution: string, name: string) =>
  JSON.stringify({ type: 'TaskStateEntered', details: { name }, execution_arn: arn(execution) });

type Lines = Readonly<Record<string, readonly (readonly [string, string])[] | Error>>;

async function run(groups: Lines, options: Partial<LogsOptions> = {}, incomplete = false) {
  const terminal = createTerminal();
  const searches: { readonly pattern: string; readonly since: string }[] = [];
  const report = reportOf(0);
  const code = await logs(
    'www',
    { since: '1d', ...options },
    {
      terminal,
      clock: new FakeClock('2026-03-02T12:00:00Z'),
      deployments: {
        list: async () => [{ stack: 'Certificates', report: 'arn' }],
        report: async () => ({
          ...report,
          deployment: { ...report.deployment, logGroups: Object.keys(groups) },
          certificates: [certificateWith()],
          next: null,
        }),
      },
      logLines: {
        find: async (logGroup, pattern, since) => {
          searches.push({ pattern, since: since.toISOString() });
          const found = groups[logGroup] ?? [];
          if (found instanceof Error) throw found;
          return { lines: found.map(([at, text]) => ({ at, text, logGroup })), incomplete };
        },
      },
    },
  );
  return { code, terminal, searches };
}

describe('logs', () => {
  const groups: Lines = {
    order: [
      ['2026-03-02T10:00:02Z', step('www', 'www-1')],
      [
        '2026-03-02T11:00:02Z',
        step('www', 'www-2', {
          level: 'ERROR',
          message: 'failed',
          milliseconds: 7,
          error: { name: 'CaaError', message: 'Forbidden.' },
        }),
      ],
    ],
    workflow: [
      ['2026-03-02T10:00:01Z', entered('www-1', 'New order')],
      ['2026-03-02T11:00:01Z', entered('www-2', 'New order')],
      ['2026-03-02T11:30:01Z', entered('www-2-1', 'New order')],
    ],
  };

  test('shows the lines of all groups by execution, the newest execution first', async () => {
    const { code, terminal } = await run(groups);
    expect(code).toBe(0);
    expect(terminal.lines).toEqual([
      'www-2, 2026-03-02 UTC',
      '  11:00:01 [New order]',
      '  11:00:02 ERROR newOrder: failed after 7 ms. CaaError: Forbidden.',
      'www-1, 2026-03-02 UTC',
      '  10:00:01 [New order]',
      '  10:00:02 newOrder: done',
    ]);
  });

  test('prints all fields as JSON', async () => {
    const { terminal } = await run(groups, { json: true });
    const [first] = JSON.parse(terminal.lines.join('')) as { execution: string; lines: { content: object }[] }[];
    expect(first).toMatchObject({
      execution: arn('www-2'),
      lines: [{ logGroup: 'workflow' }, { content: { level: 'ERROR' } }],
    });
  });

  test.each([
    ['1d', '2026-03-01T12:00:00.000Z'],
    ['90m', '2026-03-02T10:30:00.000Z'],
    ['2026-02-01', '2026-02-01T00:00:00.000Z'],
  ])('searches for the certificate since %s', async (since, expected) => {
    const { searches } = await run({ order: [] }, { since });
    expect(searches).toEqual([
      { since: expected, pattern: '{ ($.certificate = "www") || ($.execution_arn = "*:www-*") }' },
    ]);
  });

  test('rejects another text for --since', async () => {
    await expect(run(groups, { since: 'yesterday' })).rejects.toMatchObject({ exitCode: 2 });
  });

  test('shows the other groups if one may not be read, and the statement that allows it', async () => {
    const denied = new AccessDeniedError({
      what: 'Denied.',
      action: 'logs:FilterLogEvents',
      resource: 'log group order',
    });
    const { code, terminal } = await run({ ...groups, denied });
    expect(code).toBe(4);
    expect(terminal.notes.join('\n')).toContain('"Action":"logs:FilterLogEvents"');
    expect(terminal.lines).toHaveLength(6);
  });

  test('says that lines are missing, or that there are none', async () => {
    expect((await run(groups, {}, true)).terminal.notes.join()).toContain('The newest ones are missing');
    expect((await run({ order: [] })).terminal.notes.join()).toContain(
      'No lines about www since 2026-03-01T12:00:00.000Z.',
    );
  });
});
