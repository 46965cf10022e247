import { Duration } from 'aws-cdk-lib';
import { Pass, Succeed } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { requestedCertificate } from '../requested-certificate.ts';
import { Workflow } from '../workflow.ts';
import type { WorkflowFunction } from '../workflow-function.ts';
import { checkPhase } from './check-phase.ts';
import { deliveryPhase } from './delivery-phase.ts';
import { endpointsPhase } from './endpoints-phase.ts';
import { failurePhase } from './failure-phase.ts';
import { issuancePhase } from './issuance-phase.ts';
import { orderPhase } from './order-phase.ts';
import { proofPhase } from './proof-phase.ts';
import { recordPhase } from './record-phase.ts';
import { secretPhase } from './secret-phase.ts';
import { zonesPhase } from './zones-phase.ts';

export interface RenewalWorkflowProps {
  /** Name of the state machine. */
  readonly name: string;
  readonly check: WorkflowFunction;
  readonly order: WorkflowFunction;
  readonly challenge: WorkflowFunction;
  readonly certificate: WorkflowFunction;
  readonly delivery: WorkflowFunction;
  /** Time between two fleet runs. */
  readonly interval: Duration;
}

/** Variables that every attempt begins with. */
const attemptVariables = {
  reason: "{% '' %}",
  cleaned: false,
  waitStarts: {},
  discardedOrder: '{% null %}',
  resumed: false,
  finalizedAt: '{% null %}',
  spec: '{% null %}',
  current: '{% null %}',
  announced: '{% null %}',
  challengeZones: [],
  zoneServers: {},
  account: '{% null %}',
  replaces: '{% null %}',
  order: '{% null %}',
  leftovers: [],
  unremovable: [],
  reportDue: false,
  reported: [],
  challenges: [],
  records: [],
  removed: [],
  deliveries: [],
  endpointTries: 0,
  served: '{% null %}',
  errorOutput: '{% null %}',
  failure: '{% null %}',
};

/** All variables of the outer scope. They are set at the start, so that a state can read each of them on every path. */
const variables = {
  request: '{% $states.input %}',
  // For the log and the event, until *Check renewal* has read the input.
  certificate: requestedCertificate,
  attempt: 1,
  startedAt: '{% $now() %}',
  // Whether a deployment waits. *Record failure* uses it, and may run before *Check renewal* has read the input.
  deploy: "{% $type($states.input.deploy) = 'boolean' ? $states.input.deploy : false %}",
  ...attemptVariables,
};

/**
 * The renewal workflow for one certificate, in the order of RFC 8555 §7.1. It checks whether the renewal is due, orders, proves control,
 * removes the TXT values, finalizes, stores, delivers, publishes the event, records the success, and checks the endpoints. A failed attempt is
 * retried from the beginning and resumes what is saved.
 *
 * The fleet starts it. The operator can start it with `{"certificate": "www"}` or `{"certificate": "www", "force": true}`. The restart rule
 * (`restart-rule.ts`) starts it in place of an execution that was interrupted.
 */
export class RenewalWorkflow extends Construct {
  readonly workflow: Workflow;

  /** Connects the phases in the order in which they run. Each phase is a file of this folder that returns a start and named exits. */
  constructor(scope: Construct, id: string, props: RenewalWorkflowProps) {
    super(scope, id);
    const check = checkPhase(this, props);
    const zones = zonesPhase(this, props);
    const order = orderPhase(this, props);
    const proof = proofPhase(this, props);
    const issuance = issuancePhase(this, props);
    const secret = secretPhase(this, props);
    const delivery = deliveryPhase(this, props);
    const record = recordPhase(this, props);
    const endpoints = endpointsPhase(this, props);
    const failure = failurePhase(this, props, attemptVariables);
    const done = Succeed.jsonata(this, 'Done', {
      outputs: { current: '{% $current %}', deliveries: '{% $deliveries %}', served: '{% $served %}' },
    });

    const start = Pass.jsonata(this, 'Start', { assign: variables }).next(check.start);
    check.issue.next(zones.start);
    check.resume.next(zones.forSavedOrder);
    check.repair.next(secret.repair);
    check.deliver.next(delivery.start);
    check.share.next(secret.share);
    check.checkEndpoints.next(endpoints.start);

    zones.checked.next(order.start);
    zones.checkedForSavedOrder.next(order.checkOrder);

    order.prove.next(proof.start);
    order.proven.next(issuance.start);
    order.finish.next(proof.cleanUp);
    order.discarded.next(check.start);

    proof.proven.next(issuance.start);
    issuance.stored.next(delivery.start);
    secret.repaired.next(delivery.start);
    delivery.delivered.next(record.start);
    // The tags of the secret have usually changed too.
    delivery.tagged.next(secret.share);
    // No server has to be reloaded for a change of tags, readers or replicas, so no event is published.
    secret.shared.next(record.recordSuccess);
    record.checkEndpoints.next(endpoints.start);
    record.done.next(done);
    endpoints.done.next(done);

    for (const phase of [check, zones, order, proof, issuance, secret, delivery, record])
      phase.failed.next(failure.start);
    check.badInput.next(failure.readError);
    failure.waitForNextAttempt.next(check.start);

    this.workflow = new Workflow(this, 'Workflow', {
      name: props.name,
      comment: 'Renews one certificate',
      start,
      // Longer than all waits together. Four attempts wait 4 × (2 h for the same names + 1 h for DNS and the CA), and 3 × 2 h between them,
      // which makes 18 h. The wait for the renewal time lasts one interval of the fleet and its flexible window of an hour. The rest is for
      // retries in place. The restart rule restarts an execution that times out, and the restart cleans up and resumes.
      timeout: Duration.days(2).plus(props.interval),
    });
  }
}
