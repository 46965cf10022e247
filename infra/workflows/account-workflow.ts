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
} from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { AccountRequest } from '../../lambdas/domain/contract/account-request.ts';
import { announce } from './announcement.ts';
import { failureAsIs, noted } from './error-output.ts';
import { caught, type Exit, exits, merged } from './exits.ts';
import { startRenewal } from './renewal-start.ts';
import { caUnavailable, renewalsInProgress, taken } from './retry-policies.ts';
import { Workflow } from './workflow.ts';
import type { WorkflowFunction } from './workflow-function.ts';

export interface AccountWorkflowProps {
  readonly name: string;
  readonly check: WorkflowFunction;
  readonly order: WorkflowFunction;
  readonly certificate: WorkflowFunction;
  readonly renewal: StateMachine;
}

const variables = {
  request: '{% $states.input %}',
  // For the log: the input may be of any shape.
  certificate: "{% $type($states.input.certificate) = 'string' ? $states.input.certificate : '' %}",
  resolved: '{% null %}',
  errorOutput: '{% null %}',
  failure: '{% null %}',
};

const run = { certificate: '{% $certificate %}', attempt: 1, order: '{% null %}' };

/**
 * What is done to accounts and certificates beside renewing them: registration with every issuer (a deployment starts it), a change
 * of an account's key, its deactivation, and revocation. Keys stay in the functions; a person gives names only:
 * `{"action": "rollOverKey", "issuer": "letsencrypt"}`. RFC 8555 §7.3, §7.6
 */
export class AccountWorkflow extends Construct {
  readonly workflow: Workflow;
  private readonly props: AccountWorkflowProps;

  /** Each action is a method with a start and named exits. They are connected here in the order in which they run. */
  constructor(scope: Construct, id: string, props: AccountWorkflowProps) {
    super(scope, id);
    this.props = props;
    const { check, order, certificate } = props;
    const resolve = check.step(this, 'Resolve account request', {
      payload: { request: '{% $request %}' },
      run,
      retry: [renewalsInProgress],
      assign: { resolved: '{% $states.result.Payload %}' },
    });
    const register = this.register();
    const rollOverKey = this.atIssuer('Roll over key');
    const deactivate = this.atIssuer('Deactivate account');
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
          .when(action('revoke'), revoke.start)
          .otherwise(register.start),
      );
    for (const each of [register, rollOverKey, deactivate, revoke]) {
      each.done.next(done);
      each.failed.next(failure.start);
    }
    resolve.addCatch(failure.start, noted);

    this.workflow = new Workflow(this, 'Workflow', {
      name: props.name,
      comment: 'Registers and deactivates accounts, changes their keys, revokes certificates',
      start,
      // Far above the ten minutes in which renewals are waited for and the retries of three steps.
      timeout: Duration.hours(1),
      functions: [check, order, certificate],
    });
  }

  /** One CA that refuses does not stop the others: its error comes up when all are through. */
  private register() {
    const registerAccount = this.props.order
      .step(this, 'Register account', { payload: { issuer: '{% $states.input %}' }, run, retry: [caUnavailable] })
      .addCatch(Pass.jsonata(this, 'Registration failed'), { outputs: '{% $states.errorOutput %}' });
    const registerAccounts = MapState.jsonata(this, 'Register accounts', {
      items: ProvideItems.jsonata('{% $resolved.issuers %}'),
      // The fleet starts with it after a deployment, and an account may run no more than ten functions at first.
      maxConcurrency: 2,
    }).itemProcessor(registerAccount);
    const registered = Pass.jsonata(this, 'Registered', {
      // Its output is a `RegistrationOutput`.
      outputs: { accounts: '{% $states.input %}', caa: '{% [$states.input.caa] %}' },
    });

    const allRegistered = Choice.jsonata(this, 'All registered?').otherwise(registered);
    registerAccounts.next(allRegistered);
    const refused: Exit = {
      next: (state) =>
        allRegistered.when(Condition.jsonata('{% $count($states.input[$exists(Error)]) > 0 %}'), state, {
          assign: { errorOutput: '{% ($states.input[$exists(Error)])[0] %}' },
        }),
    };
    return {
      start: registerAccounts,
      done: registered,
      failed: merged(caught([registerAccounts], noted), refused),
    };
  }

  private atIssuer(name: string) {
    const payload = { issuer: '{% $resolved.issuer %}' };
    const step = this.props.order.step(this, name, { payload, run, retry: [caUnavailable] });
    return { start: step, done: step, failed: caught([step], noted) };
  }

  /** What was revoked is replaced at once: a forced renewal, which also delivers. */
  private revoke() {
    const revokeCertificate = this.props.certificate.step(this, 'Revoke certificate', {
      payload: {
        spec: '{% $resolved.spec %}',
        versionId: '{% $resolved.versionId %}',
        reason: '{% $resolved.reason %}',
      },
      run,
      retry: [caUnavailable],
    });
    const renewal = startRenewal(this, this.props.renewal, {
      name: '{% $resolved.executionName %}',
      input: { certificate: '{% $certificate %}', force: true },
      outputs: "{% $merge([$states.input, { 'renewal': $states.result.ExecutionArn }]) %}",
    });

    const renew = Choice.jsonata(this, 'Renew?').when(Condition.jsonata('{% $states.input.renew %}'), renewal);
    revokeCertificate.next(renew);
    const notRenewed: Exit = { next: (state) => renew.otherwise(state) };
    const starting = exits({
      // Its name is of this execution: whoever has it was started by an earlier try of this very state.
      started: (next) => renewal.addCatch(next, { errors: [taken] }).next(next),
      failed: (next) => renewal.addCatch(next, noted),
    });
    return {
      start: revokeCertificate,
      done: merged(notRenewed, starting.started),
      failed: merged(caught([revokeCertificate], noted), starting.failed),
    };
  }

  /** Told to others too: nobody looks at what a deployment starts. */
  private failure() {
    const readError = Pass.jsonata(this, 'Read error', { assign: { failure: failureAsIs } });
    const announceFailure = announce(this, 'Announce failure', 'Certificate Account Request Failed', {
      request: '{% $request %}',
      execution: '{% $states.context.Execution.Id %}',
      error: '{% $failure.error %}',
      cause: '{% $failure.cause %}',
    });
    const failed = Fail.jsonata(this, 'Failed', { error: '{% $failure.error %}', cause: '{% $failure.cause %}' });
    announceFailure.addCatch(failed);
    readError.next(announceFailure).next(failed);
    return { start: readError };
  }
}
