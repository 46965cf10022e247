import type { Issuer } from '../../lambdas/domain/contract/config.ts';
import { setHash } from '../../lambdas/domain/rules/certificate/certificate-spec.ts';
import type { ReadCertificate } from './certificates.ts';
import { type Report, show } from './fields.ts';

export function checkNames(certificates: readonly ReadCertificate[], report: Report): void {
  const first = new Map<string, number>();
  for (const [index, { name }] of certificates.entries()) {
    const twin = name === undefined ? undefined : first.get(name);
    if (twin !== undefined) {
      const found = `found ${show(name)}, the name of certificates[${twin}] too`;
      report(`certificates[${index}].name`, `${found}, allowed: a name of its own`);
    } else if (name !== undefined) first.set(name, index);
  }
}

/**
 * CAs count certificates by directory and exact set of names, whatever the key: Let's Encrypt issues five in seven days
 * (https://letsencrypt.org/docs/rate-limits). Two, an RSA and an ECDSA one, leave room for repeats; twins of one key type
 * serve nobody.
 */
export function checkSets(certificates: readonly ReadCertificate[], issuers: readonly Issuer[], report: Report): void {
  const sets = new Map<string, number[]>();
  for (const [index, { identifiers, keyType, issuers: [issuer = -1] = [] }] of certificates.entries()) {
    const directoryUrl = issuers[issuer]?.directoryUrl;
    if (identifiers === undefined || keyType === undefined || directoryUrl === undefined) continue;
    const key = setHash(directoryUrl, identifiers);
    const earlier = sets.get(key) ?? [];
    const twin = earlier.find((other) => certificates[other]?.keyType === keyType);
    const found = 'found the identifiers and issuer of';
    if (twin !== undefined) {
      const allowed = 'one certificate of them';
      report(
        `certificates[${index}]`,
        `${found} certificates[${twin}] with the same key type ${keyType}, allowed: ${allowed}`,
      );
      continue;
    }
    if (earlier.length >= 2) {
      const others = earlier.map((other) => `certificates[${other}]`).join(' and ');
      report(`certificates[${index}]`, `${found} ${others}, allowed: two certificates of one set of identifiers`);
    }
    sets.set(key, [...earlier, index]);
  }
}
