import { Token } from 'aws-cdk-lib';
import type { Tags } from '../../lambdas/domain/contract/environment.ts';
import type { CheckedConfig } from './check-config.ts';
import { found, isToken, show } from './fields.ts';
import { mistake, type Report } from './mistakes.ts';
import { tokenCharacters } from './stack-mistakes.ts';

/** Characters that both Secrets Manager and ACM allow. https://docs.aws.amazon.com/acm/latest/APIReference/API_Tag.html */
const characters = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;
const reserved = /^(aws|perennial):/i;
/** AWS allows 50 tags. An import has four of this project: `Name` and three whose keys begin with `perennial:`. */
const mostTags = 46;
/** Bytes for tags and CDK tokens in the 4 KB of a function's environment, without the prefixes of secrets, which are in it too. */
const mostBytes = 3350;
/** Bytes that are assumed for the value of a token. */
const tokenBytes = 64;

/** Returns the tags of the configuration. Tags that cannot be set are reported. */
export function readTagsField(value: unknown, report: Report): Tags {
  if (value === undefined) return {};
  if (typeof value !== 'object' || value === null || Array.isArray(value) || isToken(value)) {
    report('tags', found(value), 'expected an object with a text for each key, such as { team: "web" }');
    return {};
  }
  const entries = Object.entries(value);
  reportTags(entries, report);
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}

/** Returns the mistakes in all tags that reach secrets and imports, as sentences of a synth error. */
export function runtimeTagMistakes(tags: Tags, { deployed, tokens, secretPrefix }: CheckedConfig): string[] {
  const mistakes: string[] = [];
  const report: Report = (...parts) => mistakes.push(mistake(...parts));
  reportTags(Object.entries(tags), report);
  const texts = Object.entries(tags).map(([key, value]) => [
    key,
    Token.isUnresolved(value) ? '0'.repeat(tokenBytes) : value,
  ]);
  const bytes = texts.length > 0 ? Buffer.byteLength(JSON.stringify(Object.fromEntries(texts))) : 0;
  const most = mostBytes - 2 * secretPrefix.length - tokenCharacters(deployed, tokens);
  if (bytes > most && texts.length > 0)
    report(
      'tags',
      `${texts.length} tags have ${bytes} bytes`,
      `expected at most ${most}, which fit into a function's environment`,
    );
  return mistakes;
}

function reportTags(tags: readonly (readonly [string, unknown])[], report: Report): void {
  for (const [key, value] of tags) {
    const path = `tags[${isToken(key) ? 'a CDK token' : show(key)}]`;
    if (reserved.test(key))
      report(path, 'begins with a reserved prefix', 'expected a key that does not begin with aws: or perennial:');
    else if (isToken(key) || key.length === 0 || key.length > 128 || !characters.test(key))
      report(
        path,
        'is no key of a tag',
        'expected 1 to 128 letters, digits, spaces and _.:/=+-@ that are known at synth',
      );
    if (!isValue(value))
      report(path, found(value), 'expected a text of at most 256 letters, digits, spaces and _.:/=+-@');
  }
  if (tags.length > mostTags)
    report(
      'tags',
      `found ${tags.length} tags`,
      `expected at most ${mostTags}, because AWS allows 50 and four are of Perennial`,
    );
}

const isValue = (value: unknown): boolean =>
  typeof value === 'string' && (Token.isUnresolved(value) || (value.length <= 256 && characters.test(value)));
