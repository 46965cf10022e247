import type { IChainable } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { detailTypes } from '../../../lambdas/domain/contract/events.ts';
import { announce } from '../announcement.ts';
import { noted } from '../error-output.ts';
import type { WorkflowFunction } from '../workflow-function.ts';

/** Detail of the event "Certificate Renewed". */
export const renewed = {
  certificate: '{% $certificate %}',
  execution: '{% $states.context.Execution.Id %}',
  reason: '{% $reason %}',
  current: '{% $current %}',
  deliveries: '{% $deliveries %}',
};

/**
 * Two ways with the same two states: whoever has no endpoints does not pay for the question. The look comes last, with no lease held,
 * since those who reload their servers do it when they are told. A third way announces nothing.
 */
export function success(
  scope: Construct,
  functions: Record<'check', WorkflowFunction>,
  { recordFailure, look, done }: Record<'recordFailure' | 'look' | 'done', IChainable>,
): Record<'record' | 'recordAndLook' | 'recordQuietly', IChainable> {
  const record = (words: string, next: IChainable) =>
    functions.check
      .step(scope, `Record success${words}`, { step: 'recordSuccess', payload: { removed: '{% $removed %}' } })
      .addCatch(recordFailure, noted)
      .next(next);
  const recordAndTell = (words: string, next: IChainable) =>
    record(words, announce(scope, `Announce${words}`, detailTypes.renewed, renewed).addCatch(next).next(next));
  return {
    record: recordAndTell('', done),
    recordAndLook: recordAndTell(' before the look', look),
    recordQuietly: record(' quietly', done),
  };
}
