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
    'ExecutionLimitExceeded',
    'ReplicatedWriteConflictException',
    'KmsThrottlingException',
  ])('named %s is reported as throttling, which is retried', async (name) => {
    expect(await thrownFor(awsError(name, 'Rate exceeded'))).toMatchObject({
      name: 'ThrottledError',
      message: expect.stringContaining(`${name}: Rate exceeded`),
      fields: call,
      cause: { name },
    });
  });

  test.each([429, 500, 503])('with status %i is reported as throttling, regardless of its name', async (status) => {
    expect(await thrownFor(awsError('AnyName', 'busy', status))).toMatchObject({ name: 'ThrottledError' });
  });

  test.each(['ECONNRESET', 'ECONNREFUSED', 'ETIMEDOUT', 'EAI_AGAIN'])(
    'with code %s is reported as throttling, because AWS did not reply',
    async (code) => {
      expect(await thrownFor(Object.assign(new Error('no answer'), { code }))).toMatchObject({
        name: 'ThrottledError',
      });
    },
  );

  test.each(['DecryptionFailure', 'EncryptionFailure', 'KmsInvalidStateException', 'KMSDisabledException'])(
    'named %s advises first to see that the key is enabled',
    async (name) => {
      expect(await thrownFor(awsError(name, 'The key is disabled.'))).toMatchObject({
        name: 'AccessDeniedError',
        message: expect.stringMatching(/The key is disabled\. First see that the KMS key is enabled\. Allow it/),
      });
    },
  );

  test.each([
    'ExpiredTokenException',
    'UnrecognizedClientException',
    'InvalidClientTokenId',
    'CredentialsProviderError',
  ])('named %s advises first to check the credentials of the role', async (name) => {
    expect(await thrownFor(awsError(name, 'The token is expired.', 403))).toMatchObject({
      name: 'AccessDeniedError',
      message: expect.stringMatching(/The credentials of the function's role are expired or invalid\./),
    });
  });

  test.each([
    ['ResourceNotFoundException', /Deploy the stack again/],
    ['StateMachineDoesNotExist', /Deploy the stack again/],
    ['StateMachineDeleting', /when the deployment has ended/],
  ])('named %s is reported with a remedy, and not as a defect', async (name, remedy) => {
    expect(await thrownFor(awsError(name, 'as AWS says'))).toMatchObject({
      name: 'AwsRefusedError',
      message: expect.stringMatching(remedy),
      fields: call,
      cause: { name },
    });
  });

  test.each(['AccessDenied', 'AccessDeniedException'])(
    'named %s is reported with the action, the resource and the message of AWS',
    async (name) => {
      const thrown = await thrownFor(awsError(name, 'User: arn:aws:sts::1:role/x is not authorized.', 403));
      expect(thrown).toMatchObject({ name: 'AccessDeniedError', fields: call, cause: { name } });
      expect(thrown.message).toContain('route53:GetChange on change C1');
      expect(thrown.message).toContain('User: arn:aws:sts::1:role/x is not authorized.');
    },
  );

  test('with any other name is unexpected, and is reported with the action and the resource', async () => {
    expect(await thrownFor(awsError('InvalidInput', 'The id is bad.'))).toMatchObject({
      name: 'UnexpectedError',
      message: expect.stringMatching(/route53:GetChange on change C1 .*InvalidInput: The id is bad\./),
      fields: call,
      cause: { name: 'InvalidInput' },
    });
  });

  test('for an exceeded quota is not reported as throttling', async () => {
    expect(await thrownFor(awsError('LimitExceededException'))).toMatchObject({ name: 'UnexpectedError' });
  });

  test('that is not an Error object is kept as text', async () => {
    expect(await thrownFor('broken pipe')).toMatchObject({
      name: 'UnexpectedError',
      message: expect.stringMatching(/route53:GetChange on change C1 .*Error: broken pipe\./),
    });
  });

  test('that the caller handles becomes the result of its handler', async () => {
    expect(await replyOf(call, Promise.reject(awsError('NoSuchChange')), { NoSuchChange: () => null })).toBeNull();
  });

  test.each([
    ['a whole PEM block', '-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----'],
    ['a PEM block that AWS has truncated', '-----BEGIN PRIVATE KEY-----\nc2VjcmV0'],
    ['a PEM block in base64', Buffer.from('-----BEGIN PRIVATE KEY-----\nc2VjcmV0').toString('base64')],
  ])('is reported without %s, in the message and in the cause', async (_, pem) => {
    const thrown = await thrownFor(awsError('ValidationException', `Value '${pem}' at 'privateKey' failed`));
    expect(thrown.message).toContain("Value '[PEM block]");
    expect(thrown).toMatchObject({ cause: { name: 'ValidationException' } });
    expect(inspect(thrown, { depth: 9, showHidden: true })).not.toMatch(
      /c2VjcmV0|YzJWamNtVjA|PRIVATE KEY|LS0tLS1CRUdJ/,
    );
  });
});
