import { Duration } from 'aws-cdk-lib';
import {
  Choice,
  Condition,
  Fail,
  type IChainable,
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

  constructor(scope: Construct, id: string, props: AccountWorkflowProps) {
    super(scope, id);
    this.props = props;
    const { check, order, certificate } = props;
    const fail = this.failure();
    const done = Succeed.jsonata(this, 'Done');

    const resolve = check
      .step(this, 'Resolve account request', {
        payload: { request: '{% $request %}' },
        run,
        retry: [renewalsInProgress],
        assign: { resolved: '{% $states.result.Payload %}' },
      })
      .addCatch(fail, noted);
    const atIssuer = (name: string) => {
      const step = order
        .step(this, name, { payload: { issuer: '{% $resolved.issuer %}' }, run, retry: [caUnavailable] })
        .addCatch(fail, noted);
      step.next(done);
      return step;
    };

    const action = (name: AccountRequest['action']) => Condition.jsonata(`{% $resolved.action = '${name}' %}`);
    this.workflow = new Workflow(this, 'Workflow', {
      name: props.name,
      comment: 'Registers and deactivates accounts, changes their keys, revokes certificates',
      start: Pass.jsonata(this, 'Start', { assign: variables })
        .next(resolve)
        .next(
          Choice.jsonata(this, 'Which action?')
            .when(action('rollOverKey'), atIssuer('Roll over key'))
            .when(action('deactivate'), atIssuer('Deactivate account'))
            .when(action('revoke'), this.revoke(fail, done))
            .otherwise(this.register(fail, done)),
        ),
      // Far above the ten minutes in which renewals are waited for and the retries of three steps.
      timeout: Duration.hours(1),
      functions: [check, order, certificate],
    });
  }

  /** Told to others too: nobody looks at what a deployment starts. */
  private failure(): IChainable {
    const failed = Fail.jsonata(this, 'Failed', { error: '{% $failure.error %}', cause: '{% $failure.cause %}' });
    const told = announce(this, 'Announce failure', 'Certificate Account Request Failed', {
      request: '{% $request %}',
      execution: '{% $states.context.Execution.Id %}',
      error: '{% $failure.error %}',
      cause: '{% $failure.cause %}',
    }).addCatch(failed);
    return Pass.jsonata(this, 'Read the error', { assign: { failure: failureAsIs } })
      .next(told)
      .next(failed);
  }

  /** One CA that refuses does not stop the others: its error comes up when all are through. */
  private register(fail: IChainable, done: IChainable): IChainable {
    const registerAccount = this.props.order
      .step(this, 'Register account', { payload: { issuer: '{% $states.input %}' }, run, retry: [caUnavailable] })
      .addCatch(Pass.jsonata(this, 'Not registered'), { outputs: '{% $states.errorOutput %}' });
    const registered = Pass.jsonata(this, 'Registered', {
      // Its output is a `RegistrationOutput`.
      outputs: { accounts: '{% $states.input %}', caa: '{% [$states.input.caa] %}' },
    });
    registered.next(done);
    return MapState.jsonata(this, 'Register accounts', {
      items: ProvideItems.jsonata('{% $resolved.issuers %}'),
      // The fleet starts with it after a deployment, and an account may run no more than ten functions at first.
      maxConcurrency: 2,
    })
      .itemProcessor(registerAccount)
      .addCatch(fail, noted)
      .next(
        Choice.jsonata(this, 'All registered?')
          .when(Condition.jsonata('{% $count($states.input[$exists(Error)]) > 0 %}'), fail, {
            assign: { errorOutput: '{% ($states.input[$exists(Error)])[0] %}' },
          })
          .otherwise(registered),
      );
  }

  /** What was revoked is replaced at once: a forced renewal, which also delivers. */
  private revoke(fail: IChainable, done: IChainable): IChainable {
    const revokeCertificate = this.props.certificate
      .step(this, 'Revoke certificate', {
        payload: {
          spec: '{% $resolved.spec %}',
          versionId: '{% $resolved.versionId %}',
          reason: '{% $resolved.reason %}',
        },
        run,
        retry: [caUnavailable],
      })
      .addCatch(fail, noted);
    const renewal = startRenewal(this, this.props.renewal, {
      name: '{% $resolved.executionName %}',
      input: { certificate: '{% $certificate %}', force: true },
      outputs: "{% $merge([$states.input, { 'renewal': $states.result.ExecutionArn }]) %}",
    });
    // Its name is of this execution: whoever has it was started by an earlier try of this very state.
    renewal
      .addCatch(done, { errors: [taken] })
      .addCatch(fail, noted)
      .next(done);
    return revokeCertificate.next(
      Choice.jsonata(this, 'Replace it?').when(Condition.jsonata('{% $states.input.renew %}'), renewal).otherwise(done),
    );
  }
}
