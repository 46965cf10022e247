import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { stepHandler } from '../../../../../lambdas/adapters/aws/lambda/step-handler.ts';
import { CaUnavailableError } from '../../../../../lambdas/domain/contract/errors.ts';
import { readErrorOutput } from '../../../../../lambdas/domain/contract/failure.ts';
import { stepFormat } from '../../../../../lambdas/domain/contract/steps.ts';
import { errorOutputOf } from '../../../../fakes/error-output.ts';
import { expectPrintable, hostileText } from '../../../hostile-text.ts';

let lines: string[] = [];
beforeEach(() => {
  lines = [];
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, 'write').mockImplementation((chunk) => lines.push(String(chunk)) > 0);
  }
});
afterEach(() => {
  vi.restoreAllMocks();
});

describe('a step with hostile text', () => {
  test('writes log lines and throws an error without control characters, overrides or line breaks', async () => {
    await fc.assert(
      fc.asyncProperty(hostileText, hostileText, async (certificate, said) => {
        lines = [];
        const handler = stepHandler((log) => ({
          newOrder: async () => {
            log.warn(`The CA says ${said}`, { said, list: [said], cause: new Error(said) });
            throw new CaUnavailableError({ what: 'No reply.', why: said, identifier: said, servers: [said] });
          },
        }));
        const run = { certificate, execution: 'arn', attempt: 1, order: said };
        const thrown = await handler({ format: stepFormat, step: 'newOrder', run, input: {} }).catch(
          (error: Error) => error,
        );
        expect(lines).toHaveLength(2);
        for (const line of lines) expectPrintable(JSON.parse(line));
        const output = errorOutputOf(thrown as Error);
        const [first = '', second = '{}', ...rest] = (thrown as Error).message.split('\n');
        expect(rest).toEqual([]);
        expectPrintable([first, JSON.parse(second)]);
        expectPrintable(readErrorOutput(output));
      }),
      { numRuns: 50 },
    );
  });
});
