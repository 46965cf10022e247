import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Schedule, ScheduleExpression, ScheduleGroup, TimeWindow } from 'aws-cdk-lib/aws-scheduler';
import { StepFunctionsStartExecution } from 'aws-cdk-lib/aws-scheduler-targets';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { flexibleWindow } from '../../lambdas/domain/rules/renewal/renewal-info.ts';

/** Returns the schedule that starts the fleet workflow, and its group. `interval` is the time between two runs, in whole minutes. */
export function scheduleFleet(scope: Construct, fleet: StateMachine, interval: Duration) {
  // By default the group stays when the stack is deleted or its first deployment fails. Its name would then block the next deployment.
  const group = new ScheduleGroup(scope, 'Schedules', { removalPolicy: RemovalPolicy.DESTROY });
  // Without a role, the CDK would make one in the stack, where tags and aspects of the construct do not reach it.
  const role = new Role(scope, 'ScheduleRole', {
    // The conditions of the CDK's own role. https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
    assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
      conditions: {
        StringEquals: { 'aws:SourceAccount': Stack.of(scope).account, 'aws:SourceArn': group.scheduleGroupArn },
      },
    }),
  });
  const schedule = new Schedule(scope, 'Schedule', {
    description: 'Checks every certificate and starts the renewals that are due',
    schedule: ScheduleExpression.rate(interval),
    scheduleGroup: group,
    // CAs ask clients not to send their requests together at full hours.
    timeWindow: TimeWindow.flexible(Duration.minutes(flexibleWindow(interval.toSeconds()) / 60)),
    // A run that cannot be started within an hour is left to the next scheduled run.
    target: new StepFunctionsStartExecution(fleet, {
      role,
      maxEventAge: Duration.hours(1),
      retryAttempts: 10,
    }),
  });
  return { schedule, scheduleGroup: group };
}
