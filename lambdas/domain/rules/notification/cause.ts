import { createHash } from 'node:crypto';

/** Times, ids of requests, and numbers. Ids of hosted zones and of keys stay, because the operator has to act on each of them. */
const varying = /\d{4}-\d\d-\d\dT[\d:.]+Z|[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}|\b\d+\b/gi;

/**
 * Returns a key that is equal for failures with one cause. Names of the certificate are left out of the text, and so are times, numbers and the
 * paths of URLs. So fifty certificates that one CA refuses for one reason have one key.
 */
export function causeOf(error: string, text: string, names: readonly string[]): string {
  const longestFirst = names.flatMap((name) => [name, name.replace(/^\*\./, '')]).sort((a, b) => b.length - a.length);
  const general = longestFirst
    .reduce((left, name) => left.replaceAll(wholeWord(name), '<name>'), text)
    .replaceAll(/(https?:\/\/[^\s/]+)\/\S*/g, '$1')
    .replaceAll(varying, '<number>');
  return createHash('sha256').update(`${error} ${general}`).digest('hex').slice(0, 16);
}

/** Returns an expression for the name where it is not a part of a longer name. */
function wholeWord(name: string): RegExp {
  const literal = name.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`(?<![\\w-])${literal}(?![\\w-])`, 'g');
}
