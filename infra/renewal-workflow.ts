import { Duration } from 'aws-cdk-lib';
import {
  type CatchProps,
  Choice,
  Condition,
  Fail,
  type IChainable,
  Map as MapState,
  Parallel,
  Pass,
  ProvideItems,
  Succeed,
  TaskInput,
  Timeout,
  Wait,
  WaitTime,
} from 'aws-cdk-lib/aws-stepfunctions';
import { EventBridgePutEvents } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import { Construct } from 'constructs';
import type { CheckOrderOutput, RenewalAction } from '../lambdas/rules/contract.ts';
import { announcement, caUnavailable, contended, importing, named, settling } from './retry-policies.ts';
import { Workflow } from './workflow.ts';
import type { WorkflowFunction } from './workflow-function.ts';

export interface RenewalWorkflowProps {
  readonly name: string;
  readonly check: WorkflowFunction;
  readonly order: WorkflowFunction;
  readonly challenge: WorkflowFunction;
  readonly certificate: WorkflowFunction;
  readonly delivery: WorkflowFunction;
}

/** What every rung of the retry ladder begins with. */
const fresh = {
  reason: "{% '' %}",
  cleaned: false,
  waits: 0,
  abandoned: '{% null %}',
  resumed: false,
  validTries: 0,
  spec: '{% null %}',
  current: '{% null %}',
  known: false,
  challengeZones: [],
  account: '{% null %}',
  replaces: '{% null %}',
  order: '{% null %}',
  leftovers: [],
  challenges: [],
  records: [],
  removed: [],
  deliveries: [],
  endpointTries: 0,
  served: '{% null %}',
  errorOutput: '{% null %}',
  failure: '{% null %}',
};

/** Every variable of the workflow's own scope: a state that reads one finds it, whichever way it was reached. */
const variables = {
  request: '{% $states.input %}',
  // For the log and the event until *Check renewal* has read the input, which may be of any shape.
  certificate: "{% $type($states.input.certificate) = 'string' ? $states.input.certificate : '' %}",
  attempt: 1,
  startedAt: '{% $now() %}',
  // A deployment waits for this execution: for *Record failure*, which may come before *Check renewal* has read the input.
  deploy: "{% $type($states.input.deploy) = 'boolean' ? $states.input.deploy : false %}",
  ...fresh,
};

/**
 * The ladder's own bound is in *Record failure*: four tries, and those that do not count as failures. This one holds whatever that says,
 * and leaves the rest to the fleet.
 */
const mostAttempts = 10;

/**
 * What *Record failure* would say, from the error itself, for when it cannot be asked: the sentence out of a function's reply
 * (`rules/failure.ts` writes it), and never a name that begins with `States.`, which Fail may not show.
 */
export const failureAsIs = `{% (
  $text := $exists($errorOutput.Cause) ? $errorOutput.Cause : 'no cause was given';
  $reply := $substring($text, 0, 7) = '{"error' and $substring($text, -1) = '}' ? $parse($text) : {};
  $message := $exists($reply.errorMessage) ? $reply.errorMessage : $text;
  $withProblem := $substring($message, 0, 12) = '{"message":"' and $substring($message, -1) = '}';
  $name := $exists($errorOutput.Error) ? $errorOutput.Error : 'UnexpectedError';
  $timedOut := $name in ['States.Timeout', 'States.HeartbeatTimeout', 'Sandbox.Timedout'];
  {
    'error': $timedOut ? 'StepTimedOutError' : ($substring($name, 0, 7) = 'States.' ? 'UnexpectedError' : $name),
    'cause': $withProblem ? $parse($message).message : $message
  }
) %}`.replaceAll(/\n\s*/g, ' ');

/** Detail of the event "Certificate Renewed". */
const renewed = {
  certificate: '{% $certificate %}',
  execution: '{% $states.context.Execution.Id %}',
  reason: '{% $reason %}',
  current: '{% $current %}',
  deliveries: '{% $deliveries %}',
};

/** What an error leaves for *Record failure*. */
const noted: CatchProps = { assign: { errorOutput: '{% $states.errorOutput %}' } };

