import type { Issuer } from '../../lambdas/domain/contract/config.ts';
import { setHash } from '../../lambdas/domain/rules/certificate/certificate-spec.ts';
import type { ReadCertificate } from './certificates.ts';
import { show } from './fields.ts';
import type { Report } from './mistakes.ts';

export function checkNames(certificates: readonly ReadCertificate[], report: Report): void {
  const first = new Map<string, number>();
  for (const [index, { name }] of certificates.entries()) {
    const same = name === undefined ? undefined : first.get(name);
    if (same !== undefined) {
      const problem = `duplicate name ${show(name)} (also certificates[${same}])`;
      report(`certificates[${index}].name`, problem, 'names must be unique');
    } else if (name !== undefined) first.set(name, index);
  }
}

/**
 * Checks that at most two certificates have the same names and first issuer, and that their key types differ.
 *
 * CAs count certificates by directory and exact set of names, regardless of the key. Let's Encrypt issues five in seven days
 * (https://letsencrypt.org/docs/rate-limits). One RSA and one ECDSA certificate leave enough for repeated orders. A second certificate with
 * the same names and key type has no use.
 */
export function checkSets(certificates: readonly ReadCertificate[], issuers: readonly Issuer[], report: Report): void {
  const sets = new Map<string, number[]>();
  for (const [index, { identifiers, keyType, issuers: [issuer = -1] = [] }] of certificates.entries()) {
    const directoryUrl = issuers[issuer]?.directoryUrl;
    if (identifiers === undefined || keyType === undefined || directoryUrl === undefined) continue;
    const key = setHash(directoryUrl, identifiers);
    const earlier = sets.get(key) ?? [];
    const same = earlier.find((other) => certificates[other]?.keyType === keyType);
    if (same !== undefined) {
      const problem = `same identifiers, issuer and key type ${keyType} as certificates[${same}]`;
      report(`certificates[${index}]`, problem, 'remove one of the two certificates');
      continue;
    }
    if (earlier.length >= 2) {
      const others = earlier.map((other) => `certificates[${other}]`).join(' and ');
      const allowed = 'expected at most two certificates with the same identifiers and issuer';
      report(`certificates[${index}]`, `same identifiers and issuer as ${others}`, allowed);
    }
    sets.set(key, [...earlier, index]);
  }
}
