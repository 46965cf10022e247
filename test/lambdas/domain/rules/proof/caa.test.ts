import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CaaRecord } from '../../../../../lambdas/domain/ports/dns.ts';
import { caaLines, caaRefusal, caaRestricts, parseIssueValue } from '../../../../../lambdas/domain/rules/proof/caa.ts';

const account = { url: 'https://ca.test/account/1', caaIdentities: ['ca.test', 'brand.test'] };

/** Parses a record as in a zone file, for example `0 issue "ca.test"`. */
function record(text: string): CaaRecord {
  const [, flags = '', tag = '', value = ''] = /^(\d+) (\w+) "(.*)"$/.exec(text) ?? [];
  return { critical: Number(flags) >= 128, tag, value };
}
const refusal = (identifier: string, ...records: readonly string[]) =>
  caaRefusal(identifier, { domain: 'example.com', records: records.map(record) }, account);
const allowed = (identifier: string, ...records: readonly string[]) => refusal(identifier, ...records) === null;

describe('a CAA set', () => {
  test.each([
    ['with the CA', ['0 issue "ca.test"'], true, true],
    ['with the CA by its other name', ['0 issue "brand.test"'], true, true],
    ['with the CA in capitals', ['0 issue "CA.Test"'], true, true],
    ['with the CA and spaces', ['0 issue "  ca.test  "'], true, true],
    ['with the CA and an empty list of parameters', ['0 issue "ca.test ; "'], true, true],
    ['with the CA, critical', ['128 issue "ca.test"'], true, true],
    ['with another CA', ['0 issue "other.test"'], false, false],
    ['with a domain of the CA', ['0 issue "www.ca.test"'], false, false],
    ['with no CA', ['0 issue ";"'], false, false],
    ['with an empty value', ['0 issue ""'], false, false],
    ['with another CA and this one', ['0 issue "other.test"', '0 issue "ca.test"'], true, true],
    ['with no CA and with this CA', ['0 issue ";"', '0 issue "ca.test"'], true, true],
    ['without issue tags', ['0 iodef "mailto:a@example.com"', '0 contactemail "a@example.com"'], true, true],
    ['with critical contact tags', ['128 iodef "mailto:a@example.com"', '128 contactphone "1"'], true, true],
    ['with an unknown tag', ['0 tbs "x"'], true, true],
    ['with an unknown critical tag', ['128 tbs "x"', '0 issue "ca.test"'], false, false],
    ['for wildcards only, of another CA', ['0 issuewild "other.test"'], true, false],
    ['for wildcards only, of no CA', ['0 issuewild ";"'], true, false],
    ['for wildcards only, of this CA', ['0 issuewild "ca.test"'], true, true],
    [
      'of this CA for wildcards and another CA for other names',
      ['0 issuewild "ca.test"', '0 issue "other.test"'],
      false,
      true,
    ],
    ['of this CA but not for wildcards', ['0 issue "ca.test"', '0 issuewild ";"'], true, false],
    ['that falls back to issue for wildcards', ['0 issue "ca.test"'], true, true],
    ['for mail certificates of another CA', ['0 issuemail "other.test"'], true, true],
    ['that is empty', [], true, true],
  ])('%s, %j, allows a name: %s, and a wildcard: %s', (_, records, plain, wildcard) => {
    expect([allowed('www.example.com', ...records), allowed('*.example.com', ...records)]).toEqual([plain, wildcard]);
  });

  test.each([
    ['this account', 'accounturi=https://ca.test/account/1', true],
    ['this account, tag in capitals', 'AccountURI=https://ca.test/account/1', true],
    ['this account, spaces around the equals sign', 'accounturi = https://ca.test/account/1', true],
    ['another account', 'accounturi=https://ca.test/account/12', false],
    ['this account in capitals, which is another account', 'accounturi=https://ca.test/ACCOUNT/1', false],
    [
      'two accounts, which cannot be met',
      'accounturi=https://ca.test/account/1; accounturi=https://ca.test/account/1',
      false,
    ],
    ['dns-01', 'validationmethods=dns-01', true],
    ['several methods', 'validationmethods=http-01,dns-01', true],
    ['another method', 'validationmethods=http-01', false],
    ['a method that begins with dns-01', 'validationmethods=dns-01x', false],
    ['no method', 'validationmethods=', false],
    ['methods twice', 'validationmethods=dns-01; validationmethods=dns-01', false],
    ['both', 'validationmethods=dns-01; accounturi=https://ca.test/account/1', true],
    ['both, with another account', 'validationmethods=dns-01; accounturi=https://ca.test/account/2', false],
    ['a parameter of the CA’s own', 'policy=ev', true],
    ['a parameter without a value', 'policy', false],
    ['a space in the value', 'policy=a b', false],
    ['an empty parameter', '; policy=ev', false],
    ['a semicolon at the end', 'policy=ev;', false],
    ['a tag with an underscore', 'account_uri=x', false],
    ['an equals sign in a value', 'policy=a=b', true],
  ])('that names the CA with %s (%s) allows it: %s', (_, parameters, expected) => {
    expect(allowed('example.com', `0 issue "ca.test; ${parameters}"`)).toBe(expected);
  });

  test.each(['%%%%%', 'ca.test.', '-ca.test', 'ca..test', 'ca_test', 'ca.test other.test', 'cä.test'])(
    'with the malformed value %s, which allows no CA',
    (value) => {
      expect(parseIssueValue(value)).toBeNull();
      expect(allowed('example.com', `0 issue "${value}"`)).toBe(false);
    },
  );
});

