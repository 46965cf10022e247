import type { RecordedAccount } from '../domain/contract/certificate-facts.ts';
import { CaaError } from '../domain/contract/errors.ts';
import type { AuthoritativeDns } from '../domain/ports/dns.ts';
import { caaRefusal, caaRestricts, isStale } from '../domain/rules/proof/caa.ts';
import { withoutWildcard } from '../domain/rules/proof/names.ts';

interface Order {
  readonly certificate: string;
  /** Name of the issuer. */
  readonly issuer: string;
  /** The account at the issuer. `null` before the first order there. */
  readonly account: RecordedAccount | null;
  readonly now: Date;
}

/**
 * Checks whether the CAA records of an identifier allow the issuer to issue. RFC 8659. The issuer is recognized by the CAA identities that its
 * own directory lists. If these are unknown or stale, or if the lookup fails, the result is a warning and the CA decides.
 *
 * @throws CaaError if the records do not allow the issuer
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
      ? 'its directory lists no CAA identities'
      : 'its CAA identities are known only after the first order there';
    return warn(
      `CAA records at ${set.domain} restrict who may issue for ${identifier}. Whether they allow ${issuer} is unknown, because ${why}.`,
    );
  }
  const refusal = caaRefusal(identifier, set, account);
  if (!refusal) return;
  const behind = name === set.domain || name.endsWith(`.${set.domain}`) ? '' : ', the target of a CNAME,';
  if (isStale(account, now)) {
    return warn(
      `The CAA set at ${set.domain}${behind} ${refusal.why}. The recorded CAA identities and account of ${issuer} are stale, so the CA decides whether to issue for ${identifier}.`,
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
