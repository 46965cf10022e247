import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { synthesize } from '../synthesized.ts';
import { definition, type StateMachine } from './state-machine.ts';

const page = readFileSync(join(import.meta.dirname, '..', '..', '..', 'docs', 'how-it-works.md'), 'utf8');
const drawings = [...page.matchAll(/^```mermaid\n(.*?)^```/gms)].map(([, drawing = '']) => drawing);
const synthesized = synthesize();

/** Returns the names in `id[Name]`, `id{Name}`, `id([Name])` and `subgraph id [Name: what it repeats]`. */
function drawnStates(drawing: string): readonly string[] {
  const labels = [...drawing.matchAll(/\w ?(?:\(\[|\[|\{)([A-Z][^\]}:]*)/g)].map(([, label = '']) => label);
  return [...new Set(labels)].toSorted();
}

/** Returns the names of all states, including those inside a Map or a Parallel. */
function statesOf({ States: states }: Pick<StateMachine, 'States'>): readonly string[] {
  return Object.entries(states).flatMap(([name, { ItemProcessor, Branches = [] }]) => [
    name,
    ...[...(ItemProcessor ? [ItemProcessor] : []), ...Branches].flatMap(statesOf),
  ]);
}

test.each([
  ['-fleet', 0],
  ['-renewal', 1],
  ['-accounts', 2],
])('the drawing of the workflow %s shows exactly its states', (ending, index) => {
  expect(drawnStates(drawings[index] ?? '')).toEqual(statesOf(definition(ending, synthesized)).toSorted());
});