/**
 * One certificate, in the order of RFC 8555 §7.1: is it due, order, proof, clean up, finalize, store, deliver, record, announce; then a
 * look at its servers. What fails is tried again from the beginning, which finds what is saved and carries on from there.
 * Started by the fleet, by a person with `{"certificate": "www"}` or `{"certificate": "www", "force": true}`, or in place of an
 * execution that was stopped (`restart-rule.ts`).
 */
export class RenewalWorkflow extends Construct {
  readonly workflow: Workflow;
  private readonly rooms: RenewalWorkflowProps;

  /** The parts stand below in the order they run in; they are made from the end, because each names what follows it. */
  constructor(scope: Construct, id: string, props: RenewalWorkflowProps) {
    super(scope, id);
    this.rooms = props;
    const { recordFailure, failAsIs, tryAgain } = this.failures();
    const success = this.success(recordFailure);
    const deliver = this.deliver(recordFailure, success);
    const finalize = this.finalizeAndStore(recordFailure, deliver);
    const { issue, orderGone } = this.orderAndProve(recordFailure, finalize);
    const checkRenewal = this.checkRenewal({ failAsIs, recordFailure, deliver, issue, watch: success.look });
    orderGone.next(checkRenewal);
    tryAgain.next(checkRenewal);

    this.workflow = new Workflow(this, 'Workflow', {
      name: props.name,
      comment: 'Renews one certificate',
      start: Pass.jsonata(this, 'Start', { assign: variables }).next(checkRenewal),
      // Longer than all bounds of one try together: 86 looks at an order, at most an hour apart because a CA may ask for that, are
      // 3.6 days. What is stopped here is started again by the restart rule, which cleans up and carries on.
      timeout: Duration.days(5),
      functions: [props.check, props.order, props.challenge, props.certificate, props.delivery],
    });
  }

  private checkRenewal(
    next: Record<'failAsIs' | 'recordFailure' | 'deliver' | 'issue' | 'watch', IChainable>,
  ): IChainable {
    const { check, challenge, certificate } = this.rooms;
    const checkRenewal = check
      .step(this, 'Check renewal', {
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
      })
      // Nothing was begun and no certificate of ours is concerned: there is nothing to record.
      .addCatch(next.failAsIs, {
        ...noted,
        errors: named('InvalidInputError', 'UnknownCertificateError'),
      })
      .addCatch(next.recordFailure, noted);

    const wait = Wait.jsonata(this, 'Wait for its turn', {
      time: WaitTime.seconds('{% $states.input.wait %}'),
      assign: { waits: '{% $waits + 1 %}' },
    }).next(checkRenewal);
    const cleanUp = challenge
      .step(this, 'Clean up challenges left over', {
        step: 'cleanUpChallenges',
        payload: { records: '{% $leftovers %}' },
        retry: [contended],
        assign: { cleaned: true, removed: '{% $states.result.Payload.removed %}' },
      })
      .addCatch(checkRenewal, { assign: { cleaned: true } });
    cleanUp.next(checkRenewal);
    const readCertificate = certificate
      .step(this, 'Read certificate', {
        payload: { spec: '{% $spec %}' },
        assign: { current: '{% $states.result.Payload.current %}', known: '{% $states.result.Payload.known %}' },
      })
      .addCatch(next.recordFailure, noted);
    readCertificate.next(next.deliver);

    const action = (name: RenewalAction) => Condition.jsonata(`{% $states.input.action = '${name}' %}`);
    return checkRenewal.next(
      Choice.jsonata(this, 'Which action?')
        .when(action('issue'), next.issue)
        // Once: an order that is of no use was dropped, so that there is none the second time.
        .when(Condition.jsonata("{% $states.input.action = 'resume' and $type($abandoned) = 'null' %}"), next.issue)
        .when(action('deliver'), next.deliver)
        .when(action('repair'), readCertificate)
        // Once: what the first time left there stays in the ledger, and the renewal goes on.
        .when(Condition.jsonata("{% $states.input.action = 'clean' and $not($cleaned) %}"), cleanUp)
        .when(action('wait'), wait)
        .when(action('watch'), next.watch)
        .otherwise(Succeed.jsonata(this, 'Nothing to do', { outputs: { reason: '{% $states.input.reason %}' } })),
    );
  }

