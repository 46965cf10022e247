import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { CommanderError } from 'commander';
import { describe, expect, test } from 'vitest';
import { CommandError, exitCodes } from '../../cli/exit-codes.ts';
import { problemOf } from '../../cli/problems.ts';
import { createProgram } from '../../cli/program.ts';
import { translated } from '../../lambdas/adapters/aws/translate-errors.ts';
import { SecretDeletedError, UnexpectedError } from '../../lambdas/domain/contract/errors.ts';
import { awsError } from '../lambdas/adapters/aws/aws-error.ts';

const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'command-line.md'), 'utf8');

const noPorts = () => {
  throw new Error('No command may run.');
};
const program = createProgram('1.2.3', noPorts, () => undefined);
const optionsOf = ({ options }: Command) => options.flatMap(({ long }) => long ?? []);

describe('the page of the command line', () => {
  test('names every command and no other', () => {
    const listed = [...page.matchAll(/^\| `(\w+)(?: [^`]*)?` \| [A-Z]/gm)].map(([, name]) => name);
    expect(listed.toSorted()).toEqual(program.commands.map((each) => each.name()).toSorted());
    for (const each of program.commands) expect(page).toContain(`\nnpx cdk-perennial ${each.name()}`);
  });

  test('names every option', () => {
    const named = new Set(page.match(/--[a-z-]+/g));
    const context = page.includes('`-c`') ? ['--context'] : [];
    for (const each of program.commands)
      for (const option of optionsOf(each)) expect([...named, ...context], each.name()).toContain(option);
  });

  test.each([...page.matchAll(/^npx cdk-perennial (.+?)(?: +#.*)?$/gm)].map(([, command = '']) => command))(
    'shows a command that is accepted: %s',
    (line) => {
      const [name, ...args] = line.split(' ');
      const command = program.commands.find((each) => each.name() === name);
      const { unknown } = command?.parseOptions(args) ?? { unknown: ['no such command'] };
      expect(unknown).toEqual([]);
    },
  );

  test('has all exit codes', () => {
    const rows = [...page.matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code));
    expect(rows).toEqual(Object.values(exitCodes));
  });
});

test('every command has --json, --stack, --region and --profile', () => {
  for (const each of program.commands)
    expect(optionsOf(each), each.name()).toEqual(
      expect.arrayContaining(['--json', '--stack', '--region', '--profile']),
    );
});

const call = { action: 'lambda:InvokeFunction', resource: 'function arn:aws:lambda:eu-west-1:1:function:Report' };

test.each<[string, unknown, number, string]>([
  ['--help', new CommanderError(0, 'commander.help', ''), 0, ''],
  ['a wrong option', new CommanderError(1, 'commander.unknownOption', ''), 2, ''],
  ['a name that is not configured', new CommandError('No such name.', exitCodes.notFound), 3, 'No such name.'],
  [
    'a missing permission',
    translated(awsError('AccessDeniedException'), call),
    4,
    '\n{"Effect":"Allow","Action":"lambda:InvokeFunction","Resource":"arn:aws:lambda:eu-west-1:1:function:Report"}',
  ],
  [
    'expired credentials',
    translated(awsError('ExpiredTokenException'), call),
    4,
    'AWS does not accept your credentials.',
  ],
  ['throttling', translated(awsError('ThrottlingException'), call), 4, 'AWS limits the number of calls.'],
  ['a missing region', new Error('Region is missing'), 4, 'No region is set. Give --region,'],
  [
    'a role that may not make a call',
    translated(awsError('AccessDenied'), { ...call, role: 'arn:role' }),
    5,
    'was denied to role arn:role',
  ],
  [
    'a secret that was deleted',
    new SecretDeletedError({ what: 'Secret www has no value.', remedy: 'Restore it.', secret: 'www' }),
    3,
    'Restore it.',
  ],
  ['a failure of the function report', new UnexpectedError({ what: 'It failed.' }), 5, 'It failed.'],
  ['a mistake of the program', new TypeError('x is undefined'), 5, 'TypeError: x is undefined'],
])('%s ends with its exit code and a sentence', (_, error, exitCode, message) => {
  expect(problemOf(error)).toEqual({ message: expect.stringContaining(message), exitCode });
});
