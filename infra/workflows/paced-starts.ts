import {
  type IChainable,
  Map as MapState,
  Pass,
  ProvideItems,
  type StateMachine,
  Wait,
  WaitTime,
} from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { startRenewal } from './renewal-start.ts';
import { executionExists } from './retry-policies.ts';

export interface PacedStartsProps {
  readonly renewal: StateMachine;
  /** Paced starts a second. */
  readonly pace: number;
}

/** Events in the history of an execution that a start has: 3 for the item of the Map, 2 for the wait and 5 for the task. */
export const eventsPerStart = 10;

/** Characters of all errors in the cause of a failed run. A cause may have 32,768. These are enough to see what failed, and the log has the rest. */
const longestCause = 2000;

/** Returns an expression that adds texts to the errors of the run. */
export const withErrors = (texts: string) =>
  `$substring($join([$errors, ${texts}][$ != ''], '; '), 0, ${longestCause})`;

/** Returns the Map that starts the selected renewals one after the other, each at its time. */
export function pacedStarts(scope: Construct, props: PacedStartsProps): MapState {
  return MapState.jsonata(scope, 'Start renewals', {
    items: ProvideItems.jsonata('{% $states.input.due %}'),
    maxConcurrency: 1,
    outputs: '{% {} %}',
    assign: {
      started: '{% [$started, $states.input.due.certificate] %}',
      newStarts: '{% $newStarts + $count($states.result[started]) %}',
      historyEvents: `{% $historyEvents + ${eventsPerStart} * $count($states.input.due) %}`,
      errors: `{% $count($states.result[$exists(error)]) > 0 ? ${withErrors('$states.result.error')} : $errors %}`,
    },
  }).itemProcessor(startAtPace(scope, props));
}

function startAtPace(scope: Construct, { renewal, pace }: PacedStartsProps): IChainable {
  // A time, because `Seconds` takes whole seconds only.
  const wait = Wait.jsonata(scope, 'Wait for pace', {
    time: WaitTime.timestamp(`{% $fromMillis($toMillis($selectedAt) + $floor($states.input.slot * 1000 / ${pace})) %}`),
  });
  const start = startRenewal(scope, renewal, {
    name: '{% $states.input.executionName %}',
    input: { certificate: '{% $states.input.certificate %}' },
    outputs: "{% { 'started': true } %}",
  });
  // The name is derived from this run, so an existing renewal of this name was started by this run.
  start
    .addCatch(Pass.jsonata(scope, 'Already started'), { errors: [executionExists], outputs: '{% {} %}' })
    .addCatch(Pass.jsonata(scope, 'Start failed'), {
      outputs: "{% { 'error': $states.input.certificate & ': ' & $states.errorOutput.Error } %}",
    });
  return wait.next(start);
}
