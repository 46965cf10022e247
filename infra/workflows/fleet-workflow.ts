import { Duration, RemovalPolicy } from 'aws-cdk-lib';
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
import { named, taken } from './retry-policies.ts';
import { Workflow } from './workflow.ts';
import type { WorkflowFunction } from './workflow-function.ts';

export interface FleetWorkflowProps {
  readonly name: string;
  readonly check: WorkflowFunction;
  readonly renewal: StateMachine;
  /** Calls of *Check fleet* that see every certificate once. */
  readonly batches: number;
  /** Time between two runs, in whole minutes. */
  readonly interval: Duration;
}

/** Looks at every certificate, a batch at a time, and starts the renewal of those that are due. */
export class FleetWorkflow extends Construct {
  readonly workflow: Workflow;
  private readonly props: FleetWorkflowProps;

  constructor(scope: Construct, id: string, props: FleetWorkflowProps) {
    super(scope, id);
    this.props = props;
    const checkBatches = MapState.jsonata(this, 'Check batches', {
      items: ProvideItems.jsonArray([...Array(props.batches).keys()]),
      // Each checks a hundred certificates in a second or two; more at once would only take functions from the renewals.
      maxConcurrency: 2,
    }).itemProcessor(this.checkBatch());

    const failedBatches = '$states.input[$exists(error)]';
    const start = checkBatches.next(
      Choice.jsonata(this, 'All checked?')
        .when(
          Condition.jsonata(`{% $count(${failedBatches}) > 0 %}`),
          Fail.jsonata(this, 'Failed', {
            error: named('FleetCheckError')[0] as string,
            // Of the 32,768 characters that a cause may have, enough to know what it is about; the log has the rest.
            cause: `{% 'Not checked, or due and not started: ' & $substring($join([${failedBatches}.error], '; '), 0, 2000) %}`,
          }),
        )
        .otherwise(Succeed.jsonata(this, 'Done')),
    );
    this.workflow = new Workflow(this, 'Workflow', {
      name: props.name,
      comment: 'Starts the renewal of every certificate that is due',
      start,
      // Before the next run: a hundred batches, two at a time, take minutes.
      timeout: Duration.hours(1),
      functions: [props.check],
    });
    this.schedule();
  }

  /** Its result is `{}`, or `{ error }` with every name that something went wrong for. */
  private checkBatch(): IChainable {
    const { check, batches } = this.props;
    const checkFleet = check
      .step(this, 'Check fleet', {
        payload: { batch: '{% $states.input %}', batches },
        // Of no certificate, or of all.
        run: { certificate: "{% '' %}", attempt: 1, order: '{% null %}' },
      })
      .addCatch(Pass.jsonata(this, 'Batch failed'), { outputs: errorOf("'batch ' & $string($states.input)") });
    const failures = '$states.result[$exists(error)]';
    return checkFleet.next(
      MapState.jsonata(this, 'Start renewals', {
        items: ProvideItems.jsonata('{% $states.input.due %}'),
        // With two batches at once 20 calls in flight, about as many as StartExecution's bucket takes a second where it is smallest.
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
    // The name is of this fleet execution: whoever has it was started by an earlier try of this very state.
    return start
      .addCatch(Pass.jsonata(this, 'Already started'), { errors: [taken], outputs: '{% {} %}' })
      .addCatch(Pass.jsonata(this, 'Start failed'), { outputs: errorOf('$states.input.certificate') });
  }

  private schedule(): void {
    const { interval } = this.props;
    // By default it would stay when the stack goes, or when its first deployment fails, and its name would be in the way of the next.
    const group = new ScheduleGroup(this, 'Schedules', { removalPolicy: RemovalPolicy.DESTROY });
    new Schedule(this, 'Schedule', {
      description: 'Checks every certificate and starts the renewals that are due',
      schedule: ScheduleExpression.rate(interval),
      scheduleGroup: group,
      // CAs ask clients not to come at full hours all together.
      timeWindow: TimeWindow.flexible(Duration.minutes(flexibleWindow(interval.toSeconds()) / 60)),
      // Another run comes in hours: what cannot be started within one is left to that.
      target: new StartOnSchedule(this.workflow.stateMachine, { maxEventAge: Duration.hours(1), retryAttempts: 10 }),
    });
  }
}

/** An item's result in place of an error, so that the Map goes on. */
function errorOf(what: string): string {
  return `{% { 'error': ${what} & ': ' & $states.errorOutput.Error } %}`;
}
