import { CaUnavailableError, MalformedError } from '../domain/contract/errors.ts';
import type {
  PendingChallenge,
  RespondToChallengesInput,
  RespondToChallengesOutput,
} from '../domain/contract/steps.ts';
import type { CertificateAuthority } from '../domain/ports/acme.ts';
import { type AccountPorts, ensureAccount } from './ensure-account.ts';

/**
 * Asks the CA to validate the challenges. RFC 8555 §7.5.1. After a lost reply the challenge is read, and the request is not repeated.
 *
 * The CA answers `malformed` for a challenge that was answered before. The challenge is then read, and if it is no longer pending it counts as
 * answered. So it is safe to run twice.
 */
export async function respondToChallenges(
  { spec, challenges }: RespondToChallengesInput,
  ports: AccountPorts,
): Promise<RespondToChallengesOutput> {
  const ca = await ensureAccount(spec.issuer, ports);
  for (const challenge of challenges) await respond(challenge, ca);
  return { wait: 1 };
}

/** Answers one challenge. An answer that the CA already has is a success. */
export async function respond(challenge: PendingChallenge, ca: CertificateAuthority): Promise<void> {
  try {
    await ca.respond(challenge.url);
  } catch (error) {
    if (!(error instanceof MalformedError || error instanceof CaUnavailableError)) throw error;
    const { challenges } = await ca.authorization(challenge.authorization);
    const status = challenges.find(({ url }) => url === challenge.url)?.status;
    if (status === undefined || status === 'pending') throw error;
  }
}
