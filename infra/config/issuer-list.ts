import { isDeepStrictEqual } from 'node:util';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Issuer } from '../../lambdas/domain/contract/config.ts';
import { show } from './fields.ts';
import type { AcmeIssuer } from './issuer-options.ts';
import type { Report } from './mistakes.ts';
import { type ReadIssuer, readIssuer } from './read-issuer.ts';
import { keyOfSecret } from './references.ts';

/** The issuers of a configuration in order of appearance, each once, because thousands of certificates may share one issuer object. */
export interface IssuerList {
  readonly issuers: readonly Issuer[];
  /** PEM texts of the roots that are trusted for an issuer, by the URL of its directory. Issuers without roots are absent. */
  readonly trustedRoots: Readonly<Record<string, string>>;
  /** Indices of the issuers whose certificates browsers do not trust. */
  readonly untrusted: ReadonlySet<number>;
  /** Customer's KMS keys of the secrets with external account bindings, as far as they are known. */
  readonly bindingKeys: ReadonlySet<IKey>;
  /** Returns the index of an issuer in `issuers`. Mistakes are reported at the path where the issuer appears first. */
  indexOf(value: unknown, path: string): number;
}

export function issuerList(report: Report): IssuerList {
  const seen = new Map<unknown, number>();
  const issuers: Issuer[] = [];
  const paths: string[] = [];
  const reads: ReadIssuer[] = [];
  const trustedRoots: Record<string, string> = {};
  const untrusted = new Set<number>();
  const bindingKeys = new Set<IKey>();
  const add = (value: unknown, path: string): number => {
    const read = readIssuer(value, path, report);
    const key = keyOfSecret((value as Partial<AcmeIssuer> | null)?.externalAccountBinding);
    if (key) bindingKeys.add(key);
    const known = issuers.findIndex(({ directoryUrl }) => directoryUrl === read.issuer.directoryUrl);
    if (known === -1) {
      const sameName = issuers.findIndex(({ name }) => name === read.issuer.name);
      if (sameName !== -1) {
        const problem = `duplicate name ${show(read.issuer.name)} (also ${paths[sameName]})`;
        report(`${path}.name`, problem, 'each directory must have its own name');
      }
      paths.push(path);
      reads.push(read);
      if (read.trustedRoots.length > 0) trustedRoots[read.issuer.directoryUrl] = read.trustedRoots.join('\n');
      const index = issuers.push(read.issuer) - 1;
      if (!read.publiclyTrusted) untrusted.add(index);
      return index;
    }
    if (!isDeepStrictEqual(reads[known], read)) {
      const problem = `settings differ from ${paths[known]}, which has the same directory`;
      report(path, problem, 'use one issuer with the same settings for each directory');
    }
    return known;
  };
  const indexOf = (value: unknown, path: string): number => {
    const index = seen.get(value) ?? add(value, path);
    seen.set(value, index);
    return index;
  };
  return { issuers, trustedRoots, untrusted, bindingKeys, indexOf };
}

/** An issuer in the list and the path where it appears. */
interface First {
  readonly index: number;
  readonly path: string;
}

/**
 * Returns the indices of the issuers to ask after `first`. Each may appear once, and all have to be staging directories or none: a failing
 * CA is no reason to deploy certificates that browsers do not trust.
 */
export function readFallbacks(
  values: readonly unknown[],
  path: string,
  { issuers, first }: { readonly issuers: IssuerList; readonly first: First },
  report: Report,
): readonly number[] {
  const paths = new Map([[first.index, first.path]]);
  const { staging } = issuers.issuers[first.index] ?? {};
  const fallbacks: number[] = [];
  for (const [position, value] of values.entries()) {
    const at = `${path}[${position}]`;
    const index = issuers.indexOf(value, at);
    if (typeof value !== 'object' || value === null) continue; // reported by indexOf
    const same = paths.get(index);
    const issuer = issuers.issuers[index];
    const kind = issuer?.staging === true ? 'staging directory' : 'not a staging directory';
    if (same !== undefined) report(at, `same directory as ${same}`, 'list each directory once');
    else if (issuer?.staging !== staging)
      report(
        at,
        `${kind}, unlike ${first.path}`,
        'the issuers of a certificate must be all staging directories or none',
      );
    else if (issuer?.termsOfServiceAgreed === false)
      report(
        `${at}.termsOfServiceAgreed`,
        'found false',
        'set true if you agree to its terms, because a fallback issuer is asked only where it has an account',
      );
    paths.set(index, at);
    fallbacks.push(index);
  }
  return fallbacks;
}
