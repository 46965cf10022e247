import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import * as errors from '../../../lambdas/domain/contract/errors.ts';
import { ofType, synthesize } from '../synthesized.ts';
import { followers, scopes, statesOf } from './graph.ts';
import { definition, type State, type StateMachine } from './state-machine.ts';

/** The validator, whose package has no types. */
const validate = createRequire(import.meta.url)('asl-validator') as (
  definition: object,
  options: { readonly checkArn: boolean },
) => { readonly isValid: boolean; readonly errorsText: () => string };

const root = join(import.meta.dirname, '..', '..', '..');
const synthesized = synthesize();
const renewal = definition('-renewal', synthesized);
const fleet = definition('-fleet', synthesized);
const accounts = definition('-accounts', synthesized);
const workflows = [
  ['renewal', renewal],
  ['fleet', fleet],
  ['accounts', accounts],
] as const;
const machines = workflows.map(([, machine]) => machine);

/** Returns the variables that the state reads, without those of its inner scopes. */
function variablesRead({ Branches: _, ItemProcessor: __, ...state }: State): Set<string> {
  const expressions = JSON.stringify(state).match(/\{%.*?%\}/g) ?? [];
  const names = expressions.flatMap((expression) => {
    const local = new Set([...expression.matchAll(/\$(\w+) :=/g)].map(([, name]) => name));
    // A name before a parenthesis is a function.
    return [...expression.matchAll(/\$([a-zA-Z]\w*)\b(?!\s*\()/g)]
      .map(([, name]) => name ?? '')
      .filter((name) => !local.has(name));
  });
  return new Set(names.filter((name) => name !== 'states'));
}

/** Returns the names of the states in the order of their distance from the start. */
function fromTheStart({ StartAt, States }: StateMachine): string[] {
  const names = [StartAt];
  for (const name of names) {
    const next = followers(States[name] as State).map((follower) => follower.next);
    names.push(...new Set(next.filter((each) => !names.includes(each))));
  }
  return names;
}

/** Returns every loop as the names of its states. */
function loops(machine: StateMachine): string[][] {
  const { States } = machine;
  const found: string[][] = [];
  const walk = (path: string[]) => {
    const last = path.at(-1) ?? '';
    const state = States[last];
    for (const { next } of state ? followers(state) : []) {
      const start = path.indexOf(next);
      // Each loop is found once, from its state that is nearest to the start.
      if (start === 0) found.push(path);
      else if (start < 0 && names.indexOf(next) > names.indexOf(path[0] ?? '')) walk([...path, next]);
    }
  };
  const names = fromTheStart(machine);
  for (const name of names) walk([name]);
  return found;
}

describe.each(workflows)('the %s workflow', (_, machine) => {
  test('is valid Amazon States Language', () => {
    const { isValid, errorsText } = validate(machine, { checkArn: false });
    expect(errorsText()).toBe('');
    expect(isValid).toBe(true);
  });

  test('gives every task a timeout and a Catch for all errors', () => {
    for (const [name, state, { around }] of statesOf(machine).filter(([, { Type }]) => Type === 'Task')) {
      expect(state.TimeoutSeconds, name).toBeGreaterThan(0);
      const catches = [...(state.Catch ?? []), ...(around?.Catch ?? [])].flatMap(({ ErrorEquals }) => ErrorEquals);
      expect(catches, name).toContain('States.ALL');
    }
  });

  test('gives every Choice a default', () => {
    const choices = statesOf(machine).filter(([, { Type }]) => Type === 'Choice');
    expect(choices.length).toBeGreaterThan(0);
    for (const [name, { Default }] of choices) expect(Default, name).toBeTypeOf('string');
  });

  test('limits how many items of a Map are processed at the same time', () => {
    const maps = statesOf(machine).filter(([, { Type }]) => Type === 'Map');
    expect(maps.length).toBeGreaterThan(0);
    for (const [name, { MaxConcurrency }] of maps) expect(MaxConcurrency, name).toBeGreaterThan(0);
  });

  test('uses no variable name in two nested scopes', () => {
    const assignedIn = ({ States }: StateMachine) =>
      new Set(Object.values(States).flatMap((state) => followers(state).flatMap(({ assigns }) => assigns)));
    const repeated = scopes(machine).flatMap(({ machine: scope, outer }) =>
      [...assignedIn(scope)].filter((name) => outer.some((each) => assignedIn(each).has(name))),
    );
    expect(repeated).toEqual([]);
  });

  test('sets every variable in the first state of its scope', () => {
    for (const { machine: scope } of scopes(machine)) {
      const first = Object.keys(scope.States[scope.StartAt]?.Assign ?? {});
      for (const [name, state] of Object.entries(scope.States))
        for (const { assigns } of followers(state)) expect(first, name).toEqual(expect.arrayContaining([...assigns]));
    }
  });

  test('reads only variables that its own scope or an outer scope sets', () => {
    for (const [name, state, { machine: scope, outer }] of statesOf(machine)) {
      const set = [scope, ...outer].flatMap(({ States, StartAt }) => Object.keys(States[StartAt]?.Assign ?? {}));
      expect(set, name).toEqual(expect.arrayContaining([...variablesRead(state)]));
    }
  });

  test('retries and catches only errors that the called function can throw or that AWS defines', () => {
    const aws =
      /^(States\.(ALL|TaskFailed|Timeout)|Lambda\.\w+Exception|StepFunctions\.ExecutionAlreadyExistsException)$/;
    for (const [name, state] of statesOf(machine)) {
      const names = [...(state.Retry ?? []), ...(state.Catch ?? [])].flatMap(({ ErrorEquals }) => ErrorEquals);
      for (const error of names.filter((each) => !aws.test(each))) {
        expect(Object.keys(errors), `${error} at ${name}`).toContain(error);
        expect(bundleOf(state), `${error} at ${name}`).toContain(`name="${error}"`);
      }
    }
  });

  test('ends only in Succeed and Fail states, so that every exit of a phase is connected', () => {
    for (const [name, { End }] of Object.entries(machine.States)) expect(End, name).toBeUndefined();
  });

  test('ends every Map item and Parallel branch in a state that returns an output', () => {
    for (const [name, state, { around }] of statesOf(machine))
      if (around) expect(['Succeed', 'Fail'], name).not.toContain(state.Type);
  });
});

/** Returns the minified bundle of the function that the state calls. */
function bundleOf({ Arguments }: State): string {
  const name = /function:Certificates([A-Z][a-z]+)Function/.exec(String(Arguments?.FunctionName))?.[1]?.toLowerCase();
  return readFileSync(join(root, 'dist', 'functions', name ?? '', 'index.mjs'), 'utf8');
}

describe('the renewal workflow', () => {
  const proof = scopes(renewal).find(({ machine }) => machine.StartAt === 'Present challenges');

  test('presents challenges in one place, inside a state that is always followed by the clean-up', () => {
    expect(statesOf(renewal).filter(([name]) => name === 'Present challenges')).toHaveLength(1);
    expect(proof?.outer).toEqual([renewal]);
    const ways = followers(proof?.around as State).map(({ next }) => next);
    expect(ways).toEqual(['Clean up challenges', 'Clean up challenges']);
    expect(proof?.around?.Catch?.map(({ ErrorEquals }) => ErrorEquals)).toEqual([['States.ALL']]);
  });

  test('makes the same decision after a clean-up that succeeds and one that fails', () => {
    const cleanUp = renewal.States['Clean up challenges'] as State;
    expect(followers(cleanUp).map(({ next }) => next)).toEqual(['Proof failed?', 'Proof failed?']);
  });

  const around = [...new Set(scopes(renewal).flatMap(({ machine }) => loops(machine).map((loop) => loop.join(' > '))))];
  const [retries, others] = [true, false].map((isRetry) =>
    around.filter((loop) => /next attempt/.test(loop) === isRetry),
  );

  test('has eight loops besides the retry schedule', () => {
    expect(others?.toSorted()).toEqual([
      'Check endpoints > All served? > Wait for endpoints',
      'Check renewal > Which action? > Check zones of saved order > Check order > Order status? > Discard order',
      'Check renewal > Which action? > Clean up leftover challenges > Report leftover challenges?',
      'Check renewal > Which action? > Clean up leftover challenges > Report leftover challenges? > Announce leftover challenges',
      'Check renewal > Which action? > Wait for renewal time or lease',
      'Valid? > Wait for issuance > Poll order until valid',
      'Wait for propagation > Check propagation > Propagated?',
      'Wait for validation > Poll order until ready > Ready?',
    ]);
  });

  test('retries on one path only, which records the failure, publishes it if needed, and waits', () => {
    expect(retries?.length).toBeGreaterThan(0);
    for (const loop of retries ?? [])
      expect(loop).toMatch(
        /^Check renewal > .*Record failure > Notify\? > (Announce failure > )?Retry\? > Wait for next attempt$/,
      );
    const waiting = renewal.States['Wait for next attempt'] as State;
    expect(followers(waiting)).toEqual([{ next: 'Check renewal', assigns: expect.arrayContaining(['attempt']) }]);
  });

  test('begins every attempt with the variables of a new execution, except those of the request', () => {
    const start = { ...renewal.States[renewal.StartAt]?.Assign } as Record<string, unknown>;
    const retry = { ...renewal.States['Wait for next attempt']?.Assign } as Record<string, unknown>;
    expect({ ...start, ...retry, attempt: 1 }).toEqual(start);
    expect(Object.keys(start).filter((name) => !(name in retry))).toEqual([
      'request',
      'certificate',
      'startedAt',
      'deploy',
    ]);
  });

  test('places no order if one is saved or if the zones are invalid', () => {
    const leadingTo = (name: string) =>
      statesOf(renewal).flatMap(([from, state]) => (followers(state).some(({ next }) => next === name) ? [from] : []));
    expect(leadingTo('New order')).toEqual(['Check zones']);
    expect(leadingTo('Check zones')).toEqual(['Which action?']);
    const choice = renewal.States['Which action?']?.Choices?.find(({ Next }) => Next === 'Check zones');
    expect(choice?.Condition).toBe("{% $states.input.action = 'issue' %}");
    expect(renewal.States['Check zones']?.Catch?.map(({ Next }) => Next)).toEqual(['Record failure']);
    expect(leadingTo('Check order')).toEqual(['Check zones of saved order']);
    expect(leadingTo('Prove control').toSorted()).toEqual(['Order pending?', 'Order status?']);
  });
});

describe('the steps', () => {
  const functions = ['fleet', 'check', 'order', 'challenge', 'certificate', 'delivery'];
  /** The steps that each handler lists in the object that it returns. */
  const listed = functions.flatMap((name) => {
    const source = readFileSync(join(root, 'lambdas', name, 'handler.ts'), 'utf8');
    return [...source.matchAll(/^ {4}(\w+): \(input: \w+\) =>/gm)].map(([, step]) => `${name}.${step}`);
  });
  const called = machines.flatMap(statesOf).flatMap(([, { Arguments }]) => {
    const { FunctionName, Payload } = (Arguments ?? {}) as { FunctionName?: string; Payload?: { step: string } };
    const name = /function:Certificates([A-Z][a-z]+)Function/.exec(FunctionName ?? '')?.[1]?.toLowerCase();
    return Payload ? [`${name}.${Payload.step}`] : [];
  });

  test('in the handlers are those that the workflows call', () => {
    expect(listed.length).toBeGreaterThan(10);
    expect([...new Set(called)].toSorted()).toEqual(listed.toSorted());
  });

  test('have five seconds more than their function, so that the function times out first', () => {
    const functions = new Map(ofType(synthesized.resources, 'AWS::Lambda::Function'));
    for (const [name, { Arguments, TimeoutSeconds }] of machines.flatMap(statesOf)) {
      const id = /function:(\w+)/.exec(String(Arguments?.FunctionName))?.[1];
      if (id) expect(TimeoutSeconds, name).toBe(Number(functions.get(id)?.Properties.Timeout) + 5);
    }
  });
});
