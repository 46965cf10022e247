import { expect, test } from 'vitest';
import { type DetailOf, parseEvent } from '../../lambdas/domain/contract/events.ts';
import { details } from '../fakes/events.ts';
import { synthesize } from './synthesized.ts';
import { definition } from './workflows/state-machine.ts';

interface Entry {
  readonly Source: string;
  readonly DetailType: string;
  readonly Detail: Readonly<Record<string, unknown>>;
}

/** Returns every entry of events:putEvents in a definition. */
function entriesIn(value: unknown): Entry[] {
  if (typeof value !== 'object' || value === null) return [];
  return [...('DetailType' in value ? [value as Entry] : []), ...Object.values(value).flatMap(entriesIn)];
}

const announced = ['-renewal', '-fleet', '-accounts'].flatMap((name) => entriesIn(definition(name, synthesize())));

test('the workflows publish the events that have a type', () => {
  expect(new Set(announced.map(({ DetailType }) => DetailType))).toEqual(new Set(Object.keys(details)));
});

test('each published event has the members of its type', () => {
  for (const { Source, DetailType, Detail } of announced) {
    expect(Source).toBe('perennial');
    expect(Object.keys(Detail), DetailType).toEqual(Object.keys(details[DetailType as keyof DetailOf]));
  }
});

test('the parser rejects an event without one of its members', () => {
  for (const [detailType, detail] of Object.entries(details))
    for (const member of Object.keys(detail)) {
      const { [member]: _, ...less } = detail as Record<string, unknown>;
      const event = { source: 'perennial', 'detail-type': detailType, detail: less };
      expect(() => parseEvent(event), `${detailType} without ${member}`).toThrow(member);
    }
});