  /** A saved order is looked at in place of a new one; where it is of no use, *Check renewal* is asked again. */
  private orderAndProve(
    recordFailure: IChainable,
    finalize: IChainable,
  ): { readonly issue: IChainable; readonly orderGone: Pass } {
    const { order } = this.rooms;
    const newOrder = order
      .step(this, 'New order', {
        payload: {
          spec: '{% $spec %}',
          challengeRecords: '{% $states.input.challengeRecords %}',
          replaces: '{% $replaces %}',
        },
        retry: [caUnavailable],
        assign: {
          order: '{% $states.result.Payload.order %}',
          challenges: '{% $states.result.Payload.challenges %}',
          records: '{% $states.result.Payload.records %}',
        },
      })
      .addCatch(recordFailure, noted);
    const checkOrder = order
      .step(this, 'Check order', {
        payload: {
          spec: '{% $spec %}',
          order: '{% $order %}',
          challengeRecords: '{% $states.input.challengeRecords %}',
          leftovers: '{% $leftovers %}',
        },
        retry: [caUnavailable],
        assign: {
          resumed: true,
          order: '{% $states.result.Payload.order %}',
          challenges: '{% $states.result.Payload.challenges %}',
          records: '{% $states.result.Payload.records %}',
        },
      })
      .addCatch(recordFailure, noted);
    // *Check zones* is asked again too, and may find all in order by then.
    const orderGone = Pass.jsonata(this, 'Order is of no use', {
      assign: { abandoned: '{% $order.url %}', errorOutput: '{% null %}' },
    });

    const proofFailed = Choice.jsonata(this, 'Proof failed?')
      .when(Condition.jsonata("{% $type($errorOutput) = 'object' %}"), recordFailure)
      .otherwise(finalize);
    const cleanUp = this.rooms.challenge
      .step(this, 'Clean up challenges', {
        // And what an earlier run left of a saved order.
        payload: { records: '{% [$records, $leftovers] %}' },
        retry: [contended],
        assign: { removed: '{% $states.result.Payload.removed %}' },
      })
      // The certificate matters more: what is left stands in the ledger, and the next run takes it away.
      .addCatch(proofFailed);
    cleanUp.next(proofFailed);
    // Our try: whatever happens in it, its error is noted and what was written is taken away again.
    const proveControl = Parallel.jsonata(this, 'Prove control')
      .branch(this.proveControl())
      .addCatch(cleanUp, noted)
      .next(cleanUp);

    newOrder.next(
      Choice.jsonata(this, 'Anything to prove?')
        .when(Condition.jsonata('{% $count($challenges) > 0 %}'), proveControl)
        .otherwise(finalize),
    );
    const outcome = (name: CheckOrderOutput['outcome']) => Condition.jsonata(`{% $states.input.outcome = '${name}' %}`);
    checkOrder.next(
      Choice.jsonata(this, 'What is it good for?')
        .when(
          Condition.jsonata("{% $states.input.outcome = 'prove' and $type($errorOutput) = 'object' %}"),
          recordFailure,
        )
        .when(outcome('prove'), proveControl)
        // What is proven needs no zone.
        .when(outcome('finish'), cleanUp, { assign: { errorOutput: '{% null %}' } })
        .otherwise(orderGone),
    );
    const orderSaved = Choice.jsonata(this, 'Order saved?')
      .when(Condition.jsonata("{% $type($order) = 'object' %}"), checkOrder)
      .when(Condition.jsonata("{% $type($errorOutput) = 'object' %}"), recordFailure)
      .otherwise(newOrder);
    return { issue: this.checkZones(orderSaved), orderGone };
  }

