import { describe, expect, test } from 'vitest';
import { explain } from '../../../cli/commands/explain.ts';
import { AccessDeniedError } from '../../../lambdas/domain/contract/errors.ts';
import { certificateWith, reportOf } from '../page/reports.ts';
import { createTerminal } from '../terminal.ts';

describe('explain without the permission for the executions', () => {
  const terminal = createTerminal();
  const refuse = async (): Promise<never> => {
    throw new AccessDeniedError({
      what: 'The call was denied.',
      why: 'Not authorized.',
      remedy: 'Allow it.',
      action: 'states:ListExecutions',
      resource: 'workflow arn:aws:states:eu-west-1:111122223333:stateMachine:Renewal',
    });
  };
  const run = (json: boolean) =>
    explain(
      'www',
      { json },
      {
        deployments: {
          list: async () => [{ stack: 'Perennial', report: 'arn' }],
          report: async () => ({ ...reportOf(1), certificates: [certificateWith()], next: null }),
        },
        workflows: { start: refuse, list: refuse, describe: refuse, states: refuse },
        terminal,
      },
    );

  test('prints the decision, and the statement that allows the rest', async () => {
    expect(await run(false)).toBe(4);
    expect(terminal.lines.join('\n')).toMatch(/Decision +nothing to do/);
    expect(terminal.notes.join('\n')).toContain(
      '{"Effect":"Allow","Action":"states:ListExecutions","Resource":"arn:aws:states:eu-west-1:111122223333:stateMachine:Renewal"}',
    );
  });

  test('prints the report as JSON, in which the executions are null', async () => {
    terminal.lines.length = 0;
    expect(await run(true)).toBe(4);
    expect(JSON.parse(terminal.lines.join(''))).toMatchObject({ certificates: [{ name: 'www' }], executions: null });
  });
});
