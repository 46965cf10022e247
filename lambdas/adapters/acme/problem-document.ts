import type { ProblemDocument } from '../../domain/contract/errors.ts';
import { printable } from '../../domain/contract/printable-text.ts';
import { withoutTokens } from './links.ts';
import { isRecord } from './replies.ts';
import { identifierField, urlField } from './reply-fields.ts';

/** Largest number of subproblems that are read. A certificate has at most 100 identifiers. */
const mostSubproblems = 100;

/** Reads the problem document of an order or a challenge. Returns `null` if it is not one. A subproblem has no subproblems. RFC 8555 §6.7.1 */
export function problemDocument(value: unknown): ProblemDocument | null {
  const problem = singleProblem(value);
  const { subproblems } = isRecord(value) ? value : {};
  if (!problem || !Array.isArray(subproblems)) return problem;
  const parts = subproblems.slice(0, mostSubproblems).flatMap((part) => singleProblem(part) ?? []);
  return parts.length > 0 ? { ...problem, subproblems: parts } : problem;
}

function singleProblem(value: unknown): ProblemDocument | null {
  if (!isRecord(value) || typeof value.type !== 'string') return null;
  const { type, status, detail, identifier } = value;
  const instance = linkField(value.instance);
  const name = isRecord(identifier) ? identifierField(identifier.value) : null;
  return {
    type: printable(type, 200),
    ...(Number.isInteger(status) ? { status: status as number } : {}),
    ...(typeof detail === 'string' ? { detail: safeText(detail) } : {}),
    ...(instance === null ? {} : { instance }),
    ...(name === null ? {} : { identifier: name }),
  };
}

/** Longest detail of a problem in characters. */
const longestDetail = 1000;

/** Removes the queries of links. Let's Encrypt's link that ends a pause has a token in its query. */
function safeText(detail: string): string {
  return printable(withoutTokens(detail.slice(0, 2 * longestDetail)), longestDetail);
}

/** A link without its query, which may be a token. */
export function linkField(value: unknown): string | null {
  const url = urlField(value);
  return url === null ? null : withoutTokens(url);
}
