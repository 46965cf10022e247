import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { table, wrapped, wrappedCommand, wrappedMessage } from '../../cli/layout.ts';

const longest = (text: string) => Math.max(...text.split('\n').map(({ length }) => length));
const wordsOf = (text: string) => text.split(/\s+/).filter((word) => word !== '' && word !== '\\');

describe('text that is wrapped', () => {
  test('continues below its first line, and keeps a word that is longer than the terminal', () => {
    const arn = 'arn:aws:acm:us-east-1:000000000000:certificate/0b6a';
    expect(wrapped(`Not ${arn} but another one`, 20, 4)).toBe(`Not\n    ${arn}\n    but another one`);
  });

  test('is never broken inside a word, and fits the terminal if its words do', () => {
    const words = fc.array(fc.stringMatching(/^[a-z]{1,12}$/), { minLength: 1 });
    fc.assert(
      fc.property(words, fc.integer({ min: 20, max: 120 }), (parts, columns) => {
        const text = `${' '.repeat(4)}${wrapped(parts.join(' '), columns, 4)}`;
        expect(wordsOf(text)).toEqual(parts);
        expect(longest(text)).toBeLessThanOrEqual(columns);
      }),
    );
  });
});

test('a message is wrapped, and the policy statement below it stays whole', () => {
  const statement = '{"Effect":"Allow","Action":"lambda:InvokeFunction"}';
  expect(wrappedMessage(`Your credentials may not call lambda:InvokeFunction.\n${statement}`, 30, 2)).toBe(
    `Your credentials may not\n  call lambda:InvokeFunction.\n  ${statement}`,
  );
});

test('a command that is wrapped is one command for a shell', () => {
  const command = `aws stepfunctions start-execution --state-machine-arn $RENEWAL --name www-1 --input '{"certificate":"www"}'`;
  const text = `  ${wrappedCommand(command, 60, 2)}`;
  expect(text).toBe(
    `  aws stepfunctions start-execution --state-machine-arn \\
    $RENEWAL --name www-1 --input '{"certificate":"www"}'`,
  );
  expect(longest(text)).toBeLessThanOrEqual(60);
  expect(wrappedCommand('aws acm list-certificates', 60, 2)).toBe('aws acm list-certificates');
});

describe('a table', () => {
  const rows = [
    ['name', 'valid until', 'stored in'],
    ['www', '2027-01-13', 'certificates/www, ACM us-east-1, eu-central-1'],
    ['mail', '2026-12-05', 'certificates/mail'],
  ];

  test('has one line for each row if the terminal is wide enough', () => {
    expect(table(rows, 80)).toEqual([
      'name  valid until  stored in',
      'www   2027-01-13   certificates/www, ACM us-east-1, eu-central-1',
      'mail  2026-12-05   certificates/mail',
    ]);
  });

  test('breaks the last column between words', () => {
    expect(table(rows, 50)[1]).toBe(
      'www   2027-01-13   certificates/www, ACM\n                   us-east-1, eu-central-1',
    );
  });

  test('has the first column on a line of its own if the others would not fit beside it', () => {
    const name = 'a-certificate-with-a-name-that-is-as-long-as-it-may-be-0123456789';
    const text = table([...rows, [name, '2026-12-05', 'certificates/a']], 80);
    expect(text[0]).toBe('name\n  valid until  stored in');
    expect(text[3]).toBe(`${name}\n  2026-12-05   certificates/a`);
    expect(longest(text.join('\n'))).toBeLessThanOrEqual(80);
  });
});
