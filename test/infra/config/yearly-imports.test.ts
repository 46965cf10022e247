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
  warnYearlyImports(certificates, issuers, (_, path, sentence) => found.push(`${path}: ${sentence}`));
  return found;
}

// A 160-hour certificate is renewed after 80 h, 109.5 times a year, and 2,500 / 109.5 = 22.8. A 45-day certificate is renewed after 30
// days, 12.2 times a year, and 2,500 / 12.2 = 205.5.
test.each([
  ['22 six-day', { count: 22, profile: 'shortlived' }, 0],
  ['23 six-day', { count: 23, profile: 'shortlived' }, 1],
  ["205 default Let's Encrypt", { count: 205 }, 0],
  ["206 default Let's Encrypt", { count: 206 }, 1],
  ['205 unknown-lifetime', { count: 205, issuers: unknown }, 0],
  ['206 unknown-lifetime', { count: 206, issuers: unknown }, 1],
])('%s certificates give the expected number of warnings', (_, some, expected) => {
  expect(warnings({ ...some, regions: ['us-east-1'] })).toHaveLength(expected);
});

test('the warning shows the numbers and what to do', () => {
  const [warning = ''] = warnings({ count: 23, regions: ['us-east-1'], profile: 'shortlived' });
  expect(warning).toMatch(/^certificates: ACM in us-east-1 .*2,519 imports a year.*23 certificates.*109\.5 times/);
  expect(warning).toMatch(/5,000 in 365 days.*Ask AWS for a higher quota/);
  expect(warning).not.toContain('assumed');
});

test('the warning says which lifetime is assumed, and for how many certificates', () => {
  expect(warnings({ count: 206, regions: ['us-east-1'], issuers: unknown })).toEqual([
    expect.stringMatching(/206 of them .* 45 days is assumed/),
  ]);
});

test('imports are counted for each region, over all certificates that are delivered there', () => {
  const found = warnings(
    { count: 15, regions: ['us-east-1', 'eu-west-1'], profile: 'shortlived' },
    { count: 15, regions: ['us-east-1'], profile: 'shortlived' },
    { count: 400, regions: [] },
  );
  expect(found).toEqual([expect.stringMatching(/ACM in us-east-1 .*3,285 imports a year.*30 certificates/)]);
});

test('certificates that could not be read are not counted', () => {
  const found: string[] = [];
  warnYearlyImports([{}, { regions: ['us-east-1'], issuers: [-1] }], issuers, (path) => found.push(path));
  expect(found).toEqual([]);
});