  /**
   * Goes on when it fails, with the error noted and no `challengeRecords`: a saved order may be past all proofs. CAA is judged by what the
   * last order found at the CA; where it refuses, the CA is asked for its names of today, and for our account, before that counts.
   */
  private checkZones(orderSaved: IChainable): IChainable {
    const { order, challenge } = this.rooms;
    const payload = { spec: '{% $spec %}', challengeZones: '{% $challengeZones %}', account: '{% $account %}' };
    const failed: CatchProps = { ...noted, outputs: { challengeRecords: '{% null %}' } };
    const again = challenge
      .step(this, 'Check zones again', { step: 'checkZones', payload, assign: { errorOutput: '{% null %}' } })
      .addCatch(orderSaved, failed);
    const registerAccount = order
      .step(this, 'Register account', {
        payload: { issuer: '{% $spec.issuer %}' },
        retry: [caUnavailable],
        assign: { account: '{% $states.result.Payload %}' },
      })
      // What *Check zones* found says more.
      .addCatch(orderSaved, { outputs: failed.outputs });
    registerAccount.next(again).next(orderSaved);
    return challenge
      .step(this, 'Check zones', { payload })
      .addCatch(registerAccount, { ...noted, errors: named('CaaError') })
      .addCatch(orderSaved, failed)
      .next(orderSaved);
  }

  /** A scope of its own: `changes` and the two counters exist in here only. */
  private proveControl(): IChainable {
    const { order, challenge } = this.rooms;
    const presentChallenges = challenge.step(this, 'Present challenges', {
      payload: { records: '{% $records %}' },
      retry: [contended],
      assign: { changes: '{% $states.result.Payload.changes %}', propagationTries: 0, readyTries: 0 },
    });
    const checkPropagation = challenge.step(this, 'Check propagation', {
      payload: { records: '{% $records %}', changes: '{% $changes %}', tries: '{% $propagationTries %}' },
      assign: { propagationTries: '{% $propagationTries + 1 %}' },
    });
    const waitForPropagation = this.wait('Wait for propagation');
    const respond = order.step(this, 'Respond to challenges', {
      payload: { spec: '{% $spec %}', challenges: '{% $challenges %}' },
      retry: [caUnavailable],
    });
    const waitForValidation = this.wait('Wait for validation');
    const pollOrder = order.step(this, 'Poll order until ready', {
      step: 'pollOrder',
      payload: { spec: '{% $spec %}', order: '{% $order %}', until: 'ready', tries: '{% $readyTries %}' },
      retry: [caUnavailable],
      assign: { readyTries: '{% $readyTries + 1 %}' },
    });

    respond
      .next(waitForValidation)
      .next(pollOrder)
      .next(
        Choice.jsonata(this, 'Ready?').when(reached, Pass.jsonata(this, 'Control proven')).otherwise(waitForValidation),
      );
    waitForPropagation.next(checkPropagation);
    return presentChallenges
      .next(checkPropagation)
      .next(
        Choice.jsonata(this, 'Propagated?')
          .when(Condition.jsonata('{% $states.input.propagated %}'), respond)
          .otherwise(waitForPropagation),
      );
  }

  private finalizeAndStore(recordFailure: IChainable, deliver: IChainable): IChainable {
    const { order, certificate } = this.rooms;
    const finalizeOrder = certificate
      .step(this, 'Finalize order', {
        payload: { spec: '{% $spec %}', order: '{% $order %}', resumed: '{% $resumed %}' },
        retry: [caUnavailable],
      })
      .addCatch(recordFailure, noted);
    const pollOrder = order
      .step(this, 'Poll order until valid', {
        step: 'pollOrder',
        payload: { spec: '{% $spec %}', order: '{% $order %}', until: 'valid', tries: '{% $validTries %}' },
        retry: [caUnavailable],
        assign: { validTries: '{% $validTries + 1 %}' },
      })
      .addCatch(recordFailure, noted);
    const storeCertificate = certificate
      .step(this, 'Store certificate', {
        payload: {
          spec: '{% $spec %}',
          order: '{% $order %}',
          certificateUrl: '{% $states.input.certificateUrl %}',
        },
        retry: [caUnavailable],
        assign: { current: '{% $states.result.Payload.current %}' },
      })
      .addCatch(recordFailure, noted);
    storeCertificate.next(deliver);

    const waitForIssuance = this.wait('Wait for issuance');
    const valid = Choice.jsonata(this, 'Valid?').when(reached, storeCertificate).otherwise(waitForIssuance);
    waitForIssuance.next(pollOrder).next(valid);
    return finalizeOrder.next(valid);
  }

