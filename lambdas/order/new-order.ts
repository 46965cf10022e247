import type {
  CertificateSpec,
  ChallengeRecord,
  NewOrderInput,
  NewOrderOutput,
  PendingChallenge,
  TxtValue,
} from '../rules/contract.ts';
import { NoDnsChallengeError, OrderInvalidError } from '../rules/errors.ts';
import type { Authorization, CertificateAuthority, Ledger, Order } from '../rules/ports.ts';
import { type AccountPorts, registeredAccount } from './registered-account.ts';

interface Proof {
  readonly challenge: PendingChallenge;
  readonly record: TxtValue;
}

/**
 * Creates the order and collects what has to be proven. RFC 8555 §7.4, §7.5. The order and the TXT values are in the ledger
 * before anything is written to DNS, so whatever dies later can be found and cleaned up. Valid authorizations need no proof.
 *
 * Run twice, it makes a second order (CAs that reuse pending ones return the first) and saves that one; the values of both are
 * remembered for removal.
 */
export async function newOrder(
  { certificate, execution, spec, challengeRecords }: NewOrderInput,
  { ledger, ...accountPorts }: AccountPorts & { readonly ledger: Ledger },
): Promise<NewOrderOutput> {
  await ledger.assertLease(certificate, execution);
  const ca = await registeredAccount(spec.issuer, accountPorts);
  const order = await ca.newOrder({ identifiers: spec.identifiers, profile: spec.profile });
  if (order.status === 'invalid') throw invalidFromTheStart(certificate, order);

  // One after the other: each reply brings the nonce of the next request (RFC 8555 §6.5).
  const authorizations: Authorization[] = [];
  for (const authorization of order.status === 'pending' ? order.authorizations : []) {
    authorizations.push(await ca.authorization(authorization));
  }
  const proofs = authorizations
    .filter(({ status }) => status !== 'valid')
    .map((authorization) => proofOf(authorization, { spec, challengeRecords, ca }));
  const records = uniqueRecords(proofs.map(({ record }) => record));

  const { url, finalize, expires } = order;
  await ledger.saveOrder(
    certificate,
    { url, finalize, expires, execution, specHash: spec.specHash, directoryUrl: spec.issuer.directoryUrl },
    records,
  );
  return { order: { url, finalize, expires }, challenges: proofs.map(({ challenge }) => challenge), records };
}

function proofOf(
  authorization: Authorization,
  {
    spec,
    challengeRecords,
    ca,
  }: {
    readonly spec: CertificateSpec;
    readonly challengeRecords: readonly ChallengeRecord[];
    readonly ca: CertificateAuthority;
  },
): Proof {
  const { identifier } = authorization;
  // Challenge types that nobody knew yesterday, and challenges without a token, are none of ours.
  const challenge = authorization.challenges.find(({ type, token }) => type === 'dns-01' && token !== null);
  const place = challengeRecords.find((each) => each.identifier === identifier);
  if (!challenge || !place) {
    const offered = authorization.challenges.map(({ type }) => type).join(', ') || 'nothing';
    throw new NoDnsChallengeError(
      `${spec.issuer.name} offers no dns-01 proof for ${identifier} of certificate ${spec.name} that can be given (authorization ${authorization.status}, offered: ${offered}).`,
    );
  }
  return {
    challenge: { identifier, url: challenge.url, authorization: authorization.url },
    record: { hostedZoneId: place.hostedZoneId, name: place.name, value: ca.challengeValue(challenge) },
  };
}

/** Some CAs give an apex and its wildcard the same value (DigiCert: certbot#10593). */
const uniqueRecords = (records: readonly TxtValue[]): TxtValue[] => [
  ...new Map(records.map((each) => [`${each.hostedZoneId} ${each.name} ${each.value}`, each])).values(),
];

const invalidFromTheStart = (certificate: string, { error }: Order): OrderInvalidError =>
  new OrderInvalidError(
    `The CA made the order for certificate ${certificate} invalid from the start: ${error?.detail ?? 'no reason given'}.`,
    error ? { problem: error } : {},
  );