describe('a CAA refusal', () => {
  test('has the record to add', () => {
    expect(refusal('example.com', '0 issue "other.test"')).toEqual({
      why: 'does not name this CA: 0 issue "other.test"',
      remedy: 'Create this record: `example.com. 300 IN CAA 0 issue "ca.test"`.',
      record: 'example.com. 300 IN CAA 0 issue "ca.test"',
    });
  });

  test('has an issuewild record to add for a wildcard with issuewild records', () => {
    expect(refusal('*.example.com', '0 issue "ca.test"', '0 issuewild ";"')?.record).toBe(
      'example.com. 300 IN CAA 0 issuewild "ca.test"',
    );
  });

  test('has a record for this account to add if the domain is restricted to accounts', () => {
    const found = refusal('example.com', '0 issue "ca.test; accounturi=https://ca.test/account/9"');
    expect(found?.why).toContain('names this CA, but does not allow the account https://ca.test/account/1 with dns-01');
    expect(found?.record).toBe(
      'example.com. 300 IN CAA 0 issue "ca.test; validationmethods=dns-01; accounturi=https://ca.test/account/1"',
    );
  });

  test('asks to remove an unknown critical record, and adds none', () => {
    const found = refusal('example.com', '128 tbs "x"');
    expect(found?.why).toContain('128 tbs "x"');
    expect(found?.remedy).toContain('Remove');
    expect(found?.record).toBeUndefined();
  });

  test('shows five shortened records', () => {
    const many = Array.from({ length: 30 }, (_, index) => `0 issue "ca${index}.test; policy=${'x'.repeat(5000)}"`);
    const found = refusal('example.com', ...many);
    expect(found?.why).toContain('and 25 more');
    expect(found?.why.length).toBeLessThan(1000);
  });

  test('escapes any bytes of a tag or a value from DNS, on one line', () => {
    const forged = (tag: string, value: string) =>
      caaRefusal('example.com', { domain: 'example.com', records: [{ critical: true, tag, value }] }, account)?.why;
    expect(forged('a\n"b', 'c\r\n\u2028"\\ \u202ed')).toBe(
      'has a critical tag that CAs do not know, 128 "a\\u000a\\u0022b" "c\\u000d\\u000a\\u2028\\u0022\\u005c \\u202ed"',
    );
    expect(forged('t'.repeat(200), '')).toContain(`128 "${'t'.repeat(15)}" ""`);
  });
});

test('caaRestricts is true for an issue tag of the identifier or an unknown critical tag', () => {
  const restricts = (identifier: string, text: string) => caaRestricts(identifier, [record(text)]);
  expect(restricts('example.com', '0 issue "ca.test"')).toBe(true);
  expect(restricts('example.com', '128 tbs "x"')).toBe(true);
  expect(restricts('example.com', '0 issuewild ";"')).toBe(false);
  expect(restricts('*.example.com', '0 issuewild ";"')).toBe(true);
  expect(restricts('example.com', '0 iodef "mailto:a@example.com"')).toBe(false);
});

