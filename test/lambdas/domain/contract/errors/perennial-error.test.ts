import { expect, test } from 'vitest';
import {
  AccessDeniedError,
  CaUnavailableError,
  PerennialError,
} from '../../../../../lambdas/domain/contract/errors.ts';

test('the message has three parts, each a sentence, and begins with the certificate', () => {
  const error = new CaUnavailableError({
    what: 'No reply',
    why: 'AWS says no',
    remedy: 'Try again later.',
    certificate: 'www',
  });
  expect(error.message).toBe('Certificate www: No reply. AWS says no. Try again later.');
  expect(error.explanation).toEqual({ what: 'No reply', why: 'AWS says no', remedy: 'Try again later.' });
});

test('parts that are absent leave no trace', () => {
  expect(new CaUnavailableError({ what: 'No reply!', why: '' }).message).toBe('No reply!');
});

test('fields, problem and cause are kept, and the explanation is no field', () => {
  const cause = new Error('cut');
  const problem = { type: 'about:blank', status: 503 };
  const error = new AccessDeniedError({ what: 'No.', action: 's3:Get', resource: 'a bucket', problem, cause });
  expect(error.fields).toEqual({ action: 's3:Get', resource: 'a bucket' });
  expect(error).toMatchObject({ name: 'AccessDeniedError', problem, cause });
});

test('another error of the same class is made with other details, and the first is not changed', () => {
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
