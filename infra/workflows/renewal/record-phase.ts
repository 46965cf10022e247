import type { Construct } from 'constructs';
import { detailTypes } from '../../../lambdas/domain/contract/events.ts';
import { announce } from '../announcement.ts';
import { noted } from '../error-output.ts';
import { caught, merged } from '../exits.ts';
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
export function recordPhase(scope: Construct, { check }: Record<'check', WorkflowFunction>) {
  const record = (words: string) =>
    check.step(scope, `Record success${words}`, { step: 'recordSuccess', payload: { removed: '{% $removed %}' } });
  const tell = (words: string) => announce(scope, `Announce${words}`, detailTypes.renewed, renewed);
  const [start, beforeTheLook, quietly] = [record(''), record(' before the look'), record(' quietly')];
  const [announced, announcedBeforeTheLook] = [tell(''), tell(' before the look')];

  start.next(announced);
  beforeTheLook.next(announcedBeforeTheLook);
  return {
    start,
    beforeTheLook,
    quietly,
    done: merged(announced, caught([announced]), quietly),
    checkEndpoints: merged(announcedBeforeTheLook, caught([announcedBeforeTheLook])),
    failed: caught([start, beforeTheLook, quietly], noted),
  };
}
