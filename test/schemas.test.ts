import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { OutsideChange, ServedCertificate } from '../lambdas/domain/contract/certificate-facts.ts';
import { readSchema, schemaErrors, schemaFile } from './event-schemas.ts';
import { details } from './fakes/events.ts';

const detailTypes = Object.keys(details) as (keyof typeof details)[];

type Schema = Readonly<Record<string, unknown>> & {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly enum?: readonly string[];
};

/** A detail as it arrives, without members that are `undefined`. */
const arrived = (detail: object): object => JSON.parse(JSON.stringify(detail));

test('every event has a schema, and every schema belongs to an event or to the secret', () => {
  const files = [...detailTypes.map(schemaFile), 'certificate-secret.schema.json'];
  expect(readdirSync('schemas').toSorted()).toEqual(files.toSorted());
});

describe.each(detailTypes)('the schema of "%s"', (detailType) => {
  test('accepts a complete detail, and one with new members', () => {
    expect(schemaErrors(detailType, details[detailType])).toEqual([]);
    expect(schemaErrors(detailType, { ...details[detailType], added: 1 })).toEqual([]);
  });

  test('requires each member of the type', () => {
    const members = Object.keys(details[detailType]);
    expect(Object.keys(readSchema(detailType).properties as object)).toEqual(members);
    for (const member of members)
      expect(schemaErrors(detailType, arrived({ ...details[detailType], [member]: undefined })), member).not.toEqual(
        [],
      );
  });

  test('requires each member of the entries of its lists', () => {
    const lists = Object.entries(details[detailType]).filter(([, value]) => Array.isArray(value));
    const optional = lists.flatMap(([member, [entry]]) =>
      Object.keys(entry).filter((key) => {
        const detail = { ...details[detailType], [member]: [{ ...entry, [key]: undefined }] };
        return schemaErrors(detailType, arrived(detail)).length === 0;
      }),
    );
    expect(optional).toEqual([]);
  });

  test('describes each member and names the event', () => {
    const schema = readSchema(detailType) as Schema;
    expect(schema).toMatchObject({ title: detailType, $id: expect.stringMatching(/^urn:perennial:[a-z-]+:1$/) });
    for (const [name, { description }] of Object.entries(schema.properties ?? {}))
      expect(description, name).toEqual(expect.any(String));
  });
});

const enumOf = (detailType: string, list: string, member: string): readonly string[] | undefined =>
  (readSchema(detailType) as Schema).properties?.[list]?.items?.properties?.[member]?.enum;

test('the schemas have the kinds of changes and the states of endpoints that the types have', () => {
  // A missing one does not compile.
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
  const statuses: Readonly<Record<ServedCertificate['status'], true>> = {
    served: true,
    other: true,
    unreachable: true,
  };
  expect(enumOf('Certificate Changed Outside Perennial', 'changes', 'kind')).toEqual(Object.keys(kinds));
  expect(enumOf('Certificate Not Served', 'endpoints', 'status')).toEqual(Object.keys(statuses));
});

test('the schemas describe a certificate in the same words', () => {
  expect(readSchema('Certificate Not Served').$defs).toEqual(readSchema('Certificate Renewed').$defs);
});

test('a certificate may have the number of its timestamps, which is not zero', () => {
  const { current } = details['Certificate Renewed'];
  const withScts = (scts: number) => ({ ...details['Certificate Renewed'], current: { ...current, scts } });
  expect(schemaErrors('Certificate Renewed', withScts(2))).toEqual([]);
  expect(schemaErrors('Certificate Renewed', withScts(0))).not.toEqual([]);
});
