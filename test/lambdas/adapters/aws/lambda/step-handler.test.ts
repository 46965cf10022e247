import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { stepHandler } from '../../../../../lambdas/adapters/aws/lambda/step-handler.ts';
import { readErrorOutput } from '../../../../../lambdas/domain/contract/failure.ts';
import { stepFormat } from '../../../../../lambdas/domain/contract/steps.ts';
import { errorOutputOf } from '../../../../fakes/error-output.ts';

// The log has a line for each failed step.
beforeEach(() => {
  for (const stream of [process.stdout, process.stderr]) vi.spyOn(stream, 'write').mockReturnValue(true);
});
afterEach(() => {
  vi.restoreAllMocks();
});

const run = { certificate: 'www', execution: 'arn', attempt: 1, order: null };

test('a step with an output that Step Functions would not accept fails with a named error', async () => {
  const handler = stepHandler(() => ({ newOrder: async () => ({ text: 'x'.repeat(200_000) }) }));
  const failed = handler({ format: stepFormat, step: 'newOrder', run, input: {} });
  await expect(failed).rejects.toThrow(/^Certificate www: The output of the step newOrder has 200011 bytes/);
  await expect(failed).rejects.toMatchObject({ name: 'UnexpectedError' });
});

describe('a function that a deployment has replaced', () => {
  test.each([
    ['has another format', { format: 'steps-0', step: 'newOrder' }],
    ['does not exist', { format: stepFormat, step: 'orderAnew' }],
    ['has no format', { format: undefined as never, step: 'newOrder' }],
  ])(
    'does not run a step that %s, and names the error with which the restart rule starts a new execution',
    async (_, event) => {
      const newOrder = vi.fn(async () => ({}));
      const thrown = await stepHandler(() => ({ newOrder }))({ ...event, run, input: {} }).catch(
        (error: Error) => error,
      );
      const { error, sentence } = readErrorOutput(errorOutputOf(thrown as Error));
      expect(error).toBe('FunctionsReplacedError');
      expect(sentence).toMatch(new RegExp(`^Certificate www: The step ${event.step} was not run`));
      expect(newOrder).not.toHaveBeenCalled();
    },
  );
});
