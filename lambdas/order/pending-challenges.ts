import type { TxtValue } from '../domain/contract/certificate-facts.ts';
import type { CertificateSpec } from '../domain/contract/config.ts';
import { NoDnsChallengeError } from '../domain/contract/errors.ts';
import type { ChallengeRecord, PendingChallenge } from '../domain/contract/steps.ts';
import type { Authorization, CertificateAuthority, Order } from '../domain/ports/acme.ts';

interface Place {
  readonly spec: CertificateSpec;
  readonly challengeRecords: readonly ChallengeRecord[];
}

/** The authorizations of a pending order; past that, nothing is left to prove. RFC 8555 §7.5 */
export async function authorizationsOf(order: Order, ca: CertificateAuthority): Promise<readonly Authorization[]> {
  const authorizations: Authorization[] = [];
  // One after the other: each reply brings the nonce of the next request (RFC 8555 §6.5).
  for (const authorization of order.status === 'pending' ? order.authorizations : []) {
    authorizations.push(await ca.authorization(authorization));
  }
  return authorizations;
}

/** What there is to answer and to write: nothing for a name whose authorization is valid already. */
export function pendingChallengesOf(
  authorizations: readonly Authorization[],
  place: Place,
  ca: CertificateAuthority,
): { readonly challenges: readonly PendingChallenge[]; readonly records: readonly TxtValue[] } {
  const proofs = authorizations
    .filter(({ status }) => status !== 'valid')
    .map((authorization) => proofOf(authorization, place, ca));
  return {
    challenges: proofs.map(({ challenge }) => challenge),
    records: uniqueRecords(proofs.map(({ record }) => record)),
  };
}

function proofOf(
  authorization: Authorization,
  { spec, challengeRecords }: Place,
  ca: CertificateAuthority,
): { readonly challenge: PendingChallenge; readonly record: TxtValue } {
  const { identifier } = authorization;
  // Challenge types that nobody knew yesterday, and challenges without a token, are none of ours.
  const challenge = authorization.challenges.find(({ type, token }) => type === 'dns-01' && token !== null);
  const place = challengeRecords.find((each) => each.identifier === identifier);
  if (!challenge || !place) {
    const offered = authorization.challenges.map(({ type }) => type).join(', ') || 'nothing';
    throw new NoDnsChallengeError({
      what: `${spec.issuer.name} offers no dns-01 challenge for ${identifier} that can be answered.`,
      why: `The authorization is ${authorization.status}, and it offers ${offered}.`,
      remedy: 'It is tried again. Ask the CA if this repeats.',
      certificate: spec.name,
      identifier,
      issuer: spec.issuer.name,
    });
  }
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

/** Some CAs give an apex and its wildcard the same value (DigiCert: certbot#10593). */
const uniqueRecords = (records: readonly TxtValue[]): TxtValue[] => [
  ...new Map(records.map((each) => [`${each.hostedZoneId} ${each.name} ${each.value}`, each])).values(),
];
