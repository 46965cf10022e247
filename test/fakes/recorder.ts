import { CaUnavailableError } from '../../lambdas/domain/contract/errors.ts';

export interface Call {
  /** Port and method, for example `ledger.saveOrder`. */
  readonly name: string;
  readonly args: readonly unknown[];
}

/** Ends a function that is killed. It is no `PerennialError`, so no step can handle it as a known error. */
export class Killed extends Error {
  override name = 'Killed';
}

export type Script =
  | { readonly kind: 'answer' | 'loseReply'; readonly error: Error }
  | { readonly kind: 'meanwhile'; readonly act: () => unknown };

/**
 * Records every call of every port, in order, and disturbs the calls that a test chooses. A call can fail, lose its reply after it had
 * its effect, be preceded by an action of another process, or be the last one before the function is killed.
 */
export class CallRecorder {
  readonly made: Call[] = [];
  readonly #scripts = new Map<string, Script[]>();
  readonly #scriptsByNumber = new Map<number, Script>();
  #callsUntilKilled = Number.POSITIVE_INFINITY;

  /** Returns the names of all calls in order, or only the names with this prefix. */
  names(prefix = ''): string[] {
    return this.made.map(({ name }) => name).filter((name) => name.startsWith(prefix));
  }

  get killed(): boolean {
    return this.#callsUntilKilled <= 0;
  }

  /**
   * Kills the function after this number of calls. The last of them has its effect, but its reply is lost. Every later call throws, also
   * one in a `catch` block.
   */
  killAfter(calls: number): void {
    this.#callsUntilKilled = calls;
  }

  restart(): void {
    this.#callsUntilKilled = Number.POSITIVE_INFINITY;
  }

  /** Makes the next call of this name fail with this error, without an effect. Several errors are used in their order. */
  answer(name: string, error: Error): void {
    this.#script(name, { kind: 'answer', error });
  }

  /** Lets the next call of this name have its effect, and throws this error to its caller. */
  loseReply(name: string, error: Error = new CaUnavailableError({ what: 'The connection was cut.' })): void {
    this.#script(name, { kind: 'loseReply', error });
  }

  /** Runs an action of another process right before the next call of this name. */
  meanwhile(name: string, act: () => unknown): void {
    this.#script(name, { kind: 'meanwhile', act });
  }

  /** Disturbs the call with this number, counting from 1, whatever its name is. */
  disturb(call: number, script: Script): void {
    this.#scriptsByNumber.set(call, script);
  }

  /** Called before each call, so that executions at the same time take turns. */
  before: () => unknown = () => undefined;
  /** Called after each call that had its effect. */
  after: () => unknown = () => undefined;

  /** Returns the port for a step. Only calls of its asynchronous methods are recorded, because the others reach no service. */
  watch<Port extends object>(name: string, port: Port): Port {
    return new Proxy(port, {
      get: (target, key) => {
        const member: unknown = Reflect.get(target, key, target);
        if (typeof member !== 'function') return member;
        const method = (...args: unknown[]): unknown => Reflect.apply(member, target, args);
        return member.constructor.name === 'AsyncFunction'
          ? (...args: unknown[]) => this.#call({ name: `${name}.${String(key)}`, args }, method)
          : method;
      },
    });
  }

  #script(name: string, script: Script): void {
    this.#scripts.set(name, [...(this.#scripts.get(name) ?? []), script]);
  }

  async #call(call: Call, method: (...args: unknown[]) => unknown): Promise<unknown> {
    if (this.killed) throw new Killed(`The function was killed before it called ${call.name}.`);
    await this.before();
    this.made.push(call);
    const last = --this.#callsUntilKilled <= 0;
    const script = this.#scriptsByNumber.get(this.made.length) ?? this.#scripts.get(call.name)?.shift();
    if (script?.kind === 'answer') throw script.error;
    if (script?.kind === 'meanwhile') await script.act();
    const reply = await method(...call.args);
    this.after();
    if (last) throw new Killed(`The function was killed after it called ${call.name}.`);
    if (script?.kind === 'loseReply') throw script.error;
    return reply;
  }
}

/**
 * Kills a step after each of its calls, once per call. A first run counts the calls. Then, for each call and in a new world, the step
 * is killed after that call and runs again from the start, as the workflow's Retry does. `check` asserts the result.
 */
export async function interruptedAfterEachCall<World extends { readonly calls: CallRecorder }, Output>(
  create: () => World | Promise<World>,
  step: (world: World) => Promise<Output>,
  check: (world: World, output: Output, last: string) => unknown,
): Promise<void> {
  const counted = await create();
  const before = counted.calls.made.length;
  await step(counted);
  const calls = counted.calls.made.slice(before);
  if (calls.length === 0) throw new Error('The step made no call, so it cannot be killed after one.');

  for (const [index, { name }] of calls.entries()) {
    const world = await create();
    world.calls.killAfter(index + 1);
    await step(world).catch((error: unknown) => {
      if (!(error instanceof Killed)) throw error;
    });
    if (!world.calls.killed) throw new Error(`The step ended before its call ${index + 1}, ${name}.`);
    world.calls.restart();
    await check(world, await step(world), name);
  }
}
