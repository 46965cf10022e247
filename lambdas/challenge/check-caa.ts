import type { RecordedAccount } from '../domain/contract/certificate-facts.ts';
import { CaaError } from '../domain/contract/errors.ts';
import type { AuthoritativeDns } from '../domain/ports/dns.ts';
import { caaRefusal, caaRestricts, isStale } from '../domain/rules/proof/caa.ts';
import { withoutWildcard } from '../domain/rules/proof/names.ts';

interface Order {
  readonly certificate: string;
  /** Name of the issuer. */
  readonly issuer: string;
  /** `null`: not known before the first order there. */
  readonly account: RecordedAccount | null;
  readonly now: Date;
}

/**
 * Whether the CAA records of an identifier let the issuer issue. RFC 8659. Throws `CaaError` where they do not, going by the names that
 * the issuer's own directory gives; where those are unknown or stale, or nothing could be looked up, it is a warning and the CA decides.
 */
export async function checkCaa(
  identifier: string,
  { certificate, issuer, account, now }: Order,
  caaOf: AuthoritativeDns['caa'],
  warn: (warning: string) => void,
): Promise<void> {
  const name = withoutWildcard(identifier);
  const answer = await caaOf(name);
  if ('failed' in answer) return warn(`The CAA records of ${name} could not be looked up: ${answer.failed}.`);
  const { found: set } = answer;
  if (!set) return;
  if (!account || account.caaIdentities.length === 0) {
    if (!caaRestricts(identifier, set.records)) return;
    const why = account
      ? 'its directory does not say by which name'
      : 'its names are known after the first order there';
    return warn(
      `CAA records at ${set.domain} say who may issue for ${identifier}, and whether ${issuer} may is not known: ${why}.`,
    );
  }
  const refusal = caaRefusal(identifier, set, account);
  if (!refusal) return;
  const behind = name === set.domain || name.endsWith(`.${set.domain}`) ? '' : ', where a CNAME leads,';
  if (isStale(account, now)) {
    return warn(
      `The CAA set at ${set.domain}${behind} ${refusal.why}. What the ledger knows of ${issuer} and of its account there is stale, so the CA decides whether to issue for ${identifier}.`,
    );
  }
  throw new CaaError({
    what: `${issuer} may not issue for ${identifier}.`,
    why: `The CAA set at ${set.domain}${behind} ${refusal.why}.`,
    remedy: refusal.remedy,
    certificate,
    identifier,
    issuer,
    record: refusal.record,
    problem: { type: 'urn:ietf:params:acme:error:caa', identifier },
  });
}
