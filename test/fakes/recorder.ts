import { CaUnavailableError } from '../../lambdas/domain/contract/errors.ts';

export interface Call {
  /** `ledger.saveOrder` */
  readonly name: string;
  readonly args: readonly unknown[];
}

/** What a killed function sees: not a class of ours, so no step can take it for something that it knows. */
export class Killed extends Error {
  override name = 'Killed';
}

type Script =
  | { readonly kind: 'answer' | 'loseReply'; readonly error: Error }
  | { readonly kind: 'meanwhile'; readonly act: () => unknown };

/**
 * Every call of every port, in order; and the place where a test breaks one: a call answered with an error, one whose effect
 * happened but whose reply was lost, something that happens in between, or the death of the function.
 */
export class CallRecorder {
  readonly made: Call[] = [];
  readonly #scripts = new Map<string, Script[]>();
  #callsToLive = Number.POSITIVE_INFINITY;

  /** Names in order; with a prefix, only those that begin with it. */
  names(prefix = ''): string[] {
    return this.made.map(({ name }) => name).filter((name) => name.startsWith(prefix));
  }

  get dead(): boolean {
    return this.#callsToLive <= 0;
  }

  /** The nth call from now has its effect, its reply reaches nobody, and no later call (of a `catch`, say) is made. */
  killAfter(calls: number): void {
    this.#callsToLive = calls;
  }

  revive(): void {
    this.#callsToLive = Number.POSITIVE_INFINITY;
  }

  /** The next call of this name is answered with this error, and has no effect. Calls in a row answer in order. */
  answer(name: string, error: Error): void {
    this.#script(name, { kind: 'answer', error });
  }

  /** The next call of this name has its effect, and its caller gets this error. */
  loseReply(name: string, error: Error = new CaUnavailableError({ what: 'The connection was cut.' })): void {
    this.#script(name, { kind: 'loseReply', error });
  }

  /** Right before the next call of this name somebody else does this. */
  meanwhile(name: string, act: () => unknown): void {
    this.#script(name, { kind: 'meanwhile', act });
  }

  /** The port as a step sees it. Its asynchronous methods are the calls; the others are no way to the outside. */
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
    if (this.dead) throw new Killed(`${call.name} is called by a function that is dead`);
    this.made.push(call);
    const last = --this.#callsToLive <= 0;
    const script = this.#scripts.get(call.name)?.shift();
    if (script?.kind === 'answer') throw script.error;
    if (script?.kind === 'meanwhile') await script.act();
    const reply = await method(...call.args);
    if (last) throw new Killed(`killed after ${call.name}`);
    if (script?.kind === 'loseReply') throw script.error;
    return reply;
  }
}

/**
 * Runs a step once to count its calls; then, for each of them and in a world of its own, kills it after that call, runs it again
 * from the start, as the workflow's Retry does, and lets the test look.
 */
export async function dyingAfterEachCall<World extends { readonly calls: CallRecorder }, Output>(
  create: () => World | Promise<World>,
  step: (world: World) => Promise<Output>,
  look: (world: World, output: Output, last: string) => unknown,
): Promise<void> {
  const counted = await create();
  const before = counted.calls.made.length;
  await step(counted);
  const calls = counted.calls.made.slice(before);
  if (calls.length === 0) throw new Error('The step made no call, so it cannot die after one.');

  for (const [index, { name }] of calls.entries()) {
    const world = await create();
    world.calls.killAfter(index + 1);
    await step(world).catch((error: unknown) => {
      if (!(error instanceof Killed)) throw error;
    });
    if (!world.calls.dead) throw new Error(`The step ended before its call ${index + 1}, ${name}.`);
    world.calls.revive();
    await look(world, await step(world), name);
  }
}
