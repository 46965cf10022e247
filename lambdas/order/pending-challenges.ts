import type { TxtValue } from '../domain/contract/certificate-facts.ts';
import { type CertificateSpec, challengeKinds } from '../domain/contract/config.ts';
import { NoDnsChallengeError, OrderInvalidError } from '../domain/contract/errors.ts';
import type { ChallengeRecord, PendingChallenge } from '../domain/contract/steps.ts';
import type { Authorization, CertificateAuthority, Challenge, Order } from '../domain/ports/acme.ts';
import { counted } from '../domain/rules/wording.ts';

interface ProofContext {
  readonly spec: CertificateSpec;
  readonly challengeRecords: readonly ChallengeRecord[];
}

/**
 * Longest URLs of an order in the state of the workflow, in characters together. Those of the challenges and authorizations of 100 names at Let's
 * Encrypt have 15,000.
 */
export const longestUrls = 24_000;

/**
 * Returns the authorizations of a pending order, with the identifiers as ordered. RFC 8555 §7.5. For an order with a later status the list is empty,
 * because control is proven.
 *
 * @throws OrderInvalidError if the order has more authorizations than identifiers were ordered
 */
export async function authorizationsOf(
  order: Order,
  spec: CertificateSpec,
  ca: CertificateAuthority,
): Promise<readonly Authorization[]> {
  const { length } = spec.identifiers;
  if (order.authorizations.length > length)
    throw refused(
      spec,
      `The order ${order.url} has ${counted(order.authorizations.length, 'authorization')} for ${counted(length, 'name')}.`,
    );
  const authorizations: Authorization[] = [];
  // Sequential, because each reply has the nonce of the next request (RFC 8555 §6.5).
  for (const authorization of order.status === 'pending' ? order.authorizations : []) {
    authorizations.push(await ca.authorization(authorization));
  }
  return asOrdered(authorizations, spec);
}

/** Gives each authorization the identifier that was ordered. Some CAs return a wildcard without its flag. RFC 8555 §7.1.4 */
export function asOrdered(
  authorizations: readonly Authorization[],
  { identifiers }: Pick<CertificateSpec, 'identifiers'>,
): readonly Authorization[] {
  const left = new Set(identifiers);
  return authorizations.map((authorization) => {
    const { identifier } = authorization;
    const ordered = [identifier, `*.${identifier}`].find((each) => left.delete(each)) ?? identifier;
    return { ...authorization, identifier: ordered };
  });
}

/** Statuses of an authorization that never becomes valid. RFC 8555 §7.1.6 */
const failedStatuses: readonly string[] = ['invalid', 'deactivated', 'expired', 'revoked'];

/** Returns the first authorization that never becomes valid, so that its order cannot be completed. */
export const failedAuthorization = (authorizations: readonly Authorization[]): Authorization | undefined =>
  authorizations.find(({ status }) => failedStatuses.includes(status));

/** Returns the challenges to answer and the TXT values to write. Identifiers with a valid authorization have neither. */
export function pendingChallengesOf(
  authorizations: readonly Authorization[],
  context: ProofContext,
  ca: CertificateAuthority,
): { readonly challenges: readonly PendingChallenge[]; readonly records: readonly TxtValue[] } {
  const proofs = authorizations
    .filter(({ status }) => status !== 'valid')
    .map((authorization) => proofOf(authorization, context, ca));
  const characters = proofs.reduce(
    (sum, { challenge: { url, authorization } }) => sum + url.length + authorization.length,
    0,
  );
  if (characters > longestUrls)
    throw refused(
      context.spec,
      `The URLs of its challenges have ${characters} characters, and the limit is ${longestUrls}.`,
    );
  return {
    challenges: proofs.map(({ challenge }) => challenge),
    records: uniqueRecords(proofs.map(({ record }) => record)),
  };
}

/** The error for an order that no request can repair, so that the step is not retried in place. Each retry would place another order. */
const refused = ({ name, issuer }: CertificateSpec, why: string): OrderInvalidError =>
  new OrderInvalidError({
    what: `The order at ${issuer.name} cannot be used.`,
    why,
    remedy: 'The workflow retries. If the error repeats, ask the CA.',
    certificate: name,
    issuer: issuer.name,
  });

function proofOf(
  authorization: Authorization,
  { spec, challengeRecords }: ProofContext,
  ca: CertificateAuthority,
): { readonly challenge: PendingChallenge; readonly record: TxtValue } {
  const { identifier, challenges } = authorization;
  if (!spec.identifiers.includes(identifier))
    throw refused(spec, `It has an authorization for ${identifier}, which was not ordered.`);
  // A CA may list a failed challenge before the one that it has made in its place.
  const challenge = challenges.find((each) => isAnswerable(each) && each.status !== 'invalid');
  const place = challengeRecords.find((each) => each.identifier === identifier);
  if (!challenge || !place) throw noDnsChallenge(authorization, spec);
  return {
    challenge: { identifier, url: challenge.url, authorization: authorization.url },
    record: {
      hostedZoneId: place.hostedZoneId,
      ...(place.role && { role: place.role }),
      name: place.name,
      value: ca.challengeValue(challenge),
    },
  };
}

function noDnsChallenge({ identifier, status, challenges }: Authorization, { name, issuer }: CertificateSpec) {
  const offered = challenges.map((each) => `${each.type} (${each.status})`).join(', ') || 'nothing';
  const isConfigured = issuer.challenges.length > 0;
  return new NoDnsChallengeError({
    what: isConfigured
      ? `${issuer.name} offers no dns-01 challenge for ${identifier} that can be answered.`
      : `${issuer.name} has not validated ${identifier} beforehand, and challenges of this issuer is [].`,
    why: `The authorization is ${status} and offers ${offered}.`,
    remedy: isConfigured
      ? 'The workflow retries. If the error repeats, ask the CA.'
      : "Let the CA validate the name, or set challenges of the issuer to ['dns-01'].",
    certificate: name,
    identifier,
    issuer: issuer.name,
  });
}

/** Tells whether this project can answer a challenge. Challenges of other kinds, also unknown ones, and challenges without a token are ignored. */
export const isAnswerable = ({ type, token }: Challenge): boolean =>
  (challengeKinds as readonly string[]).includes(type) && token !== null;

/** Removes duplicate TXT values. Some CAs use the same value for a name and its wildcard (DigiCert, certbot#10593). */
const uniqueRecords = (records: readonly TxtValue[]): TxtValue[] => [
  ...new Map(records.map((each) => [`${each.hostedZoneId} ${each.name} ${each.value}`, each])).values(),
];