  /**
   * One region that refuses does not stop the others: its error is the item's result, and comes up when all are through. Who uses the
   * secret or another region is told of what is new all the same, once.
   */
  private deliver(
    recordFailure: IChainable,
    { record, recordAndLook, recordQuietly }: Record<'record' | 'recordAndLook' | 'recordQuietly', IChainable>,
  ): IChainable {
    const refused = '$count($deliveries[$exists(Error)]) > 0';
    // Stored by this try, or imported by it.
    const imported = '$count($deliveries[imported]) > 0';
    const news = `($type($order) = 'object' or ${imported})`;
    const announce = this.announce('Announce in part', 'Certificate Renewed', {
      ...renewed,
      deliveries: '{% [$deliveries[$exists(arn)]] %}',
    }).addCatch(recordFailure);
    announce.next(recordFailure);
    // Of several, one that is tried again soon: those that wait for a person are tried once a day.
    const persons = named('ImportRefusedError', 'ImportLimitError').map((name) => `'${name}'`);
    const firstRefusal = {
      assign: {
        errorOutput: `{% ($failed := $deliveries[$exists(Error)]; $append($failed[$not(Error in [${persons}])], $failed)[0]) %}`,
      },
    };
    const importCertificate = this.rooms.delivery
      .step(this, 'Import certificate', {
        payload: { spec: '{% $spec %}', region: '{% $states.input %}', current: '{% $current %}' },
        retry: [importing],
      })
      .addCatch(Pass.jsonata(this, 'Not imported'), { outputs: '{% $states.errorOutput %}' });
    return MapState.jsonata(this, 'Deliver', {
      items: ProvideItems.jsonata('{% $spec.regions %}'),
      // Of the ten functions that a new account may run at once, half are left for other renewals.
      maxConcurrency: 5,
      assign: { deliveries: '{% $states.result %}' },
    })
      .itemProcessor(importCertificate)
      .addCatch(recordFailure, noted)
      .next(
        Choice.jsonata(this, 'Delivered everywhere?')
          .when(Condition.jsonata(`{% ${refused} and ${news} %}`), announce, firstRefusal)
          .when(Condition.jsonata(`{% ${refused} %}`), recordFailure, firstRefusal)
          // Who may read it has changed, and nothing else: whoever reloads a server when told is not told.
          .when(Condition.jsonata(`{% $known and $not(${imported}) %}`), recordQuietly)
          // A deployment waits for the end, and may make the server afterwards: the next fleet run looks.
          .when(Condition.jsonata('{% $count($spec.endpoints) > 0 and $not($deploy) %}'), recordAndLook)
          .otherwise(record),
      );
  }

  /**
   * Two ways with the same two states: whoever has no endpoints does not pay for the question. The look comes last, with no lease held,
   * since those who reload their servers do it when they are told. A third way announces nothing.
   */
  private success(
    recordFailure: IChainable,
  ): Record<'record' | 'recordAndLook' | 'recordQuietly' | 'look', IChainable> {
    const done = Succeed.jsonata(this, 'Done', {
      outputs: { current: '{% $current %}', deliveries: '{% $deliveries %}', served: '{% $served %}' },
    });
    const look = this.look(done);
    const record = (words: string, next: IChainable) =>
      this.rooms.check
        .step(this, `Record success${words}`, { step: 'recordSuccess', payload: { removed: '{% $removed %}' } })
        .addCatch(recordFailure, noted)
        .next(next);
    const recordAndTell = (words: string, next: IChainable) => {
      const announce = this.announce(`Announce${words}`, 'Certificate Renewed', renewed).addCatch(next);
      announce.next(next);
      return record(words, announce);
    };
    return {
      record: recordAndTell('', done),
      recordAndLook: recordAndTell(' before the look', look),
      recordQuietly: record(' quietly', done),
      look,
    };
  }

