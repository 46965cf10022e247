import { Duration } from 'aws-cdk-lib';
import type { Schedule, ScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import {
  type CatchProps,
  Choice,
  Condition,
  Fail,
  type IChainable,
  type IStateMachine,
  Pass,
  StateMachine,
  Succeed,
  TaskInput,
  Timeout,
  Wait,
  WaitTime,
} from 'aws-cdk-lib/aws-stepfunctions';
import {
  StepFunctionsStartExecution,
  type StepFunctionsStartExecutionJsonataProps,
} from 'aws-cdk-lib/aws-stepfunctions-tasks';
import { Construct } from 'constructs';
import { announceChanges, announceLate } from './fleet-announcements.ts';
import { scheduleFleet } from './fleet-schedule.ts';
import { eventsPerStart, type PacedStartsProps, pacedStarts, withErrors } from './paced-starts.ts';
import { briefly, errorNames, executionExists, iamPropagation, startExecutionRetries } from './retry-policies.ts';
import { Workflow } from './workflow.ts';
import type { WorkflowFunction } from './workflow-function.ts';

export interface FleetWorkflowProps extends PacedStartsProps {
  /** Name of the state machine. */
  readonly name: string;
  readonly fleet: WorkflowFunction;
  /** Time between two fleet runs, in whole minutes. */
  readonly interval: Duration;
}

/**
 * Events of starts, changes and late certificates after which a new execution continues. They leave 5,000 of the 25,000 that Step Functions allows,
 * of which each of 20 selections has about 20. So one execution has 2,000 starts.
 */
const mostEvents = 20_000;
const startsPerExecution = mostEvents / eventsPerStart;

const variables = {
  // The renewals of all executions of one run have names with the same hash. So none is started twice although the execution changes.
  continues: "{% $type($states.input.continues) = 'string' ? $states.input.continues : $states.context.Execution.Id %}",
  since: '{% $now() %}',
  after: '{% null %}',
  askFailures: {},
  selectedAt: '{% $now() %}',
  compared: true,
  foundDue: 0,
  started: [],
  newStarts: 0,
  historyEvents: 0,
  errors: "{% '' %}",
  // The execution that this one replaces may not have ended yet.
  waitsForLease: '{% $states.input.replacement = true %}',
};

/** The steps belong to no single certificate, so the name is empty. */
const run = { certificate: "{% '' %}", attempt: 1, order: '{% null %}' };

/**
 * What a selection begins with that another run asked for. That run may have a newer configuration, so this is a new run with new names of renewals.
 * Those that were started already may be due again.
 */
const asNewRun = { continues: "{% $states.context.Execution.Id & ' ' & $now() %}", started: [] };

/** The error of a step after a deployment has replaced the functions with those of another version. */
const replaced: CatchProps = { errors: errorNames('FunctionsReplacedError') };

/** Keeps the error of a state. The run continues and fails at its end. */
const keepingError = (what: string): CatchProps => ({
  assign: { errors: `{% ${withErrors(`'${what}: ' & $states.errorOutput.Error`)} %}` },
});

/** The fleet workflow. It finds the certificates that are due and starts their renewals, the most urgent first and at a pace. */
export class FleetWorkflow extends Construct {
  readonly workflow: Workflow;
  readonly schedule: Schedule;
  readonly scheduleGroup: ScheduleGroup;
  private readonly props: FleetWorkflowProps;
  /** The workflow by its name, because a reference to itself would be circular. */
  private readonly self: IStateMachine;

  /** Connects the states in the order in which they run. */
  constructor(scope: Construct, id: string, props: FleetWorkflowProps) {
    super(scope, id);
    this.props = props;
    this.self = StateMachine.fromStateMachineName(this, 'Self', props.name);
    const { fleet } = props;
    const takeLease = fleet.step(this, 'Take fleet lease', {
      payload: {},
      run,
      retry: [iamPropagation],
      assign: { after: '{% $states.result.Payload.after %}' },
    });
    const refresh = fleet.step(this, 'Refresh renewal information', {
      payload: { after: '{% $after %}', since: '{% $since %}', failures: '{% $askFailures %}' },
      run,
      retry: [briefly],
      assign: { after: '{% $states.result.Payload.after %}', askFailures: '{% $states.result.Payload.failures %}' },
    });
    const select = fleet.step(this, 'Select due certificates', {
      payload: { continues: '{% $continues %}', started: '{% $started %}' },
      run,
      retry: [iamPropagation],
      assign: { selectedAt: '{% $now() %}' },
    });
    const startRenewals = pacedStarts(this, props);
    const compare = fleet.step(this, 'Compare with what is there', {
      payload: { since: '{% $selectedAt %}' },
      run,
      // The next run waits for the lease, and also continues the comparison.
      retry: [briefly],
      assign: {
        compared: '{% $states.result.Payload.done %}',
        foundDue: '{% $foundDue + $states.result.Payload.due %}',
      },
    });
    const comparisonFailed = fleet.step(this, 'Report failed comparison', { payload: {}, run, retry: [briefly] });
    const releaseLease = fleet.step(this, 'Release fleet lease', { payload: {}, run });
    const end = this.end();
    const restart = this.restart(end);
    const handOver = this.handOver(end, restart);

    const waitForLease = Wait.jsonata(this, 'Wait for fleet lease', {
      time: WaitTime.duration(Duration.seconds(30)),
      assign: { waitsForLease: false },
    }).next(takeLease);
    const isRunning = "$type($states.input.holder) = 'string'";
    const running = Choice.jsonata(this, 'Already running?')
      .when(Condition.jsonata(`{% ${isRunning} and $waitsForLease %}`), waitForLease)
      .when(Condition.jsonata(`{% ${isRunning} %}`), Succeed.jsonata(this, 'Already running'))
      .otherwise(refresh);
    const anyLeft = Choice.jsonata(this, 'All refreshed?')
      .when(Condition.jsonata("{% $type($after) = 'string' %}"), refresh)
      .otherwise(select);
    const late = announceLate(this).next(compare);
    const anyDue = Choice.jsonata(this, 'Anything due?')
      .when(Condition.jsonata('{% $count($states.input.due) > 0 %}'), startRenewals)
      .otherwise(late);
    const isFull = `$historyEvents >= ${mostEvents}`;
    const next = Choice.jsonata(this, 'Continue here?')
      .when(Condition.jsonata(`{% $not(${isFull}) %}`), select)
      // Without any new start the next execution would not get any further.
      .when(Condition.jsonata('{% $newStarts > 0 %}'), handOver)
      .otherwise(releaseLease);
    const allCompared = Choice.jsonata(this, 'All compared?')
      .when(Condition.jsonata(`{% $not($compared) and $not(${isFull}) %}`), compare)
      .when(Condition.jsonata(`{% $foundDue > 0 and $not(${isFull}) %}`), select, { assign: { foundDue: 0 } })
      .when(Condition.jsonata('{% $not($compared) or $foundDue > 0 %}'), handOver)
      .otherwise(releaseLease);
    const isRequested = '$states.input.released = false';
    const released = Choice.jsonata(this, 'Selection requested?')
      .when(Condition.jsonata(`{% ${isRequested} and $not(${isFull}) %}`), select, { assign: asNewRun })
      .when(Condition.jsonata(`{% ${isRequested} %}`), handOver, { assign: asNewRun })
      .otherwise(end);

    takeLease.addCatch(end, keepingError('lease')).next(running);
    refresh.addCatch(restart, replaced).addCatch(select, keepingError('renewal information')).next(anyLeft);
    select.addCatch(restart, replaced).addCatch(releaseLease, keepingError('selection')).next(anyDue);
    startRenewals.next(next);
    // All starts come before the comparison, and its failure is no failure of the run. It has a metric of its own.
    compare.addCatch(comparisonFailed).next(announceChanges(this)).next(allCompared);
    comparisonFailed.addCatch(releaseLease).next(releaseLease);
    releaseLease.addCatch(restart, replaced).addCatch(end, keepingError('lease')).next(released);

    this.workflow = new Workflow(this, 'Workflow', {
      name: props.name,
      comment: 'Starts the renewal of every certificate that is due',
      start: Pass.jsonata(this, 'Start', { assign: variables }).next(takeLease),
      // All paced starts, and four hours for the other steps and their retries.
      timeout: Duration.minutes(Math.ceil(startsPerExecution / props.pace / 60) + 4 * 60),
    });
    const { schedule, scheduleGroup } = scheduleFleet(this, this.workflow.stateMachine, props.interval);
    this.schedule = schedule;
    this.scheduleGroup = scheduleGroup;
  }

  /** Passes the lease to a new execution and starts it, because the history of this one is nearly full. */
  private handOver(end: IChainable, restart: IChainable): IChainable {
    const handOver = this.props.fleet.step(this, 'Hand over fleet lease', { payload: {}, run });
    const start = this.startItself(end, 'Start next execution', {
      name: '{% $states.input.executionName %}',
      input: TaskInput.fromObject({ continues: '{% $continues %}' }),
    });
    handOver.addCatch(restart, replaced).addCatch(end, keepingError('lease')).next(start);
    return handOver;
  }

  /**
   * Starts a new execution after a deployment has replaced the functions with others that run no step of this one. This execution cannot pass its lease,
   * so the new one waits until this one has ended. The run that the deployment started may have found the lease held, and so has selected nothing.
   */
  private restart(end: IChainable): IChainable {
    return this.startItself(end, 'Start replacement', { input: TaskInput.fromObject({ replacement: true }) });
  }

  private startItself(
    end: IChainable,
    state: string,
    execution: Pick<StepFunctionsStartExecutionJsonataProps, 'name' | 'input'>,
  ): StepFunctionsStartExecution {
    const start = StepFunctionsStartExecution.jsonata(this, state, {
      ...execution,
      stateMachine: this.self,
      outputs: '{% {} %}',
      taskTimeout: Timeout.duration(Duration.seconds(30)),
    });
    for (const policy of startExecutionRetries) start.addRetry(policy);
    start
      .addCatch(end, { errors: [executionExists] })
      .addCatch(end, keepingError('next execution'))
      .next(end);
    return start;
  }

  /** Returns the states that end the execution. It fails if something could not be checked or started. */
  private end(): IChainable {
    return Choice.jsonata(this, 'All started?')
      .when(
        Condition.jsonata("{% $errors != '' %}"),
        Fail.jsonata(this, 'Failed', {
          error: errorNames('FleetCheckError')[0] as string,
          cause: `{% 'Some certificates could not be checked, or some due renewals could not be started. ' & $errors & '. The next fleet run tries again. If this repeats, see the log of the fleet workflow.' %}`,
        }),
      )
      .otherwise(Succeed.jsonata(this, 'Done'));
  }
}
