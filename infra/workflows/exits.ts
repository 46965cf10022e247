import type { CatchProps, IChainable } from 'aws-cdk-lib/aws-stepfunctions';

/** A way out of a phase, which the workflow connects to the state that follows. A state and a chain of states are exits too. */
export interface Exit {
  next(state: IChainable): unknown;
}

/**
 * Named exits that share one state, a Choice for example. Step Functions takes the first transition that matches, so the transitions are
 * added in the order of this list, when the last of them is connected.
 */
export function exits<Name extends string>(
  transitions: Readonly<Record<Name, (next: IChainable) => unknown>>,
): Readonly<Record<Name, Exit>> {
  const names = Object.keys(transitions) as Name[];
  const connected = new Map<Name, IChainable>();
  const connect = (name: Name, next: IChainable) => {
    if (connected.has(name)) throw new Error(`The exit ${name} is connected already.`);
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

/** The exit of these states when one of them fails. */
export function caught(states: readonly Catching[], props?: CatchProps): Exit {
  return {
    next: (handler) => {
      for (const state of states) state.addCatch(handler, props);
    },
  };
}

/** Exits that lead to one state. */
export function merged(...parts: readonly Exit[]): Exit {
  return {
    next: (state) => {
      for (const part of parts) part.next(state);
    },
  };
}
