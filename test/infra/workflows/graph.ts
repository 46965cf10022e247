import type { State, StateMachine } from './state-machine.ts';

/** A state machine, or one inside a Map or Parallel state of it. */
export interface Scope {
  readonly machine: StateMachine;
  readonly outer: readonly StateMachine[];
  /** The Map or Parallel state around it. */
  readonly around: State | undefined;
}

/** Returns the outer scope of the workflow and the scopes of its Map items and Parallel branches. */
export function scopes(machine: StateMachine, outer: readonly StateMachine[] = [], around?: State): Scope[] {
  const inner = Object.values(machine.States).flatMap((state) =>
    [...(state.Branches ?? []), ...(state.ItemProcessor ? [state.ItemProcessor] : [])].flatMap((each) =>
      scopes(each, [...outer, machine], state),
    ),
  );
  return [{ machine, outer, around }, ...inner];
}

export const statesOf = (machine: StateMachine): [string, State, Scope][] =>
  scopes(machine).flatMap((scope) =>
    Object.entries(scope.machine.States).map(([name, state]): [string, State, Scope] => [name, state, scope]),
  );

/** Returns the states that may follow, each with the variables that the transition assigns. */
export function followers(state: State): { readonly next: string; readonly assigns: readonly string[] }[] {
  const to = (next: string | undefined, assigned?: object) =>
    next === undefined ? [] : [{ next, assigns: Object.keys(assigned ?? {}) }];
  return [
    ...to(state.Next, state.Assign),
    ...to(state.Default, state.Assign),
    ...(state.Choices ?? []).flatMap((choice) => to(choice.Next, choice.Assign)),
    ...(state.Catch ?? []).flatMap((catcher) => to(catcher.Next, catcher.Assign)),
  ];
}

/** Returns every transition that lies on a loop, as `from > to`. */
export function loopTransitions(machine: StateMachine): string[] {
  const found = scopes(machine).flatMap(({ machine: { States } }) => {
    const next = (name: string) => [...new Set(followers(States[name] as State).map((each) => each.next))];
    return Object.keys(States).flatMap((from) =>
      next(from).flatMap((to) => (reachable(to, next).has(from) ? [`${from} > ${to}`] : [])),
    );
  });
  return [...new Set(found)];
}

function reachable(start: string, next: (name: string) => readonly string[]): ReadonlySet<string> {
  const seen = new Set([start]);
  for (const name of seen) for (const each of next(name)) seen.add(each);
  return seen;
}
