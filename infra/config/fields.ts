import { Duration, Token } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { z } from 'zod';

/** Takes one mistake: where, and a sentence with what was found and what is allowed. */
export type Report = (path: string, sentence: string) => void;

export type Shape = Readonly<Record<string, z.ZodType>>;
export type Fields<S extends Shape> = { readonly [K in keyof S]?: z.output<S[K]> };

/** Every value that has a place in the file has to be known at synth, because the file is written then. */
const tokenSentence =
  'found a CDK token, allowed: a value known at synth (only ids of hosted zones and ARNs may be tokens)';

/** A text of this pattern; `allowed` says in words what the pattern does. */
export function text(pattern: RegExp, allowed: string): z.ZodString {
  return z.string({ error: allowed }).regex(pattern, { error: allowed });
}

export const flag: z.ZodBoolean = z.boolean({ error: 'true or false' });

/** A field that somebody else reads. */
export const unread: z.ZodUnknown = z.unknown();

export function list(allowed: string): z.ZodArray<z.ZodUnknown> {
  return z.array(z.unknown(), { error: allowed });
}

/** Meta of a schema that takes tokens. */
export const takesTokens = { takesTokens: true } as const;

/** One value. `undefined`, with the mistake reported, where the schema refuses it. */
export function readValue<T extends z.ZodType>(
  schema: T,
  value: unknown,
  path: string,
  report: Report,
): z.output<T> | undefined {
  if (isToken(value) && !schema.meta()?.takesTokens) {
    report(path, tokenSentence);
    return undefined;
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  report(path, `found ${show(value)}, allowed: ${result.error.issues[0]?.message}`);
  return undefined;
}

/** Elements keep their index; a refused one is `undefined`. */
export function readList<T extends z.ZodType>(
  schema: T,
  values: readonly unknown[] | undefined,
  path: string,
  report: Report,
): readonly (z.output<T> | undefined)[] {
  return (values ?? []).map((value, index) => readValue(schema, value, `${path}[${index}]`, report));
}

/** The readable fields of an object; `undefined`: it is none. Reading goes on after a mistake, so that all are told at once. */
export function readFields<S extends Shape>(
  shape: S,
  value: unknown,
  path: string,
  report: Report,
  otherKeys: readonly string[] = [],
): Fields<S> | undefined {
  const known = [...Object.keys(shape), ...otherKeys];
  // Nobody wants to read of a construct's private members.
  const isCdk = isToken(value) || Construct.isConstruct(value);
  if (typeof value !== 'object' || value === null || Array.isArray(value) || isCdk) {
    report(path || 'config', `found ${show(value)}, allowed: an object with ${known.join(', ')}`);
    return undefined;
  }
  const inside = (key: string) => (path ? `${path}.${key}` : key);
  for (const key of Object.keys(value).filter((candidate) => !known.includes(candidate)))
    report(inside(key), `found an unknown key${suggestion(key, known)}, allowed: ${known.join(', ')}`);
  const entries = new Map<string, unknown>(Object.entries(value));
  const fields: { [K in keyof S]?: z.output<S[K]> } = {};
  for (const key of Object.keys(shape) as (keyof S & string)[])
    fields[key] = readValue(shape[key] as S[typeof key], entries.get(key), inside(key), report);
  return fields;
}

/** A token as text, as list, as element of a token list, or not yet encoded. */
export function isToken(value: unknown): boolean {
  return Token.isUnresolved(value) || (typeof value === 'string' && Token.isUnresolved([value]));
}

/** A found value in a sentence: JSON on one line, short. */
export function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (isToken(value)) return 'a CDK token';
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (Construct.isConstruct(value)) return 'a construct';
  if (value instanceof Duration) return value.isUnresolved() ? 'a Duration with a CDK token' : String(value);
  if (typeof value === 'object' && value !== null) return 'an object';
  const json = JSON.stringify(value) ?? String(value);
  return json.length > 80 ? `${json.slice(0, 77)}..."` : json;
}

/** `, did you mean "…"?` where a known word is at most two edits away, one for short words; else nothing. */
export function suggestion(word: unknown, known: Iterable<string>): string {
  if (typeof word !== 'string') return '';
  let best: { readonly word: string; readonly edits: number } | undefined;
  for (const candidate of known) {
    const edits = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (edits <= (candidate.length < 5 ? 1 : 2) && edits < (best?.edits ?? Infinity)) best = { word: candidate, edits };
  }
  return best ? ` (did you mean ${JSON.stringify(best.word)}?)` : '';
}

/** Levenshtein: the fewest insertions, deletions and substitutions of one character. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substituted, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