  /** The renewal has succeeded whatever is seen, and also when nobody can look: then the next fleet run does. */
  private look(done: IChainable): IChainable {
    const checkEndpoints = this.rooms.check
      .step(this, 'Check endpoints', {
        payload: { spec: '{% $spec %}', current: '{% $current %}', tries: '{% $endpointTries %}' },
        assign: { endpointTries: '{% $endpointTries + 1 %}', served: '{% $states.result.Payload.served %}' },
      })
      .addCatch(done);
    const wait = this.wait('Wait for the servers').next(checkEndpoints);
    const announce = this.announce('Announce not served', 'Certificate Not Served', {
      certificate: '{% $certificate %}',
      execution: '{% $states.context.Execution.Id %}',
      current: '{% $current %}',
      endpoints: '{% $states.input.endpoints %}',
      action:
        'Let each endpoint that is not served load the current certificate (reload it, or see how far its deployment is), and see that it can be reached. All are looked at again tomorrow.',
    }).addCatch(done);
    announce.next(done);
    return checkEndpoints.next(
      Choice.jsonata(this, 'All served?')
        .when(Condition.jsonata('{% $states.input.wait > 0 %}'), wait)
        // `null`: another version is current by now, and its own execution looks.
        .when(Condition.jsonata('{% $served = false %}'), announce)
        .otherwise(done),
    );
  }

  /**
   * Recorded and announced, then tried again when *Record failure* says so. Otherwise it ends in Fail: with what that says, or with the error
   * as it is where it cannot be asked.
   */
  private failures(): { readonly recordFailure: IChainable; readonly failAsIs: IChainable; readonly tryAgain: Wait } {
    const failed = Fail.jsonata(this, 'Failed', { error: '{% $failure.error %}', cause: '{% $failure.cause %}' });
    const failAsIs = Pass.jsonata(this, 'Read the error', { assign: { failure: failureAsIs } }).next(failed);
    const tryAgain = Wait.jsonata(this, 'Wait for the next try', {
      time: WaitTime.seconds('{% $failure.retryIn %}'),
      assign: { ...fresh, attempt: '{% $attempt + 1 %}' },
    });
    const again = Choice.jsonata(this, 'Try again?')
      .when(
        Condition.jsonata(
          `{% $type($failure.retryIn) = 'number' ? $failure.retryIn > 0 and $attempt < ${mostAttempts} : false %}`,
        ),
        tryAgain,
      )
      .otherwise(failed);
    const announce = this.announce('Announce failure', 'Certificate Renewal Failed', {
      certificate: '{% $certificate %}',
      execution: '{% $states.context.Execution.Id %}',
      attempt: '{% $attempt %}',
      reason: '{% $reason %}',
      error: '{% $failure.error %}',
      cause: '{% $failure.cause %}',
      problemType: '{% $failure.problemType %}',
      identifier: '{% $failure.identifier %}',
      action: '{% $failure.action %}',
      nextTry: '{% $failure.nextTry %}',
    }).addCatch(again);
    announce.next(again);
    const recordFailure = this.rooms.check
      .step(this, 'Record failure', {
        payload: {
          spec: '{% $spec %}',
          errorOutput: '{% $errorOutput %}',
          removed: '{% $removed %}',
          deploy: '{% $deploy %}',
          startedAt: '{% $startedAt %}',
        },
        retry: [settling],
        assign: { failure: '{% $states.result.Payload %}' },
      })
      .addCatch(failAsIs)
      .next(announce);
    return { recordFailure, failAsIs, tryAgain };
  }

  /** An event that others may wait for. If it cannot be told it is passed over. */
  private announce(name: string, detailType: string, detail: Readonly<Record<string, string>>): EventBridgePutEvents {
    const state = EventBridgePutEvents.jsonata(this, name, {
      entries: [{ source: 'perennial', detailType, detail: TaskInput.fromObject(detail) }],
      taskTimeout: Timeout.duration(Duration.seconds(10)),
    });
    state.addRetry(announcement);
    return state;
  }

  private wait(name: string): Wait {
    return Wait.jsonata(this, name, { time: WaitTime.seconds('{% $states.input.wait %}') });
  }
}

const reached = Condition.jsonata('{% $states.input.reached %}');
