import jsonata from 'jsonata';
import { ofType, resolve, type Synthesized } from '../synthesized.ts';

/** The part of Amazon States Language that the workflows use. */
export interface State {
  readonly Type: 'Pass' | 'Task' | 'Choice' | 'Wait' | 'Map' | 'Parallel' | 'Succeed' | 'Fail';
  readonly Resource?: string;
  readonly Next?: string;
  readonly End?: boolean;
  readonly Default?: string;
  readonly Choices?: readonly { readonly Condition: string; readonly Next: string; readonly Assign?: object }[];
  readonly Catch?: readonly Catcher[];
  readonly Retry?: readonly Retrier[];
  readonly Assign?: object;
  readonly Output?: unknown;
  readonly Arguments?: Readonly<Record<string, unknown>>;
  readonly Items?: unknown;
  readonly ItemProcessor?: StateMachine;
  readonly MaxConcurrency?: number;
  readonly Branches?: readonly StateMachine[];
  readonly Seconds?: unknown;
  readonly Timestamp?: unknown;
  readonly TimeoutSeconds?: number;
  readonly Error?: string;
  readonly Cause?: string;
}

export interface Retrier {
  readonly ErrorEquals: readonly string[];
  readonly MaxAttempts: number;
  readonly IntervalSeconds?: number;
  readonly BackoffRate?: number;
  readonly MaxDelaySeconds?: number;
  readonly JitterStrategy?: string;
}

export interface Catcher {
  readonly ErrorEquals: readonly string[];
  readonly Next: string;
  readonly Assign?: object;
  readonly Output?: unknown;
}

export interface StateMachine {
  readonly StartAt: string;
  readonly States: Readonly<Record<string, State>>;
  readonly TimeoutSeconds?: number;
}

/** Returns the definition of the state machine whose name has this ending, as it is deployed. */
export function definition(ending: string, { resources }: Synthesized): StateMachine {
  const [machine] = ofType(resources, 'AWS::StepFunctions::StateMachine').filter(([, { Properties }]) =>
    String(Properties.StateMachineName).endsWith(ending),
  );
  return JSON.parse(String(resolve(machine?.[1].Properties.DefinitionString, resources))) as StateMachine;
}

/** The tasks by the names of their states. Each is called with the arguments of the task. It returns a result or throws a `TaskError`. */
export type Tasks = Readonly<Record<string, (args: Record<string, unknown>) => unknown>>;

export class TaskError extends Error {
  readonly errorOutput: { readonly Error: string; readonly Cause: string };
  constructor(name: string, cause: string) {
    super(`${name}: ${cause}`);
    this.errorOutput = { Error: name, Cause: cause };
  }
}

/** Returns the error of a function as Lambda reports it. */
export function thrown(name: string, message: string): TaskError {
  return new TaskError(name, JSON.stringify({ errorType: name, errorMessage: message, trace: [] }));
}

export interface Ended {
  readonly status: 'SUCCEEDED' | 'FAILED';
  readonly output: unknown;
  readonly error: string;
  readonly cause: string;
  /** Names of the entered states in order. AWS bills each as a transition. */
  readonly entered: readonly string[];
  /** Names of the left states with the bytes of their outputs. */
  readonly outputs: readonly (readonly [string, number])[];
  /** Transitions inside one state machine, as `from > to`. */
  readonly transitions: ReadonlySet<string>;
  /** Sum of all Wait states, in seconds. */
  readonly waited: number;
}

export interface RunOptions {
  readonly input: unknown;
  readonly tasks: Tasks;
  /** ARN of the execution. */
  readonly execution?: string;
  /** Returns the time for `$now()` of JSONata. @default the real time */
  readonly now?: () => Date;
  /** Called with the seconds of each wait and each pause before a retry. The workflow continues when the returned promise resolves. */
  readonly onWait?: (seconds: number) => unknown;
  /** Whether a task is retried as its `Retry` says, without jitter. @default false, since most tests need only the outcome */
  readonly retries?: boolean;
}

const expressions = new Map<string, jsonata.Expression>();

