import { Duration } from 'aws-cdk-lib';
import { Pass, Succeed } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { Workflow } from '../workflow.ts';
import type { WorkflowFunction } from '../workflow-function.ts';
import { check } from './check-phase.ts';
import { delivery } from './delivery-phase.ts';
import { endpoints } from './endpoints-phase.ts';
import { failure } from './failure-phase.ts';
import { issuance } from './issuance-phase.ts';
import { orderAndProof } from './order-phase.ts';
import { success } from './record-phase.ts';
import { zones } from './zones-phase.ts';

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
 * One certificate, in the order of RFC 8555 §7.1: is it due, order, proof, clean up, finalize, store, deliver, record, announce; then a
 * look at its servers. What fails is tried again from the beginning, which finds what is saved and carries on from there.
 * Started by the fleet, by a person with `{"certificate": "www"}` or `{"certificate": "www", "force": true}`, or in place of an
 * execution that was stopped (`restart-rule.ts`).
 */
export class RenewalWorkflow extends Construct {
  readonly workflow: Workflow;

  /** Each part is a file of `renewal-workflow/`. They are made from the end, because each names what follows it: read upwards. */
  constructor(scope: Construct, id: string, props: RenewalWorkflowProps) {
    super(scope, id);
    const { recordFailure, failAsIs, tryAgain } = failure(this, props, fresh);
    const done = Succeed.jsonata(this, 'Done', {
      outputs: { current: '{% $current %}', deliveries: '{% $deliveries %}', served: '{% $served %}' },
    });
    const look = endpoints(this, props, { done });
    const recorded = success(this, props, { recordFailure, look, done });
    const deliver = delivery(this, props, { recordFailure, ...recorded });
    const finalize = issuance(this, props, { recordFailure, deliver });
    const { orderSaved, orderGone } = orderAndProof(this, props, { recordFailure, finalize });
    const issue = zones(this, props, { orderSaved });
    const checkRenewal = check(this, props, { failAsIs, recordFailure, issue, deliver, look });
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
}