describe('the CAA records for an account', () => {
  test('are one for each name of the CA', () => {
    expect(caaLines(account, 'dns-01')).toEqual([
      '0 issue "ca.test; validationmethods=dns-01; accounturi=https://ca.test/account/1"',
      '0 issue "brand.test; validationmethods=dns-01; accounturi=https://ca.test/account/1"',
    ]);
  });

  test('have no validation method for a CA without challenges', () => {
    expect(caaLines(account, null)[0]).toBe('0 issue "ca.test; accounturi=https://ca.test/account/1"');
  });

  const label = fc.stringMatching(/^[a-z0-9]{1,10}$/);
  const identity = fc.array(label, { minLength: 2, maxLength: 4 }).map((labels) => labels.join('.'));
  const accountUrl = fc.stringMatching(/^https:\/\/[a-z]{1,9}\.test\/[a-zA-Z0-9/=?_-]{0,40}$/);

  test('allow this account for names and wildcards, and no other account', () => {
    fc.assert(
      fc.property(identity, accountUrl, accountUrl, fc.boolean(), (name, url, other, wildcard) => {
        const records = caaLines({ url, caaIdentities: [name] }, 'dns-01').map(record);
        const identifier = wildcard ? '*.example.com' : 'example.com';
        const judged = (by: string) =>
          caaRefusal(identifier, { domain: 'example.com', records }, { url: by, caaIdentities: [name] });
        expect(judged(url)).toBeNull();
        if (other !== url) expect(judged(other)).not.toBeNull();
      }),
    );
  });

  test('fix a refusal if the record that it names is added', () => {
    const tag = fc.constantFrom('issue', 'issuewild', 'iodef', 'contactemail');
    const value = fc.oneof(
      fc.string(),
      fc.constantFrom(';', 'ca.test; accounturi=x', 'other.test', 'ca.test; validationmethods=http-01'),
    );
    const records = fc.array(fc.record({ critical: fc.boolean(), tag, value }), { maxLength: 5 });
    fc.assert(
      fc.property(records, fc.boolean(), (found, wildcard) => {
        const identifier = wildcard ? '*.example.com' : 'example.com';
        const added = caaRefusal(identifier, { domain: 'example.com', records: found }, account)?.record;
        if (added === undefined) return;
        const fixed = [...found, record(added.slice('example.com. 300 IN CAA '.length))];
        expect(caaRefusal(identifier, { domain: 'example.com', records: fixed }, account)).toBeNull();
      }),
    );
  });
});

test.each([
  ['spaces', `ca.test${' '.repeat(1_000_000)}x`, undefined],
  ['hyphens', `${'a-'.repeat(500_000)}!`, undefined],
  ['semicolons', ';'.repeat(1_000_000), undefined],
  ['equals signs', `ca.test; ${'a='.repeat(500_000)}`, 1],
])('a value of a megabyte of %s is parsed without backtracking', (_, value, parameters) => {
  // This takes milliseconds. With a regular expression that backtracks it takes minutes, and the timeout ends it.
  const parsed = runInNewContext('parse(value)', { parse: parseIssueValue, value }, { timeout: 20_000 });
  expect(parsed?.parameters.length).toBe(parameters);
});

test('every value that allows the CA begins with a name of the CA', () => {
  const word = fc.constantFrom(
    'ca.test',
    'BRAND.test',
    'ca.test.other',
    ';',
    ' ',
    '\t',
    '=',
    'policy=1',
    'x',
    '\u0000',
    'ä',
  );
  const bytes = fc.uint8Array({ maxLength: 8 }).map((each) => Buffer.from(each).toString('latin1'));
  const outcomes = { allowed: 0, rejected: 0 };
  fc.assert(
    fc.property(fc.array(fc.oneof({ weight: 5, arbitrary: word }, bytes), { maxLength: 5 }), (words) => {
      const value = words.join('');
      const set = { domain: 'example.com', records: [{ critical: false, tag: 'issue', value }] };
      const allowed = caaRefusal('example.com', set, account) === null;
      outcomes[allowed ? 'allowed' : 'rejected'] += 1;
      if (allowed) expect(value).toMatch(/^[ \t]*(ca|BRAND)\.test[ \t]*(;|$)/);
    }),
    { numRuns: 1000 },
  );
  expect(outcomes.allowed).toBeGreaterThan(0);
  expect(outcomes.rejected).toBeGreaterThan(0);
});
