import { expect, test } from 'vitest';
import { NotDeliveredError } from '../../../lambdas/deployment/await-delivery.ts';
import { forCloudFormation } from '../../../lambdas/deployment/failure-reason.ts';
import { deniedError } from '../../fakes/aws-errors.ts';

const thrown = (error: unknown): Promise<Error> =>
  forCloudFormation(() => Promise.reject(error)).then(
    () => new Error('none'),
    (shown: Error) => shown,
  );

test('what is returned is handed on', async () => {
  expect(await forCloudFormation(async () => 7)).toBe(7);
});

test('the renewal’s own words stand alone, with no trace behind them', async () => {
  const error = await thrown(new NotDeliveredError('CaaError: No.', 'arn'));
  expect(error.message).toBe('CaaError: No.\nExecution: arn');
  expect(error.stack?.split('\n')).toHaveLength(1);
});

test('any other error is named', async () => {
  expect((await thrown(deniedError('It was denied.'))).message).toBe('AccessDeniedError: It was denied.');
  expect((await thrown('a text')).message).toBe('Error: a text');
});

test.each(['x', '"', '\n', 'ü', '€'])(
  'a text of many %j fits into CloudFormation’s reply, and the execution is still named',
  async (letter) => {
    const { message } = await thrown(new NotDeliveredError(`CaaError: ${letter.repeat(9000)}`, 'arn:1'));
    expect(Buffer.byteLength(JSON.stringify(message))).toBeLessThanOrEqual(2400);
    expect(message.length).toBeGreaterThan(700);
    expect(message).toMatch(/^CaaError: /);
    expect(message).toMatch(/…\nExecution: arn:1$/);
  },
);