/** Returns the parsed expression. Each is parsed once, because parsing takes longer than evaluation. */
function compiled(source: string): jsonata.Expression {
  const expression = expressions.get(source) ?? jsonata(source);
  expressions.set(source, expression);
  return expression;
}

/** Runs the branches of a Parallel one after the other, and as many items of a Map at the same time as it allows. */
export async function run(machine: StateMachine, options: RunOptions): Promise<Ended> {
  const { input, tasks, execution = 'arn:aws:states:::execution:renewal:test', now = () => new Date() } = options;
  const { onWait = () => undefined, retries = false } = options;
  const entered: string[] = [];
  const outputs: [string, number][] = [];
  const transitions = new Set<string>();
  let waited = 0;

  async function evaluate(value: unknown, scope: Scope, states: Record<string, unknown>): Promise<unknown> {
    if (Array.isArray(value)) return Promise.all(value.map((each) => evaluate(each, scope, states)));
    if (typeof value === 'object' && value !== null) {
      const entries = Object.entries(value).map(async ([key, each]) => [key, await evaluate(each, scope, states)]);
      return Object.fromEntries(await Promise.all(entries));
    }
    const source = typeof value === 'string' ? /^\{%(.*)%\}$/s.exec(value)?.[1] : undefined;
    if (source === undefined) return value;
    const context = { Execution: { Id: execution } };
    const bindings = {
      ...scope.all(),
      states: { context, ...states },
      parse: (text: string) => JSON.parse(text),
      now: () => now().toISOString(),
    };
    const result = await compiled(source).evaluate(undefined, bindings);
    if (result === undefined) throw new TaskError('States.QueryEvaluationError', `${source} is undefined`);
    return JSON.parse(JSON.stringify(result)) as unknown;
  }

  async function assign(values: object | undefined, scope: Scope, states: Record<string, unknown>): Promise<void> {
    // Both Assign and Output see the variables as they were when the state was entered.
    const found = (await evaluate(values ?? {}, scope, states)) as Record<string, unknown>;
    for (const [name, value] of Object.entries(found)) scope.set(name, value);
  }

  async function machineRun({ StartAt, States }: StateMachine, from: unknown, scope: Scope): Promise<unknown> {
    let name: string | undefined = StartAt;
    let current = from;
    while (name !== undefined) {
      const state: State | undefined = States[name];
      if (!state) throw new Error(`The workflow has no state ${name}.`);
      entered.push(name);
      if (entered.length > 10_000)
        throw new Error(`The workflow does not end. Its last states were ${entered.slice(-12).join(', ')}.`);
      const [next, output]: [string | undefined, unknown] = await step(name, state, current, scope);
      outputs.push([name, Buffer.byteLength(JSON.stringify(output ?? null))]);
      if (next !== undefined) transitions.add(`${name} > ${next}`);
      [name, current] = [next, output];
    }
    return current;
  }

  async function step(name: string, state: State, from: unknown, scope: Scope): Promise<[string | undefined, unknown]> {
    const states = { input: from };
    try {
      const choice = await chosen(state, scope, states);
      if (choice) {
        await assign(choice.Assign, scope, states);
        return [choice.Next, from];
      }
      const result = await resultOf(name, state, from, scope);
      const seen = { input: from, result };
      const output = state.Output === undefined ? result : await evaluate(state.Output, scope, seen);
      await assign(state.Assign, scope, seen);
      return [state.Next, output];
    } catch (error) {
      if (!(error instanceof TaskError)) throw error;
      const catcher = state.Catch?.find(({ ErrorEquals: names }) =>
        names.some((each) => each === 'States.ALL' || each === error.errorOutput.Error),
      );
      if (!catcher) throw error;
      const seen = { input: from, errorOutput: error.errorOutput };
      const output = catcher.Output === undefined ? error.errorOutput : await evaluate(catcher.Output, scope, seen);
      await assign(catcher.Assign, scope, seen);
      return [catcher.Next, output];
    }
  }

  async function chosen(state: State, scope: Scope, states: Record<string, unknown>) {
    if (state.Type !== 'Choice') return undefined;
    for (const choice of state.Choices ?? [])
      if ((await evaluate(choice.Condition, scope, states)) === true) return choice;
    return { Next: state.Default ?? '', Assign: state.Assign };
  }

  async function resultOf(name: string, state: State, from: unknown, scope: Scope): Promise<unknown> {
    const states = { input: from };
    switch (state.Type) {
      case 'Task': {
        const args = (await evaluate(state.Arguments, scope, states)) as Record<string, unknown>;
        const task = tasks[name];
        if (!task) throw new Error(`The test has no task for the state ${name}. Add one to its tasks.`);
        return retries ? withRetries(state.Retry ?? [], () => task(args)) : task(args);
      }
      case 'Wait': {
        const until = state.Timestamp === undefined ? null : await evaluate(state.Timestamp, scope, states);
        const seconds =
          until === null
            ? Number(await evaluate(state.Seconds, scope, states))
            : Math.max(0, Date.parse(String(until)) - now().getTime()) / 1000;
        waited += seconds;
        await onWait(seconds);
        return from;
      }
      case 'Map': {
        const items = (await evaluate(state.Items, scope, states)) as unknown[];
        const results: unknown[] = [];
        const left = items.entries();
        const processItems = async () => {
          for (const [index, item] of left)
            results[index] = await machineRun(state.ItemProcessor as StateMachine, item, new Scope(scope));
        };
        // Without a limit, or with 0, Step Functions processes up to 40 items at the same time.
        await Promise.all(Array.from({ length: state.MaxConcurrency || 40 }, processItems));
        return results;
      }
      case 'Parallel': {
        const results: unknown[] = [];
        for (const branch of state.Branches ?? []) results.push(await machineRun(branch, from, new Scope(scope)));
        return results;
      }
      case 'Fail': {
        const [error, cause] = (await evaluate([state.Error, state.Cause], scope, states)) as [string, string];
        throw new TaskError(error, cause);
      }
      default:
        return from;
    }
  }

  async function withRetries(retriers: readonly Retrier[], task: () => unknown): Promise<unknown> {
    const counts = new Map<Retrier, number>();
    for (;;) {
      try {
        return await task();
      } catch (error) {
        if (!(error instanceof TaskError)) throw error;
        const { Error: name } = error.errorOutput;
        const retrier = retriers.find(({ ErrorEquals: names }) => names.includes(name) || names.includes('States.ALL'));
        const count = (retrier && counts.get(retrier)) ?? 0;
        if (!retrier || count >= retrier.MaxAttempts) throw error;
        counts.set(retrier, count + 1);
        const { IntervalSeconds = 1, BackoffRate = 2, MaxDelaySeconds = Number.POSITIVE_INFINITY } = retrier;
        await onWait(Math.min(IntervalSeconds * BackoffRate ** count, MaxDelaySeconds));
      }
    }
  }

  const end = {
    entered,
    outputs,
    transitions,
    get waited() {
      return waited;
    },
  };
  try {
    const output = await machineRun(machine, input, new Scope());
    return { ...end, status: 'SUCCEEDED', output, error: '', cause: '' };
  } catch (error) {
    if (!(error instanceof TaskError)) throw error;
    const { Error: name, Cause: cause } = error.errorOutput;
    return { ...end, status: 'FAILED', output: null, error: name, cause };
  }
}

/** The variables of a scope. An inner scope reads the variables of the outer scopes, and sets only its own. */
class Scope {
  private readonly outer: Scope | undefined;
  private readonly own = new Map<string, unknown>();

  constructor(outer?: Scope) {
    this.outer = outer;
  }

  all(): Record<string, unknown> {
    return { ...this.outer?.all(), ...Object.fromEntries(this.own) };
  }

  set(name: string, value: unknown): void {
    if (this.outer && name in this.outer.all())
      throw new Error(`${name} is a variable of an outer scope. An inner scope cannot assign it.`);
    this.own.set(name, value);
  }
}
