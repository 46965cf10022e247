import type { AccountLinkInput, AccountLinkOutput } from '../domain/contract/steps.ts';
import { orderedProfile } from '../domain/rules/renewal/issuer-choice.ts';
import { type AccountPorts, ensureAccount } from './ensure-account.ts';

/**
 * Returns the link with which the CA asks the operator to act, for example to end a pause of the account. The CA sends the link only when it refuses an
 * order, so an order is placed. Nothing is written to DNS and nothing is saved.
 *
 * The link may have a token. It is in the output of the execution, and in no error, event or log.
 *
 * A second run gets a new link. If the CA accepts the order, it has a pending order, which expires or is used by the next renewal.
 */
export async function readAccountLink(
  { certificate, spec }: AccountLinkInput,
  ports: AccountPorts,
): Promise<AccountLinkOutput> {
  const { issuer, identifiers } = spec;
  const ca = await ensureAccount(issuer, ports);
  const link = await ca.accountLink({ identifiers, profile: orderedProfile(spec, await ca.profiles()) });
  return { certificate, issuer: issuer.name, link };
}
