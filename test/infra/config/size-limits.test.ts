import { describe, expect, test } from 'vitest';
import { checkConfig } from '../../../infra/config/check-config.ts';
import { acmAcmeEndpoint } from '../../../infra/config/issuers.ts';
import { expectMistakes } from '../mistakes.ts';
import { base, withWww } from './configs.ts';

/** Returns a name below example.com with exactly this length. */
function nameOf(length: number, last = 'example.com'): string {
  let name = last;
  while (length - name.length > 1) {
    const label = Math.min(63, length - name.length - 1);
    // One character would be left, and a label needs a dot too.
    name = `${'a'.repeat(length - name.length - 1 - label === 1 ? label - 1 : label)}.${name}`;
  }
  return name;
}

const rejects = (config: unknown, path: string, ...words: readonly string[]) =>
  expectMistakes(() => checkConfig(config), [path, ...words]);

describe('an identifier', () => {
  test('has at most 237 characters without *., because _acme-challenge. comes before it', () => {
    expect(nameOf(237)).toHaveLength(237);
    expect(() => checkConfig(withWww({ identifiers: [nameOf(237), `*.${nameOf(236)}`] }))).not.toThrow();
    const path = 'certificates[0].identifiers[0]';
    rejects(withWww({ identifiers: [nameOf(238)] }), path, 'has 238 characters', 'may have 237');
    rejects(withWww({ identifiers: [`*.${nameOf(238)}`] }), path, 'has 238 characters', 'may have 237');
  });

  test('may have 253 characters if the issuer needs no TXT record', () => {
    const issuer = acmAcmeEndpoint({
      directoryUrl: 'https://acm-acme-enroll.eu-west-1.api.aws/0a1b/directory',
      externalAccountBinding: 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:eab-AbCdEf',
    });
    expect(() => checkConfig({ ...withWww({ identifiers: [nameOf(253)] }), issuer, hostedZones: [] })).not.toThrow();
  });
});

describe('the secret of a certificate', () => {
  const hundred = (length: number) =>
    Array.from({ length: 100 }, (_, index) => nameOf(length, `n${index + 100}.example.com`));

  test('may hold 100 names of 120 characters', () => {
    for (const keyType of ['P-256', 'RSA-4096'])
      expect(() => checkConfig(withWww({ identifiers: hundred(120), keyType }))).not.toThrow();
  });

  test('is rejected if the names make it larger than 64 KB', () => {
    for (const keyType of ['P-256', 'RSA-4096'])
      rejects(
        withWww({ identifiers: hundred(150), keyType }),
        'certificates[0].identifiers',
        '100 names have 15000 characters',
        'at most 65536 bytes',
      );
  });
});

describe('hosted zones', () => {
  const zonesOf = (count: number, more: object = {}) =>
    Array.from({ length: count }, (_, index) => ({
      id: `Z${String(index).padStart(31, '0')}`,
      name: `z${index}.example`,
      ...more,
    }));
  const config = (...hostedZones: readonly object[]) => ({
    ...base,
    hostedZones: [{ id: 'Z0OWN', name: 'example.com' }, ...hostedZones],
  });

  test('of the account may be 385, which fill the policies of a role', () => {
    expect(() => checkConfig(config(...zonesOf(384)))).not.toThrow();
    rejects(config(...zonesOf(385)), 'hostedZones', 'found 386 zones of this account', '12 policies', '385 zones');
  });

  test('of other accounts count by their roles', () => {
    const theirs = zonesOf(500, { roleArn: 'arn:aws:iam::222222222222:role/challenges' });
    expect(() => checkConfig(config(...theirs))).not.toThrow();
    const many = theirs.map((zone, index) => ({ ...zone, roleArn: `arn:aws:iam::222222222222:role/r${index}` }));
    rejects(config(...many), 'hostedZones', '500 roles', '16 policies');
  });

  test('that a certificate needs have to fit into the state of an execution', () => {
    const role = { roleArn: `arn:aws:iam::222222222222:role/${'r'.repeat(400)}`, challengesOnly: true };
    expect(() => checkConfig(config(...zonesOf(80, role)))).not.toThrow();
    rejects(config(...zonesOf(120, role)), 'certificates[0]', 'its 121 hosted zones', 'at most 48000');
  });
});
