import { identifierProblem, normalizeIdentifier } from '../../lambdas/domain/rules/proof/names.ts';

/** Tells whether this is one addr-spec with a domain of DNS (RFC 5322 §3.4.1), without header fields. */
export const isEmailAddress = (value: string): boolean =>
  /^[^\s@,;?%]+@[^@]+$/.test(value) && isDomain(domainOf(value));

/** Returns the address with its domain in A-labels and lower case. */
export const normalizeEmailAddress = (value: string): string =>
  `${value.slice(0, value.indexOf('@') + 1)}${domainOf(value)}`;

const domainOf = (address: string): string => normalizeIdentifier(address.slice(address.indexOf('@') + 1));
const isDomain = (domain: string): boolean => !domain.startsWith('*') && identifierProblem(domain) === null;
