import { Duration } from 'aws-cdk-lib';
import {
  Choice,
  Condition,
  Fail,
  Map as MapState,
  Pass,
  ProvideItems,
  type StateMachine,
  Succeed,
  Timeout,
} from 'aws-cdk-lib/aws-stepfunctions';
import { StepFunctionsStartExecution } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import { Construct } from 'constructs';
import type { AccountRequest } from '../../lambdas/domain/contract/account-request.ts';
import { detailTypes } from '../../lambdas/domain/contract/events.ts';
import { announce } from './announcement.ts';
import { failureFromError, keepError } from './error-output.ts';
import { caught, type Exit, exits, merged } from './exits.ts';
import { startRenewal } from './renewal-start.ts';
import { requestedCertificate } from './requested-certificate.ts';
import { caUnavailable, executionExists, renewalsInProgress, startExecutionRetries } from './retry-policies.ts';
import { Workflow } from './workflow.ts';
import type { WorkflowFunction } from './workflow-function.ts';

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

const variables = {
  request: '{% $states.input %}',
  // For the log.
  certificate: requestedCertificate,
  resolved: '{% null %}',
  revocation: '{% null %}',
  rollover: '{% null %}',
  errorOutput: '{% null %}',
  failure: '{% null %}',
  // The issuers where the registration failed, each with the name of the error.
  withoutAccount: [],
};

const run = { certificate: '{% $certificate %}', attempt: 1, order: '{% null %}' };

/**
 * Cause of the failure. After a registration it begins with the names of the issuers. After a revocation it ends with the version of the secret, because
 * another version may be current when the operator starts the revocation again.
 */
const cause = `{%
  ($count($withoutAccount) > 0 ? 'There is no usable account at ' & $join($withoutAccount.issuer, ', ') & '. ' : '') &
  $failure.cause &
  ($type($resolved.versionId) = 'string' ? ' Start the revocation again with this versionId: ' & $resolved.versionId & '.' : '')
%}`.replaceAll(/\n\s*/g, ' ');

/** Expression that tells whether a variable was set. */
const isObject = (variable: string): string => `$type($${variable}) = 'object'`;

const atIssuer = { issuer: '{% $resolved.issuer %}' };

/**
 * The accounts workflow. It registers an account with every issuer, changes the key of an account, deactivates an account, returns the link
 * that ends a pause, or revokes a certificate. Each deployment starts the registration. Keys stay in the functions, and the operator gives names only, such as
 * `{"action": "rollOverKey", "issuer": "letsencrypt"}`. RFC 8555 §7.3, §7.6
 */
export class AccountWorkflow extends Construct {
  readonly workflow: Workflow;
  private readonly props: AccountWorkflowProps;

