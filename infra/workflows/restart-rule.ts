import { Duration, Validations } from 'aws-cdk-lib';
import { EventField, Match, Rule, RuleTargetInput } from 'aws-cdk-lib/aws-events';
import { SfnStateMachine } from 'aws-cdk-lib/aws-events-targets';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';

export interface RestartRuleProps {
  readonly renewal: StateMachine;
}

/**
 * A renewal that was stopped, ran out of time or broke inside Step Functions could not clean up: it is started again, within seconds, as
 * `{"restartOf": its ARN, "input": "its input"}`, takes away what was left in DNS and carries on from the saved order. Failures under a
 * name of ours have been recorded, and come again by themselves. A restart that dies is left to the fleet: a cause that kills every run
 * must not start one after the other.
 */
export class RestartRule extends Construct {
  constructor(scope: Construct, id: string, { renewal }: RestartRuleProps) {
    super(scope, id);
    const role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('events.amazonaws.com') });
    const rule = new Rule(this, 'Rule', {
      description: 'Starts a renewal again that was stopped before it could clean up',
      eventPattern: {
        source: ['aws.states'],
        detailType: ['Step Functions Execution Status Change'],
        detail: {
          stateMachineArn: [renewal.stateMachineArn],
          // As the template below begins. An input is the text that was given to StartExecution.
          input: Match.anythingButPrefix('{"restartOf"'),
          $or: [
            { status: ['ABORTED', 'TIMED_OUT'] },
            // What the workflow ends under never begins like this.
            { status: ['FAILED'], error: Match.prefix('States.') },
          ],
        },
      },
      targets: [
        new SfnStateMachine(renewal, {
          role,
          // EventBridge puts the input in as a JSON string, quotes escaped, since no quotes stand around it in the template.
          input: RuleTargetInput.fromObject({
            restartOf: EventField.fromPath('$.detail.executionArn'),
            input: EventField.fromPath('$.detail.input'),
          }),
          // Later than this the next fleet run has seen the saved order.
          maxEventAge: Duration.hours(6),
          retryAttempts: 10,
        }),
      ],
    });
    Validations.of(rule).acknowledge({
      id: 'Serverless-EventBusDLQ',
      reason:
        'The saved order and the values left in DNS are in the ledger: the next fleet run starts what was not started here.',
    });
  }
}
