import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import type { OutsideChange } from '../../../../lambdas/domain/contract/certificate-facts.ts';
import { parseEvent } from '../../../../lambdas/domain/contract/events.ts';
import { changedOutside, cleanUpFailed, failed, notServed, renewed } from '../../../fakes/events.ts';

const event = (detailType: string, detail: unknown) => ({ source: 'perennial', 'detail-type': detailType, detail });

test.each([
  ['Certificate Renewed', renewed],
  ['Certificate Renewal Failed', failed],
  ['Certificate Not Served', notServed],
  ['Certificate Clean-Up Failed', cleanUpFailed],
  ['Certificate Changed Outside Perennial', changedOutside],
])('"%s" is read with its detail', (detailType, detail) => {
  expect(parseEvent({ ...event(detailType, detail), account: '111122223333' })).toEqual({ detailType, detail });
});

test('the detail type of an event determines the type of its detail', () => {
  const parsed = parseEvent(event('Certificate Renewed', renewed));
  if (parsed.detailType !== 'Certificate Renewed') throw new Error(parsed.detailType);
  expect(parsed.detail.current.notAfter).toBe(renewed.current.notAfter);
});

describe('parseEvent rejects', () => {
  test.each([
    ['an event of another source', { ...event('Certificate Renewed', renewed), source: 'aws.acm' }, /of aws\.acm/],
    [
      'another event of this source',
      event('Certificate Account Request Failed', {}),
      /Certificate Account Request Failed/,
    ],
    ['null', null, /undefined of undefined/],
  ])('%s', (_, given, message) => {
    expect(() => parseEvent(given)).toThrow(message);
  });

  test('an event with missing or invalid members, and names them', () => {
    const { attempt: _, ...less } = failed;
    expect(() => parseEvent(event('Certificate Renewal Failed', { ...less, nextAttempt: 7 }))).toThrow(
      'missing or invalid members: attempt, nextAttempt.',
    );
  });
});

describe('the schema of Certificate Changed Outside Perennial', () => {
  const file = 'schemas/certificate-changed-outside-perennial.schema.json';
  const schema = JSON.parse(readFileSync(file, 'utf8')) as {
    readonly properties: {
      readonly changes: { readonly items: { readonly properties: { kind: { enum: string[] } } } };
    };
  };
  const validate = new Ajv2020({ allErrors: true }).compile(schema);
  /** Every kind, because a missing one does not compile. */
  const kinds: Readonly<Record<OutsideChange['kind'], true>> = {
    secretDeleted: true,
    secretScheduledForDeletion: true,
    secretTagsLost: true,
    versionMoved: true,
    valueReplaced: true,
    importDeleted: true,
    importReplaced: true,
    importTagsLost: true,
  };

  test('accepts a detail of every kind, and the kinds of the type only', () => {
    for (const kind of Object.keys(kinds)) {
      const changes = changedOutside.changes.map((change) => ({ ...change, kind }));
      expect(validate({ ...changedOutside, changes }), kind).toBe(true);
    }
    expect(schema.properties.changes.items.properties.kind.enum).toEqual(Object.keys(kinds));
  });

  test.each([
    ['a member', { changes: undefined }],
    ['a change', { changes: [] }],
    ['the action of a change', { changes: changedOutside.changes.map(({ action: _, ...change }) => change) }],
  ])('rejects a detail without %s', (_, fields) => {
    expect(validate(JSON.parse(JSON.stringify({ ...changedOutside, ...fields })))).toBe(false);
  });
});
