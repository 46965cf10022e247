import { InvalidProfileError } from '../../domain/contract/errors.ts';
import { profileOf } from './orders.ts';
import type { Reply } from './replies.ts';
import type { Session } from './session.ts';

/** Largest number of profiles in a message. */
const mostNamed = 20;

const named = (profiles: readonly string[]): string =>
  `${profiles.slice(0, mostNamed).join(', ')}${profiles.length > mostNamed ? ', …' : ''}`;

/**
 * Checks a profile against the directory before an order. A CA without profiles ignores the field, so it must not be asked for one. The directory is read
 * again if the cached one does not have the profile, because the CA may have added it.
 *
 * @throws InvalidProfileError if the directory does not have the profile
 */
export async function assertOffered(profile: string, issuer: string, session: Session): Promise<void> {
  const has = async (maximumAge?: number) => (await session.directory(maximumAge)).meta.profiles.includes(profile);
  if ((await has()) || (await has(0))) return;
  const { profiles } = (await session.directory()).meta;
  throw new InvalidProfileError({
    what: `${issuer} does not offer the profile ${profile}, so nothing was ordered.`,
    why: profiles.length > 0 ? `Its directory offers ${named(profiles)}.` : 'Its directory offers no profiles.',
    remedy:
      profiles.length > 0 ? 'Use a profile that the CA offers, or none.' : 'Remove the profile, or use another CA.',
    issuer,
  });
}

/**
 * Checks that a new order has the profile that was requested. The reply of a CA that accepts a profile has its name.
 *
 * @throws InvalidProfileError if the order has another profile or none
 */
export function assertOrdered(
  profile: string,
  issuer: string,
  { url, reply }: { readonly url: string; readonly reply: Reply },
): void {
  const given = profileOf(reply);
  if (given === profile) return;
  throw new InvalidProfileError({
    what: `${issuer} did not accept the profile ${profile}, so its order ${url} is not used.`,
    why: given === null ? 'The order has no profile.' : `The order has the profile ${given}.`,
    remedy: 'Ask the CA, use another profile, or none.',
    issuer,
    order: url,
  });
}

/** Adds the profiles of the directory to the error of a CA that has refused a profile. */
export function withProfiles(error: unknown, profiles: readonly string[]): unknown {
  if (!(error instanceof InvalidProfileError) || profiles.length === 0) return error;
  return error.with({ remedy: `Use a profile that the CA offers (${named(profiles)}), or none.` });
}
