import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

/** The name of the file in `schemas/` that describes the detail of a detail type. */
export const schemaFile = (detailType: string): string =>
  `${detailType.toLowerCase().replaceAll(' ', '-')}.schema.json`;

export const readSchema = (detailType: string): Readonly<Record<string, unknown>> =>
  JSON.parse(readFileSync(join(import.meta.dirname, '..', 'schemas', schemaFile(detailType)), 'utf8'));

const compiled = new Map<string, ValidateFunction>();

/** Returns what is wrong with an event by the schema of its detail type. It is empty if the event is right. */
export function schemaErrors(detailType: string, detail: unknown): readonly string[] {
  const validate = compiled.get(detailType) ?? new Ajv2020({ allErrors: true }).compile(readSchema(detailType));
  compiled.set(detailType, validate);
  if (validate(detail)) return [];
  return (validate.errors ?? []).map(
    ({ instancePath, message }) => `${detailType}${instancePath} ${message}: ${JSON.stringify(detail)}`,
  );
}
