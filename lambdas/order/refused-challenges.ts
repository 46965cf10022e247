import { ChallengeFailedError, MalformedError, type ProblemDocument } from '../domain/contract/errors.ts';
import type { RefusedProofs } from '../domain/contract/steps.ts';
import type { Authorization, CertificateAuthority } from '../domain/ports/acme.ts';
import { isAnswerable, longestUrls } from './pending-challenges.ts';
import { respond } from './respond-to-challenges.ts';

/** Returns the problems of the challenges that can be answered, with the identifiers as ordered. */
export const problemsOf = (authorizations: readonly Authorization[]): readonly ProblemDocument[] =>
  authorizations.flatMap(({ identifier, challenges }) =>
    challenges.filter(isAnswerable).flatMap(({ error }) => (error ? [{ ...error, identifier }] : [])),
  );

/** Returns the error for these problems, in the words of the CA. */
export function challengeFailedError(
  [first, ...others]: readonly [ProblemDocument, ...ProblemDocument[]],
  details: { readonly certificate: string; readonly order: string; readonly next: string },
): ChallengeFailedError {
  const problems = [first, ...others];
  const { next, ...fields } = details;
  return new ChallengeFailedError({
    what: 'The CA did not accept the proof of control.',
    why: problems.map(({ identifier, detail, type }) => `${identifier}: ${detail ?? type}`).join('; '),
    remedy: `${next} If the error repeats, check the delegation and the name servers of these names.`,
    ...fields,
    problem: others.length > 0 ? { ...first, subproblems: problems } : first,
  });
}

/**
 * Answers each pending challenge that has an error a second time. RFC 8555 §8.2 allows a CA to leave a refused proof pending, and step-ca does so
 * until the client answers again. Challenges whose URLs do not fit into the state are not answered. It returns the challenges that have been answered
 * a second time, so that none is answered a third time.
 */
export async function answerAgain(
  authorizations: readonly Authorization[],
  { answered }: RefusedProofs,
  ca: CertificateAuthority,
): Promise<readonly string[]> {
  const refused = authorizations.flatMap(({ url: authorization, identifier, status, challenges }) =>
    challenges
      .filter(isAnswerable)
      .filter((each) => status === 'pending' && each.status === 'pending' && each.error && !answered.includes(each.url))
      .map(({ url }) => ({ identifier, url, authorization })),
  );
  let room = longestUrls - answered.reduce((sum, { length }) => sum + length, 0);
  const again = refused.filter(({ url }) => {
    room -= url.length;
    return room >= 0;
  });
  for (const challenge of again) {
    // A CA that accepts no second answer still has the time of the wait to validate by itself.
    await respond(challenge, ca).catch((error: unknown) => {
      if (!(error instanceof MalformedError)) throw error;
    });
  }
  return [...answered, ...again.map(({ url }) => url)];
}
