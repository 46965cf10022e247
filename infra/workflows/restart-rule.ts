import { Duration, Names, Stack, Validations } from 'aws-cdk-lib';
import { EventField, Match, Rule, RuleTargetInput } from 'aws-cdk-lib/aws-events';
import { SfnStateMachine } from 'aws-cdk-lib/aws-events-targets';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { errorNames } from './retry-policies.ts';

export interface RestartRuleProps {
  readonly renewal: StateMachine;
}

/**
 * Restarts a renewal that was stopped, timed out, failed inside Step Functions, or began before a deployment that replaced its functions. Such an
 * execution could not clean up. The restart begins within seconds. Its input is `{"restartOf": its ARN}`, and *Check renewal* reads the input of the
 * interrupted execution. EventBridge cannot pass that input, because it does not escape the quotes in it. The restart removes leftover TXT values and
 * resumes the saved order.
 *
 * Failures with another error name of this project do not match, because they are recorded and retried. An interrupted restart is left to the
 * next fleet run, so that a cause that interrupts every execution does not start one after the other.
 */
export class RestartRule extends Construct {
  readonly rule: Rule;

  constructor(scope: Construct, id: string, { renewal }: RestartRuleProps) {
    super(scope, id);
    const stack = Stack.of(this);
    // The rule needs the ARN of the role, and the role names the rule. So the name is literal text. A rule has at most 64 characters.
    const ruleName = Names.uniqueResourceName(this, { maxLength: 64, separator: '-', allowedSpecialCharacters: '-' });
    const ruleArn = stack.formatArn({ service: 'events', resource: 'rule', resourceName: ruleName });
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('events.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': stack.account, 'aws:SourceArn': ruleArn } },
      }),
    });
    this.rule = new Rule(this, 'Rule', {
      ruleName,
      description: 'Restarts a renewal that was interrupted before it could clean up',
      eventPattern: {
        source: ['aws.states'],
        detailType: ['Step Functions Execution Status Change'],
        detail: {
          stateMachineArn: [renewal.stateMachineArn],
          // Excludes restarts, whose input begins like the template below. An event has the input as it was given to StartExecution.
          input: Match.anythingButPrefix('{"restartOf"'),
          $or: [
            { status: ['ABORTED', 'TIMED_OUT'] },
            // The workflow itself never ends with an error that begins with `States.`.
            {
              status: ['FAILED'],
              error: Match.anyOf(
                Match.prefix('States.'),
                Match.nullValue(),
                Match.doesNotExist(),
                errorNames('FunctionsReplacedError')[0],
              ),
            },
          ],
        },
      },
      targets: [
        new SfnStateMachine(renewal, {
          role,
          input: RuleTargetInput.fromObject({ restartOf: EventField.fromPath('$.detail.executionArn') }),
          // After this time the next fleet run has found the saved order.
          maxEventAge: Duration.hours(6),
          retryAttempts: 10,
        }),
      ],
    });
    Validations.of(this.rule).acknowledge({
      id: 'Serverless-EventBusDLQ',
      reason:
        'The ledger has the saved order and the TXT values that are still in DNS, so the next fleet run starts a renewal that this rule did not start.',
    });
  }
}
