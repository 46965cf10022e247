import type { PendingChallenge, RespondToChallengesInput, RespondToChallengesOutput } from '../rules/contract.ts';
import { CaUnavailableError, MalformedError } from '../rules/errors.ts';
import { pollWait } from '../rules/poll-wait.ts';
import type { CertificateAuthority } from '../rules/ports.ts';
import { type AccountPorts, registeredAccount } from './registered-account.ts';

/**
 * Tells the CA that the proofs are in place. RFC 8555 §7.5.1. A lost reply is read back, not repeated.
 *
 * A challenge answered before is no longer pending: the CA says `malformed`, we look, and it counts as answered; so twice is once.
 */
export async function respondToChallenges(
  { spec, challenges }: RespondToChallengesInput,
  ports: AccountPorts,
): Promise<RespondToChallengesOutput> {
  const ca = await registeredAccount(spec.issuer, ports);
  for (const challenge of challenges) await respond(challenge, ca);
  return { wait: pollWait(0, null) };
}

async function respond(challenge: PendingChallenge, ca: CertificateAuthority): Promise<void> {
  try {
    await ca.respond(challenge.url);
  } catch (error) {
    if (!(error instanceof MalformedError || error instanceof CaUnavailableError)) throw error;
    const { challenges } = await ca.authorization(challenge.authorization);
    const status = challenges.find(({ url }) => url === challenge.url)?.status;
    if (status === undefined || status === 'pending') throw error;
  }
}
