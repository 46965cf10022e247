import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import type { CertificateSecretValue } from '../../../../lambdas/domain/contract/certificate-secret.ts';
import {
  CertificateSecretError,
  parseCertificateSecret,
} from '../../../../lambdas/domain/contract/certificate-secret.ts';
import { secretValue } from '../../../fakes/certificate-authority.ts';

const schema = JSON.parse(readFileSync('schemas/certificate-secret.schema.json', 'utf8')) as {
  readonly properties: Readonly<Record<string, { readonly description?: string }>>;
};
const validate = new Ajv2020({ allErrors: true }).compile(schema);

let value: CertificateSecretValue;
beforeAll(async () => {
  value = await secretValue({ identifiers: ['example.com', '*.example.com'] });
});

/** Returns the error that the parser throws for a value. */
function refusal(given: unknown): CertificateSecretError {
  try {
    parseCertificateSecret(typeof given === 'string' ? given : JSON.stringify(given));
  } catch (error) {
    if (error instanceof CertificateSecretError) return error;
    throw error;
  }
  throw new Error('The value was accepted.');
}

describe('a certificate’s secret', () => {
  test('is read with all members', () => {
    expect(parseCertificateSecret(JSON.stringify(value))).toEqual(value);
  });

  test('may have members that this reader does not know', () => {
    expect(parseCertificateSecret(JSON.stringify({ ...value, added: 'later' }))).toEqual(value);
  });

  test('without a certificate is rejected as empty', () => {
    expect(refusal({ format: 0, status: 'No certificate has been issued yet.' })).toMatchObject({
      name: 'CertificateSecretError',
      reason: 'empty',
      message: expect.stringContaining('no certificate yet'),
    });
  });

  test.each([
    ['another format', { format: 2 }, /format 2.*format 1/],
    ['no format', { username: 'admin', password: 'hunter2' }, /not a certificate secret/],
    ['a format in words', { format: 'hunter2' }, /not a certificate secret/],
    ['a list', [1], /not a certificate secret/],
    ['text', 'hunter2', /not a certificate secret/],
    ['nothing', '', /not a certificate secret/],
  ])('of another kind, with %s, is rejected without showing its value', (_, given, message) => {
    expect(refusal(given)).toMatchObject({ reason: 'format', message: expect.stringMatching(message) });
    expect(refusal(given).message).not.toContain('hunter2');
  });

  test('with missing or invalid members is rejected with their names, without showing a key', () => {
    const { notAfter: _, ...broken } = { ...value, keyType: 'P-999', identifiers: [] };
    const { reason, message } = refusal(broken);
    expect(reason).toBe('incomplete');
    expect(message).toMatch(/identifiers is invalid, notAfter is missing, keyType is invalid/);
    const error = refusal({ ...value, certificate: 1 });
    for (const text of [error.message, error.stack ?? '', JSON.stringify(error), String(error.cause)])
      expect(text).not.toMatch(/PRIVATE|BEGIN|P-999/);
  });
});

describe('schema and parser', () => {
  const agree = (given: unknown) => {
    let read = true;
    try {
      parseCertificateSecret(JSON.stringify(given));
    } catch {
      read = false;
    }
    expect(validate(given), JSON.stringify(validate.errors)).toBe(read);
    return read;
  };

  test('accept a stored value and reject the placeholder', () => {
    expect(agree(value)).toBe(true);
    expect(agree({ ...value, profile: 'tlsserver', chain: '' })).toBe(true);
    expect(agree({ format: 0, status: 'No certificate has been issued yet.' })).toBe(false);
  });

  test('have the same members, and the schema describes each', () => {
    expect(Object.keys(schema.properties)).toEqual(Object.keys(value));
    for (const [name, { description }] of Object.entries(schema.properties)) expect(description, name).toBeTruthy();
  });

  test('agree about values that differ in some members from a valid one', () => {
    const names = Object.keys(value);
    const other = fc.oneof(
      ...[undefined, null, 0, 1, 2, true, '', 'text', 'P-384', '0A', '2027-01-01T00:00:00Z', '2027-01-01'].map((each) =>
        fc.constant(each),
      ),
      fc.constantFrom<unknown>([], ['a'], [''], [1], {}),
      fc.string(),
    );
    const change = fc.array(fc.tuple(fc.constantFrom(...names), other), { minLength: 1, maxLength: 3 });
    let read = 0;
    fc.assert(
      fc.property(change, (changes) => {
        const given = JSON.parse(JSON.stringify({ ...value, ...Object.fromEntries(changes) }));
        if (agree(given)) read += 1;
      }),
      { numRuns: 2000, seed: 1 },
    );
    expect(read).toBeGreaterThan(50);
  });
});
