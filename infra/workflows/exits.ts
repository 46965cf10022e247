import type { CatchProps, IChainable } from 'aws-cdk-lib/aws-stepfunctions';

/** An exit of a phase. The workflow connects it to the state that follows. A state and a chain of states are exits too. */
export interface Exit {
  next(state: IChainable): unknown;
}

/**
 * Returns named exits that share one state, such as a Choice. Step Functions takes the first transition that matches. So the transitions are
 * added in the order of this list, as soon as the last exit is connected.
 *
 * @throws Error if an exit is connected twice
 */
export function exits<Name extends string>(
  transitions: Readonly<Record<Name, (next: IChainable) => unknown>>,
): Readonly<Record<Name, Exit>> {
  const names = Object.keys(transitions) as Name[];
  const connected = new Map<Name, IChainable>();
  const connect = (name: Name, next: IChainable) => {
    if (connected.has(name)) throw new Error(`The exit ${name} is already connected. Connect each exit once.`);
    connected.set(name, next);
    if (connected.size < names.length) return;
    for (const each of names) transitions[each](connected.get(each) as IChainable);
  };
  const entries = names.map((name): [Name, Exit] => [name, { next: (state) => connect(name, state) }]);
  return Object.fromEntries(entries) as Record<Name, Exit>;
}

interface Catching {
  addCatch(handler: IChainable, props?: CatchProps): unknown;
}

/** Returns the exit that is taken when one of these states fails. */
export function caught(states: readonly Catching[], props?: CatchProps): Exit {
  return {
    next: (handler) => {
      for (const state of states) state.addCatch(handler, props);
    },
  };
}

/** Combines exits that lead to the same state. */
export function merged(...parts: readonly Exit[]): Exit {
  return {
    next: (state) => {
      for (const part of parts) part.next(state);
    },
  };
}
