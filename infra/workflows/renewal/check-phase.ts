import {
  Choice,
  Condition,
  type IChainable,
  Succeed,
  type TaskStateBase,
  Wait,
  WaitTime,
} from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import type { RenewalAction } from '../../../lambdas/domain/contract/steps.ts';
import { noted } from '../error-output.ts';
import { contended, named, settling } from '../retry-policies.ts';
import type { WorkflowFunction } from '../workflow-function.ts';

/** Is it due? Some answers are seen to here, and *Check renewal* is asked again. */
export function check(
  scope: Construct,
  functions: Record<'check' | 'challenge' | 'certificate', WorkflowFunction>,
  next: Record<'failAsIs' | 'recordFailure' | 'issue' | 'deliver' | 'look', IChainable>,
): IChainable {
  const checkRenewal = ask(scope, functions.check)
    // Nothing was begun and no certificate of ours is concerned: there is nothing to record.
    .addCatch(next.failAsIs, {
      ...noted,
      errors: named('InvalidInputError', 'UnknownCertificateError'),
    })
    .addCatch(next.recordFailure, noted);
  const wait = Wait.jsonata(scope, 'Wait for its turn', {
    time: WaitTime.seconds('{% $states.input.wait %}'),
    assign: { waits: '{% $waits + 1 %}' },
  }).next(checkRenewal);
  const cleanUp = cleanUpLeftOver(scope, functions.challenge, checkRenewal);
  const readCertificate = repair(scope, functions.certificate, next);

  const action = (name: RenewalAction) => Condition.jsonata(`{% $states.input.action = '${name}' %}`);
  return checkRenewal.next(
    Choice.jsonata(scope, 'Which action?')
      .when(action('issue'), next.issue)
      // Once: an order that is of no use was dropped, so that there is none the second time.
      .when(Condition.jsonata("{% $states.input.action = 'resume' and $type($abandoned) = 'null' %}"), next.issue)
      .when(action('deliver'), next.deliver)
      .when(action('repair'), readCertificate)
      // Once: what the first time left there stays in the ledger, and the renewal goes on.
      .when(Condition.jsonata("{% $states.input.action = 'clean' and $not($cleaned) %}"), cleanUp)
      .when(action('wait'), wait)
      .when(action('watch'), next.look)
      .otherwise(Succeed.jsonata(scope, 'Nothing to do', { outputs: { reason: '{% $states.input.reason %}' } })),
  );
}

function ask(scope: Construct, lambda: WorkflowFunction): TaskStateBase {
  return lambda.step(scope, 'Check renewal', {
    payload: {
      request: '{% $request %}',
      cleaned: '{% $cleaned %}',
      removed: '{% $removed %}',
      waits: '{% $waits %}',
      abandoned: '{% $abandoned %}',
      startedAt: '{% $startedAt %}',
    },
    retry: [settling],
    assign: {
      certificate: '{% $states.result.Payload.certificate %}',
      reason: '{% $states.result.Payload.reason %}',
      spec: '{% $states.result.Payload.spec %}',
      current: '{% $states.result.Payload.current %}',
      challengeZones: '{% $states.result.Payload.challengeZones %}',
      account: '{% $states.result.Payload.account %}',
      // Struck off by now: a value that comes back into DNS later must not be struck off again unseen.
      removed: [],
      replaces: '{% $states.result.Payload.replaces %}',
      order: '{% $states.result.Payload.order %}',
      leftovers: '{% $states.result.Payload.leftovers %}',
    },
  });
}

function cleanUpLeftOver(scope: Construct, lambda: WorkflowFunction, checkRenewal: TaskStateBase): IChainable {
  return lambda
    .step(scope, 'Clean up challenges left over', {
      step: 'cleanUpChallenges',
      payload: { records: '{% $leftovers %}' },
      retry: [contended],
      assign: { cleaned: true, removed: '{% $states.result.Payload.removed %}' },
    })
    .addCatch(checkRenewal, { assign: { cleaned: true } })
    .next(checkRenewal);
}

/** What is stored and not in the ledger is delivered from the secret. */
function repair(
  scope: Construct,
  lambda: WorkflowFunction,
  next: Record<'recordFailure' | 'deliver', IChainable>,
): IChainable {
  return lambda
    .step(scope, 'Read certificate', {
      payload: { spec: '{% $spec %}' },
      assign: { current: '{% $states.result.Payload.current %}', known: '{% $states.result.Payload.known %}' },
    })
    .addCatch(next.recordFailure, noted)
    .next(next.deliver);
}
