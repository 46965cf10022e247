import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Schedule, ScheduleExpression, ScheduleGroup, TimeWindow } from 'aws-cdk-lib/aws-scheduler';
import { StepFunctionsStartExecution as StartOnSchedule } from 'aws-cdk-lib/aws-scheduler-targets';
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
import { flexibleWindow } from '../../lambdas/domain/rules/renewal/renewal-info.ts';
import { startRenewal } from './renewal-start.ts';
import { errorNames, executionExists } from './retry-policies.ts';
import { Workflow } from './workflow.ts';
import type { WorkflowFunction } from './workflow-function.ts';

export interface FleetWorkflowProps {
  /** Name of the state machine. */
  readonly name: string;
  readonly check: WorkflowFunction;
  readonly renewal: StateMachine;
  /** Number of batches. *Check fleet* runs once for each of them, and checks each certificate once in all. */
  readonly batches: number;
  /** Time between two fleet runs, in whole minutes. */
  readonly interval: Duration;
}

/** The fleet workflow. It checks all certificates in batches and starts the renewals that are due. */
export class FleetWorkflow extends Construct {
  readonly workflow: Workflow;
  readonly schedule: Schedule;
  private readonly props: FleetWorkflowProps;

  constructor(scope: Construct, id: string, props: FleetWorkflowProps) {
    super(scope, id);
    this.props = props;
    const checkBatches = MapState.jsonata(this, 'Check batches', {
      items: ProvideItems.jsonArray([...Array(props.batches).keys()]),
      // A batch of a hundred certificates takes one or two seconds. A higher concurrency would only take functions away from the renewals.
      maxConcurrency: 2,
    }).itemProcessor(this.checkBatch());

    const failedBatches = '$states.input[$exists(error)]';
    const start = checkBatches.next(
      Choice.jsonata(this, 'All checked?')
        .when(
          Condition.jsonata(`{% $count(${failedBatches}) > 0 %}`),
          Fail.jsonata(this, 'Failed', {
            error: errorNames('FleetCheckError')[0] as string,
            // A cause may have 32,768 characters. 2,000 are enough to see what failed, and the log has the rest.
            cause: `{% 'Some batches could not be checked, or some due renewals could not be started. ' & $substring($join([${failedBatches}.error], '; '), 0, 2000) & '. The next fleet run tries again. If this repeats, see the log of the fleet workflow.' %}`,
          }),
        )
        .otherwise(Succeed.jsonata(this, 'Done')),
    );
    this.workflow = new Workflow(this, 'Workflow', {
      name: props.name,
      comment: 'Starts the renewal of every certificate that is due',
      start,
      // A hundred batches, two at a time, take minutes.
      timeout: Duration.hours(1),
    });
    this.schedule = this.scheduleRuns();
  }

  /** Returns the states for one batch. Their result is `{}`, or `{ error }` with the name and the error of everything that failed. */
  private checkBatch(): IChainable {
    const { check, batches } = this.props;
    const checkFleet = check
      .step(this, 'Check fleet', {
        payload: { batch: '{% $states.input %}', batches },
        // The step belongs to no single certificate, so the name is empty.
        run: { certificate: "{% '' %}", attempt: 1, order: '{% null %}' },
      })
      .addCatch(Pass.jsonata(this, 'Batch failed'), { outputs: errorOf("'batch ' & $string($states.input)") });
    const failures = '$states.result[$exists(error)]';
    return checkFleet.next(
      MapState.jsonata(this, 'Start renewals', {
        items: ProvideItems.jsonata('{% $states.input.due %}'),
        // Two batches with ten starts each are 20 calls in flight. The smallest bucket of StartExecution refills with 25 calls a second.
        maxConcurrency: 10,
        outputs: `{% $count(${failures}) > 0 ? { 'error': $join([${failures}.error], '; ') } : {} %}`,
      }).itemProcessor(this.startDue()),
    );
  }

  private startDue(): IChainable {
    const start = startRenewal(this, this.props.renewal, {
      name: '{% $states.input.executionName %}',
      input: { certificate: '{% $states.input.certificate %}' },
      outputs: '{% {} %}',
    });
    // The name is derived from this fleet execution, so an existing renewal of this name was started by an earlier attempt of this state.
    return start
      .addCatch(Pass.jsonata(this, 'Already started'), { errors: [executionExists], outputs: '{% {} %}' })
      .addCatch(Pass.jsonata(this, 'Start failed'), { outputs: errorOf('$states.input.certificate') });
  }

  private scheduleRuns(): Schedule {
    const { interval } = this.props;
    // By default the group stays when the stack is deleted or its first deployment fails. Its name would then block the next deployment.
    const group = new ScheduleGroup(this, 'Schedules', { removalPolicy: RemovalPolicy.DESTROY });
    // Without a role, the CDK would make one in the stack, where tags and aspects of the construct do not reach it.
    const role = new Role(this, 'ScheduleRole', {
      // The conditions of the CDK's own role. https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
        conditions: {
          StringEquals: { 'aws:SourceAccount': Stack.of(this).account, 'aws:SourceArn': group.scheduleGroupArn },
        },
      }),
    });
    return new Schedule(this, 'Schedule', {
      description: 'Checks every certificate and starts the renewals that are due',
      schedule: ScheduleExpression.rate(interval),
      scheduleGroup: group,
      // CAs ask clients not to send their requests together at full hours.
      timeWindow: TimeWindow.flexible(Duration.minutes(flexibleWindow(interval.toSeconds()) / 60)),
      // A run that cannot be started within an hour is left to the next scheduled run.
      target: new StartOnSchedule(this.workflow.stateMachine, {
        role,
        maxEventAge: Duration.hours(1),
        retryAttempts: 10,
      }),
    });
  }
}

/** Returns the output of a Catch that replaces the error of an item, so that the Map continues. */
function errorOf(what: string): string {
  return `{% { 'error': ${what} & ': ' & $states.errorOutput.Error } %}`;
}
