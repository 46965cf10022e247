import { Duration, Token } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { z } from 'zod';
import { type Synonyms, suggestion, synonymOf } from '../../lambdas/domain/rules/suggestion.ts';
import type { Report } from './mistakes.ts';

export type Shape = Readonly<Record<string, z.ZodType>>;
export type Fields<S extends Shape> = { readonly [K in keyof S]?: z.output<S[K]> };

/** An object of the configuration. */
export interface ObjectKind<S extends Shape = Shape> {
  /** Name of the object as the subject of a sentence, such as `a certificate`. */
  readonly subject: string;
  readonly fields: S;
  readonly synonyms?: Synonyms;
}

/** Returns the schema of a text of this pattern. `allowed` describes the pattern in words. */
export function text(pattern: RegExp, allowed: string): z.ZodString {
  return z.string({ error: allowed }).regex(pattern, { error: allowed });
}

/** Returns the schema of a text of this pattern, or of a CDK token, whose value is not known at synth. */
export function textOrToken(pattern: RegExp, allowed: string): z.ZodString {
  return z
    .string({ error: allowed })
    .refine((value) => Token.isUnresolved(value) || pattern.test(value), { error: allowed })
    .meta(takesTokens);
}

export const flag: z.ZodBoolean = z.boolean({ error: 'true or false' });

/** The schema of a field that another function reads. */
export const unread: z.ZodUnknown = z.unknown();

export function list(allowed: string): z.ZodArray<z.ZodUnknown> {
  return z.array(z.unknown(), { error: allowed });
}

/** The schema property that allows a CDK token. It has to be set on the outermost schema. */
export const takesTokens = { takesTokens: true } as const;

/** Returns the schema property that suggests one of these words for a misspelled one. It has to be set on the outermost schema. */
export function suggests(words: readonly string[], synonyms: Synonyms = {}) {
  return { suggest: (value: unknown) => suggestion(value, words, synonyms) } as const;
}

/** Returns a value as the schema reads it. Reports a value that the schema rejects, and returns `undefined`. */
export function readValue<T extends z.ZodType>(
  schema: T,
  value: unknown,
  path: string,
  report: Report,
): z.output<T> | undefined {
  const { takesTokens, suggest } = schema.meta() ?? {};
  if (isToken(value) && !takesTokens) {
    // The file config.json is written at synth, so every value in it has to be known.
    const allowed = 'expected a value that is known at synth, because only ids of hosted zones and ARNs may be tokens';
    report(path, 'found a CDK token', allowed);
    return undefined;
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const hint = typeof suggest === 'function' ? suggest(value) : '';
  report(path, `${found(value)}${hint}`, `expected ${result.error.issues[0]?.message}`);
  return undefined;
}

/** Returns the elements at their indices. An element that the schema rejects is reported, and is `undefined`. */
export function readList<T extends z.ZodType>(
  schema: T,
  values: readonly unknown[] | undefined,
  path: string,
  report: Report,
): readonly (z.output<T> | undefined)[] {
  return (values ?? []).map((value, index) => readValue(schema, value, `${path}[${index}]`, report));
}

/**
 * Returns the fields of an object. A field that its schema rejects is reported and is `undefined`, and reading continues, so that all
 * mistakes are reported at once. Returns `undefined` for a value that is not an object.
 */
export function readFields<S extends Shape>(
  { subject, fields: shape, synonyms = {} }: ObjectKind<S>,
  value: unknown,
  path: string,
  report: Report,
): Fields<S> | undefined {
  const known = Object.keys(shape);
  // A construct is rejected as a whole. Reporting its private members would not help the reader.
  const isCdk = isToken(value) || Construct.isConstruct(value);
  if (typeof value !== 'object' || value === null || Array.isArray(value) || isCdk) {
    report(path || 'config', found(value), `expected an object with ${known.join(', ')}`);
    return undefined;
  }
  const inside = (key: string) => (path ? `${path}.${key}` : key);
  for (const key of Object.keys(value).filter((candidate) => !known.includes(candidate))) {
    const elsewhere = synonymOf(key, synonyms);
    const hint = suggestion(key, known, synonyms);
    const keys = `${subject} takes ${known.join(', ')}`;
    report(inside(key), `unknown key${hint}`, elsewhere && !known.includes(elsewhere) ? elsewhere : keys);
  }
  const entries = new Map<string, unknown>(Object.entries(value));
  const fields: { [K in keyof S]?: z.output<S[K]> } = {};
  for (const key of Object.keys(shape) as (keyof S & string)[])
    fields[key] = readValue(shape[key] as S[typeof key], entries.get(key), inside(key), report);
  return fields;
}

/** Returns whether a value is a CDK token in any form: a text, a list, an element of a token list, or not yet encoded. */
export function isToken(value: unknown): boolean {
  return Token.isUnresolved(value) || (typeof value === 'string' && Token.isUnresolved([value]));
}

/** Returns what is wrong with a value of the wrong kind: that it is missing, or what was found. */
export function found(value: unknown): string {
  return value === undefined ? 'missing' : `found ${show(value)}`;
}

/** Returns a value for use in a sentence: short JSON on one line, or what kind of value it is. */
export function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (isToken(value)) return 'a CDK token';
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (Construct.isConstruct(value)) return 'a construct';
  if (value instanceof Promise) return 'a promise';
  if (value instanceof Duration) return value.isUnresolved() ? 'a Duration with a CDK token' : String(value);
  if (typeof value === 'object' && value !== null) return 'an object';
  const json = JSON.stringify(value) ?? String(value);
  return json.length > 80 ? `${json.slice(0, 77)}..."` : json;
}
