import { Duration } from 'aws-cdk-lib';
import { Choice, Condition, Fail, Pass, type StateMachine, Succeed } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { AccountRequest } from '../../../lambdas/domain/contract/account-request.ts';
import { detailTypes } from '../../../lambdas/domain/contract/events.ts';
import { announce } from '../announcement.ts';
import { failureFromError, keepError } from '../error-output.ts';
import { caught } from '../exits.ts';
import { caUnavailable } from '../retry-policies.ts';
import { Workflow } from '../workflow.ts';
import type { WorkflowFunction } from '../workflow-function.ts';
import { atIssuer, run, variables } from './account-variables.ts';
import { registrationPhase } from './registration-phase.ts';
import { revocationPhase } from './revocation-phase.ts';
import { rolloverPhase } from './rollover-phase.ts';

export interface AccountWorkflowProps {
  /** Name of the state machine. */
  readonly name: string;
  readonly fleet: WorkflowFunction;
  readonly check: WorkflowFunction;
  readonly order: WorkflowFunction;
  readonly certificate: WorkflowFunction;
  readonly renewal: StateMachine;
  readonly fleetWorkflow: StateMachine;
}

/**
 * Cause of the failure. After a registration it begins with the names of the issuers. After a revocation it ends with the version of the secret, because
 * another version may be current when the operator starts the revocation again.
 */
const cause = `{%
  ($count($withoutAccount) > 0 ? 'There is no usable account at ' & $join($withoutAccount.issuer, ', ') & '. ' : '') &
  $failure.cause &
  ($type($resolved.versionId) = 'string' and $failure.error != 'UnreadableSecretError'
    ? ' Start the revocation again with this versionId: ' & $resolved.versionId & '.' : '')
%}`.replaceAll(/\n\s*/g, ' ');

/**
 * The accounts workflow. It registers an account with every issuer, changes the key of an account, deactivates an account, returns the link of a CA
 * that ends its pause, pauses the renewals of a certificate, or revokes a certificate. Each deployment starts the registration. Keys stay in the
 * functions, and the operator gives names only, such as `{"action": "rollOverKey", "issuer": "letsencrypt"}`. RFC 8555 §7.3, §7.6
 */
export class AccountWorkflow extends Construct {
  readonly workflow: Workflow;
  private readonly props: AccountWorkflowProps;

  /** Connects the actions in the order in which they run. Each action returns a start and named exits. */
  constructor(scope: Construct, id: string, props: AccountWorkflowProps) {
    super(scope, id);
    this.props = props;
    const resolve = props.check.step(this, 'Resolve account request', {
      payload: { request: '{% $request %}' },
      run,
      assign: { resolved: '{% $states.result.Payload %}' },
    });
    const register = registrationPhase(this, props);
    const rollOverKey = rolloverPhase(this, props);
    const deactivate = this.single('Deactivate account', atIssuer);
    const accountLink = this.single('Read account link', { spec: '{% $resolved.spec %}' });
    const setPause = this.setPause();
    const revoke = revocationPhase(this, props);
    const failure = this.failure();
    const done = Succeed.jsonata(this, 'Done');

    const action = (name: AccountRequest['action']) => Condition.jsonata(`{% $resolved.action = '${name}' %}`);
    const start = Pass.jsonata(this, 'Start', { assign: variables })
      .next(resolve)
      .next(
        Choice.jsonata(this, 'Which action?')
          .when(action('rollOverKey'), rollOverKey.start)
          .when(action('deactivate'), deactivate.start)
          .when(action('accountLink'), accountLink.start)
          .when(action('pause'), setPause.start)
          .when(action('resume'), setPause.start)
          .when(action('revoke'), revoke.start)
          .otherwise(register.start),
      );
    for (const each of [register, rollOverKey, deactivate, accountLink, setPause, revoke]) {
      each.done.next(done);
      each.failed.next(failure.start);
    }
    resolve.addCatch(failure.start, keepError);

    this.workflow = new Workflow(this, 'Workflow', {
      name: props.name,
      comment:
        'Registers and deactivates accounts, changes their keys, returns links of CAs, and pauses and revokes certificates',
      start,
      // The longest revocation takes 2 h 45 min. It waits 10 min for a renewal in progress. It then revokes twice, 15 min apart. Each time takes up to
      // four attempts of 15 min, and 10 min for a CA that issues.
      timeout: Duration.hours(3),
    });
  }

  /** Runs one step. Its result is the output of the execution, which is in no log. */
  private single(name: string, payload: Readonly<Record<string, string>>) {
    const step = this.props.order.step(this, name, { payload, run, retry: [caUnavailable] });
    return { start: step, done: step, failed: caught([step], keepError) };
  }

  /** Pauses the renewals of a certificate until a time, or ends the pause. */
  private setPause() {
    const step = this.props.check.step(this, 'Set pause', { payload: { until: '{% $resolved.until %}' }, run });
    return { start: step, done: step, failed: caught([step], keepError) };
  }

  /** Publishes the failure and ends the execution. Without the event a failure after a deployment would not be noticed. */
  private failure() {
    const readError = Pass.jsonata(this, 'Read error', { assign: { failure: failureFromError } });
    const announceFailure = announce(this, 'Announce failure', detailTypes.accountRequestFailed, {
      request: '{% $request %}',
      execution: '{% $states.context.Execution.Id %}',
      error: '{% $failure.error %}',
      cause,
      issuers: '{% $withoutAccount %}',
    });
    const failed = Fail.jsonata(this, 'Failed', { error: '{% $failure.error %}', cause });
    announceFailure.addCatch(failed);
    readError.next(announceFailure).next(failed);
    return { start: readError };
  }
}
