import { expect, test } from 'vitest';
import { acmeDirectory, letsEncrypt } from '../../../infra/config/issuers.ts';
import { warnYearlyImports } from '../../../infra/config/yearly-imports.ts';

const issuers = [
  letsEncrypt({ termsOfServiceAgreed: true }),
  acmeDirectory({ directoryUrl: 'https://ca.example.com/directory' }),
];
const unknown = [1];

interface Some {
  readonly count: number;
  readonly regions: readonly string[];
  readonly profile?: string | null;
  readonly issuers?: readonly number[];
}

function warnings(...groups: readonly Some[]): string[] {
  const certificates = groups.flatMap(({ count, regions, profile = null, issuers: of = [0] }) =>
    Array.from({ length: count }, () => ({ regions, profile, issuers: of })),
  );
  const found: string[] = [];
  warnYearlyImports(certificates, issuers, (path, sentence) => found.push(`${path}: ${sentence}`));
  return found;
}

// 160 h, renewed after 80: 109.5 times a year, and 2,500 / 109.5 = 22.8. 45 days, renewed after 30: 12.2 times, and 205.5.
test.each([
  ['22 of six days', { count: 22, profile: 'shortlived' }, 0],
  ['23 of six days', { count: 23, profile: 'shortlived' }, 1],
  ["205 of Let's Encrypt's default", { count: 205 }, 0],
  ["206 of Let's Encrypt's default", { count: 206 }, 1],
  ['205 of a CA that announces no lifetime', { count: 205, issuers: unknown }, 0],
  ['206 of a CA that announces no lifetime', { count: 206, issuers: unknown }, 1],
])('half of what ACM takes in a year is passed or not by %s', (_, some, expected) => {
  expect(warnings({ ...some, regions: ['us-east-1'] })).toHaveLength(expected);
});

test('the warning shows the arithmetic and what to do', () => {
  const [warning = ''] = warnings({ count: 23, regions: ['us-east-1'], profile: 'shortlived' });
  expect(warning).toMatch(
    /^certificates: ACM in us-east-1 gets about 2,519 imports a year, those over an ARN counted: 23 certificates, renewed 109.5 times/,
  );
  expect(warning).toMatch(/takes 5,000 in 365 days.*Ask AWS for a higher quota/);
  expect(warning).not.toContain('assumed');
});

test('a lifetime that was assumed is said to be', () => {
  expect(warnings({ count: 206, regions: ['us-east-1'], issuers: unknown })).toEqual([
    expect.stringContaining('(45 days are assumed for the 206 whose lifetime is not known)'),
  ]);
});

test('every region is counted by itself, over all certificates that go there', () => {
  const found = warnings(
    { count: 15, regions: ['us-east-1', 'eu-west-1'], profile: 'shortlived' },
    { count: 15, regions: ['us-east-1'], profile: 'shortlived' },
    { count: 400, regions: [] },
  );
  expect(found).toEqual([
    expect.stringContaining(
      'ACM in us-east-1 gets about 3,285 imports a year, those over an ARN counted: 30 certificates',
    ),
  ]);
});

test('what could not be read is passed over', () => {
  const found: string[] = [];
  warnYearlyImports([{}, { regions: ['us-east-1'], issuers: [-1] }], issuers, (path) => found.push(path));
  expect(found).toEqual([]);
});
