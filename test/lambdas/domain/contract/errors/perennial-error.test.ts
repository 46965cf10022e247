import { expect, test } from 'vitest';
import {
  AccessDeniedError,
  CaUnavailableError,
  PerennialError,
} from '../../../../../lambdas/domain/contract/errors.ts';

test('builds a message of three sentences that begins with the certificate', () => {
  const error = new CaUnavailableError({
    what: 'No reply',
    why: 'AWS says no',
    remedy: 'Try again later.',
    certificate: 'www',
  });
  expect(error.message).toBe('Certificate www: No reply. AWS says no. Try again later.');
  expect(error.explanation).toEqual({ what: 'No reply', why: 'AWS says no', remedy: 'Try again later.' });
});

test('omits absent parts', () => {
  expect(new CaUnavailableError({ what: 'No reply!', why: '' }).message).toBe('No reply!');
});

test('keeps fields, problem and cause, and does not list the explanation as a field', () => {
  const cause = new Error('cut');
  const problem = { type: 'about:blank', status: 503 };
  const error = new AccessDeniedError({ what: 'No.', action: 's3:Get', resource: 'a bucket', problem, cause });
  expect(error.fields).toEqual({ action: 's3:Get', resource: 'a bucket' });
  expect(error).toMatchObject({ name: 'AccessDeniedError', problem, cause });
});

test('creates another error of the same class with other details, and does not change the first', () => {
  const problem = { type: 'about:blank' };
  const first = new AccessDeniedError({ what: 'No.', action: 's3:Get', resource: 'a bucket', problem });
  const second = first.with({ certificate: 'www', remedy: 'Allow it.' });
  expect(second).toBeInstanceOf(AccessDeniedError);
  expect(second).toBeInstanceOf(PerennialError);
  expect(second).toMatchObject({
    message: 'Certificate www: No. Allow it.',
    fields: { certificate: 'www', action: 's3:Get', resource: 'a bucket' },
    problem,
  });
  expect(first.message).toBe('No.');
  expect(first.fields.certificate).toBeUndefined();
});
