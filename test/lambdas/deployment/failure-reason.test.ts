import { expect, test } from 'vitest';
import { NotDeliveredError } from '../../../lambdas/deployment/await-delivery.ts';
import { forCloudFormation } from '../../../lambdas/deployment/failure-reason.ts';
import { deniedError } from '../../fakes/aws-errors.ts';

const thrown = (error: unknown): Promise<Error> =>
  forCloudFormation(() => Promise.reject(error)).then(
    () => new Error('none'),
    (shown: Error) => shown,
  );

test('returns the result of the work', async () => {
  expect(await forCloudFormation(async () => 7)).toBe(7);
});

test('throws the message of the renewal without a stack trace', async () => {
  const error = await thrown(new NotDeliveredError('CaaError: No.', 'arn'));
  expect(error.message).toBe('CaaError: No.\nExecution: arn');
  expect(error.stack?.split('\n')).toHaveLength(1);
});

test('adds the name of any other error', async () => {
  expect((await thrown(deniedError('It was denied.'))).message).toBe('AccessDeniedError: It was denied.');
  expect((await thrown('a text')).message).toBe('Error: a text');
});

test.each(['x', '"', 'x\n', 'ü', '€'])(
  'shortens a long message of %j to fit into the reply to CloudFormation, and keeps the execution',
  async (letter) => {
    const { message } = await thrown(new NotDeliveredError(`CaaError: ${letter.repeat(9000)}`, 'arn:1'));
    expect(Buffer.byteLength(JSON.stringify(message))).toBeLessThanOrEqual(2400);
    expect(message.length).toBeGreaterThan(700);
    expect(message).toMatch(/^CaaError: /);
    expect(message).toMatch(/…\nExecution: arn:1$/);
  },
);