  /** Connects the actions in the order in which they run. Each action is a method that returns a start and named exits. */
  constructor(scope: Construct, id: string, props: AccountWorkflowProps) {
    super(scope, id);
    this.props = props;
    const resolve = props.check.step(this, 'Resolve account request', {
      payload: { request: '{% $request %}' },
      run,
      assign: { resolved: '{% $states.result.Payload %}' },
    });
    const register = this.register();
    const rollOverKey = this.rollOverKey();
    const deactivate = this.single('Deactivate account', atIssuer);
    const accountLink = this.single('Read account link', { spec: '{% $resolved.spec %}' });
    const setPause = this.setPause();
    const revoke = this.revoke();
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
      // Much longer than the wait for renewals in progress (10 min) and the retries of all steps together.
      timeout: Duration.hours(1),
    });
  }

  /**
   * Registers an account with every issuer. If a CA rejects a registration, the others still run. The execution then fails with the first
   * error, and names every issuer without an account. So a fallback without an account is noticed before it is needed.
   */
  private register() {
    const registerAccount = this.props.order
      .step(this, 'Register account', { payload: { issuer: '{% $states.input %}' }, run, retry: [caUnavailable] })
      .addCatch(Pass.jsonata(this, 'Registration failed'), {
        outputs: "{% $merge([$states.errorOutput, { 'issuer': $states.input.name }]) %}",
      });
    const registerAccounts = MapState.jsonata(this, 'Register accounts', {
      items: ProvideItems.jsonata('{% $resolved.issuers %}'),
      // Renewals may run at the same time, and a new AWS account may run only ten functions at once.
      maxConcurrency: 2,
    }).itemProcessor(registerAccount);
    const registered = Pass.jsonata(this, 'Registered', {
      // The output is a `RegistrationOutput`.
      outputs: { accounts: '{% $states.input %}', caa: '{% [$states.input.caa] %}' },
    });

    const allRegistered = Choice.jsonata(this, 'All registered?').otherwise(registered);
    registerAccounts.next(allRegistered);
    const registrationFailed: Exit = {
      next: (state) =>
        allRegistered.when(Condition.jsonata('{% $count($states.input[$exists(Error)]) > 0 %}'), state, {
          assign: {
            errorOutput: '{% ($states.input[$exists(Error)])[0] %}',
            withoutAccount: "{% [$states.input[$exists(Error)].{ 'issuer': issuer, 'error': Error }] %}",
          },
        }),
    };
    return {
      start: registerAccounts,
      done: registered,
      failed: merged(caught([registerAccounts], keepError), registrationFailed),
    };
  }

  /** Runs one step. Its result is the output of the execution, which is in no log. */
  private single(name: string, payload: Readonly<Record<string, string>>) {
    const step = this.props.order.step(this, name, { payload, run, retry: [caUnavailable] });
    return { start: step, done: step, failed: caught([step], keepError) };
  }

  /**
   * Changes the key of an account. The execution holds the lease of the fleet meanwhile, so that no fleet run starts a renewal that signs with the old
   * key. A fleet run or a renewal in progress delays it by ten minutes at most. The lease is released on every path. If a fleet run began in the
   * meantime, it has ended as "already running", so another one is started.
   */
  private rollOverKey() {
    const { fleet, order } = this.props;
    const holdLease = fleet.step(this, 'Hold fleet lease', { payload: atIssuer, run, retry: [renewalsInProgress] });
    const rollOverKey = order.step(this, 'Roll over key', {
      payload: atIssuer,
      run,
      retry: [caUnavailable],
      assign: { rollover: '{% $states.result.Payload %}' },
    });
    const freeLease = fleet.step(this, 'Free fleet lease', { payload: {}, run });
    const startFleet = this.startFleet();
    const changed = Choice.jsonata(this, 'Key changed?');
    const requested = Choice.jsonata(this, 'Selection requested?')
      .when(Condition.jsonata('{% $states.input.selectionRequested = true %}'), startFleet)
      .otherwise(changed);

    holdLease.addCatch(freeLease, keepError).next(rollOverKey);
    rollOverKey.addCatch(freeLease, keepError).next(freeLease);
    // The lease of an execution that has ended is free, and the schedule starts a fleet run later.
    freeLease.addCatch(changed).next(requested);
    startFleet.addCatch(changed).next(changed);
    const ended = exits({
      failed: (next) => changed.when(Condition.jsonata(`{% ${isObject('errorOutput')} %}`), next),
      done: (next) =>
        changed.otherwise(Pass.jsonata(this, 'Key rolled over', { outputs: '{% $rollover %}' }).next(next)),
    });
    return { start: holdLease, ...ended };
  }

  private startFleet() {
    const state = StepFunctionsStartExecution.jsonata(this, 'Start fleet', {
      stateMachine: this.props.fleetWorkflow,
      outputs: '{% {} %}',
      taskTimeout: Timeout.duration(Duration.seconds(30)),
    });
    for (const policy of startExecutionRetries) state.addRetry(policy);
    return state;
  }

  /** Pauses the renewals of a certificate until a time, or ends the pause. */
  private setPause() {
    const step = this.props.check.step(this, 'Set pause', { payload: { until: '{% $resolved.until %}' }, run });
    return { start: step, done: step, failed: caught([step], keepError) };
  }

  /**
   * Revokes a certificate. If it was the current one, a forced renewal replaces and delivers it.
   *
   * A compromised key is marked first, so that no renewal uses it from then on. The revocation then holds the lease of the certificate, so that no
   * renewal stores a certificate with this key between the list of versions and their revocation. A renewal in progress delays it by ten minutes at
   * most, and so does a CA that is issuing a certificate with this key. The lease is released before the renewal is started.
   */
  private revoke() {
    const { check, certificate } = this.props;
    const versionId = '{% $resolved.versionId %}';
    const markCompromisedKey = certificate.step(this, 'Mark compromised key', { payload: { versionId }, run });
    const takeLease = check.step(this, 'Take lease', { payload: {}, run, retry: [renewalsInProgress] });
    const revokeCertificate = certificate.step(this, 'Revoke certificate', {
      payload: { spec: '{% $resolved.spec %}', versionId, reason: '{% $resolved.reason %}' },
      run,
      retry: [caUnavailable, renewalsInProgress],
      assign: { revocation: '{% $states.result.Payload %}' },
    });
    const releaseLease = check.step(this, 'Release lease', { payload: {}, run });
    const replacement = this.replacement();

    const start = Choice.jsonata(this, 'Key compromised?')
      .when(Condition.jsonata("{% $resolved.reason = 'keyCompromise' %}"), markCompromisedKey)
      .otherwise(takeLease);
    markCompromisedKey.next(takeLease);
    // After ten minutes, or if the lease cannot be taken at all.
    takeLease.addCatch(revokeCertificate).next(revokeCertificate);
    revokeCertificate.addCatch(releaseLease, keepError).next(releaseLease);
    // The lease of an execution that has ended is free, so a failed release is no reason to fail.
    releaseLease.addCatch(replacement.start).next(replacement.start);
    return {
      start,
      done: replacement.done,
      failed: merged(caught([markCompromisedKey], keepError), replacement.failed),
    };
  }

  /**
   * Starts the renewal that replaces a revoked certificate, if it was the current one. A compromised key is replaced also if its revocation has failed.
   * The renewal then is not forced, because the ledger tells whether the current certificate has the key.
   */
  private replacement() {
    const renewal = startRenewal(this, this.props.renewal, {
      name: '{% $resolved.executionName %}',
      input: { certificate: '{% $certificate %}', force: `{% ${isObject('revocation')} %}` },
      outputs: "{% { 'renewal': $states.result.ExecutionArn } %}",
    });
    const isDue = `${isObject('revocation')} ? $revocation.renew : $resolved.reason = 'keyCompromise'`;
    const revoked = Pass.jsonata(this, 'Revoked', {
      outputs: "{% $merge([$revocation, $states.input.renewal ? { 'renewal': $states.input.renewal } : {}]) %}",
    });
    const revocationFailed = Choice.jsonata(this, 'Revocation failed?').otherwise(revoked);
    const start = Choice.jsonata(this, 'Renew?')
      .when(Condition.jsonata(`{% ${isDue} %}`), renewal)
      .otherwise(revocationFailed);
    // The name is derived from this execution, so an existing renewal of this name was started by an earlier attempt of this state.
    renewal.addCatch(revocationFailed, { errors: [executionExists] }).next(revocationFailed);
    const failed: Exit = {
      next: (state) => revocationFailed.when(Condition.jsonata(`{% ${isObject('errorOutput')} %}`), state),
    };
    return { start, done: revoked, failed: merged(failed, caught([renewal], keepError)) };
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
