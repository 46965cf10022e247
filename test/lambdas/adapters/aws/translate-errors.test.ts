import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { replyOf } from '../../../../lambdas/adapters/aws/translate-errors.ts';
import { awsError } from './aws-error.ts';

const call = { action: 'route53:GetChange', resource: 'change C1' };

const thrownFor = (error: unknown): Promise<Error> =>
  replyOf(call, Promise.reject(error)).then(
    () => expect.fail('no error was thrown'),
    (thrown: Error) => thrown,
  );

describe('an error of an AWS call', () => {
  test.each([
    'Throttling',
    'ThrottlingException',
    'ThrottledException',
    'TooManyRequestsException',
    'PriorRequestNotComplete',
    'RequestLimitExceeded',
    'ProvisionedThroughputExceededException',
    'SlowDown',
    'TimeoutError',
  ])('%s is a throttle, which is tried again', async (name) => {
    expect(await thrownFor(awsError(name, 'Rate exceeded'))).toMatchObject({
      name: 'ThrottledError',
      message: expect.stringContaining(`${name}: Rate exceeded`),
      fields: call,
      cause: { name },
    });
  });

  test.each([429, 500, 503])('status %i is a throttle, whatever its name', async (status) => {
    expect(await thrownFor(awsError('Whatever', 'busy', status))).toMatchObject({ name: 'ThrottledError' });
  });

  test.each(['ECONNRESET', 'ECONNREFUSED', 'ETIMEDOUT', 'EAI_AGAIN'])('no answer (%s) is a throttle', async (code) => {
    expect(await thrownFor(Object.assign(new Error('no answer'), { code }))).toMatchObject({ name: 'ThrottledError' });
  });

  test.each(['AccessDenied', 'AccessDeniedException', 'DecryptionFailure'])(
    '%s names the action and the resource, and keeps what AWS said',
    async (name) => {
      const thrown = await thrownFor(awsError(name, 'User: arn:aws:sts::1:role/x is not authorized.', 403));
      expect(thrown).toMatchObject({ name: 'AccessDeniedError', fields: call, cause: { name } });
      expect(thrown.message).toContain('route53:GetChange on change C1 was denied.');
      expect(thrown.message).toContain('User: arn:aws:sts::1:role/x is not authorized.');
    },
  );

  test('anything else is unexpected, and says of which call and resource', async () => {
    expect(await thrownFor(awsError('InvalidInput', 'The id is bad.'))).toMatchObject({
      name: 'UnexpectedError',
      message: 'route53:GetChange on change C1 failed. InvalidInput: The id is bad.',
      fields: call,
      cause: { name: 'InvalidInput' },
    });
  });

  test('a quota is not a throttle', async () => {
    expect(await thrownFor(awsError('LimitExceededException'))).toMatchObject({ name: 'UnexpectedError' });
  });

  test('what is thrown without being an error is kept in words', async () => {
    expect(await thrownFor('broken pipe')).toMatchObject({
      name: 'UnexpectedError',
      message: 'route53:GetChange on change C1 failed. Error: broken pipe.',
    });
  });

  test('an error that the caller has an answer for becomes that answer', async () => {
    expect(await replyOf(call, Promise.reject(awsError('NoSuchChange')), { NoSuchChange: () => null })).toBeNull();
  });

  test.each([
    ['a whole PEM block', '-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----'],
    ['a PEM block that AWS has cut', '-----BEGIN PRIVATE KEY-----\nc2VjcmV0'],
    ['the base64 of one', Buffer.from('-----BEGIN PRIVATE KEY-----\nc2VjcmV0').toString('base64')],
  ])('%s in what AWS says is taken out, of the cause too', async (_, pem) => {
    const thrown = await thrownFor(awsError('ValidationException', `Value '${pem}' at 'privateKey' failed`));
    expect(thrown.message).toContain("Value '[PEM block]");
    expect(thrown).toMatchObject({ cause: { name: 'ValidationException' } });
    expect(inspect(thrown, { depth: 9, showHidden: true })).not.toMatch(
      /c2VjcmV0|YzJWamNtVjA|PRIVATE KEY|LS0tLS1CRUdJ/,
    );
  });
});
