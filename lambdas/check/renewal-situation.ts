import type { CertificateSpec, DeployedConfig } from '../domain/contract/config.ts';
import { SecretDeletedError, SecretNotOwnedError, SecretReplicaError } from '../domain/contract/errors.ts';
import type { RenewalRequest } from '../domain/contract/renewal-request.ts';
import { restoreCommand, stopReplicationCommand } from '../domain/contract/secret-commands.ts';
import type { CheckRenewalInput } from '../domain/contract/steps.ts';
import type { CertificateSecrets, SecretDescription } from '../domain/ports/certificate-secrets.ts';
import type { Ledger } from '../domain/ports/ledger.ts';
import type { LedgerCertificate } from '../domain/ports/ledger-certificate.ts';
import { deleteSecretCommands } from '../domain/rules/failure/delete-secret.ts';
import { withChosenIssuer } from '../domain/rules/renewal/issuer-choice.ts';
import type { RenewalSituation } from '../domain/rules/renewal/renewal-decision.ts';
import { ariRenewalTime, isBeforeNextCheck, isFetchDue } from '../domain/rules/renewal/renewal-info.ts';
import { unusableOrderReason } from '../domain/rules/renewal/saved-order.ts';
import { type RenewalInfoPorts, refreshRenewalInfo } from './refresh-renewal-info.ts';

export interface SituationPorts extends RenewalInfoPorts {
  readonly ledger: Ledger;
  readonly secrets: Pick<CertificateSecrets, 'describe'>;
}

type Asked = Pick<
  CheckRenewalInput,
  'execution' | 'attempt' | 'cleaned' | 'discardedOrder' | 'startedAt' | 'waitStarts'
> &
  Pick<RenewalRequest, 'force' | 'restartOf' | 'deploy'> &
  Pick<DeployedConfig, 'checkInterval'>;

/**
 * Collects what the decision depends on: the ledger, the secret, the renewal information of the CA, and the issuer to use now. It needs the lease of
 * the certificate, because it removes a saved order that cannot be resumed. The TXT values of that order stay in the ledger as leftover values.
 *
 * @throws SecretNotOwnedError if the secret was not created by this stack
 * @throws SecretDeletedError if the secret is scheduled for deletion
 * @throws SecretReplicaError if the secret is a replica of a secret in another region
 */
export async function renewalSituation(
  configured: CertificateSpec,
  {
    execution,
    attempt,
    cleaned,
    discardedOrder,
    startedAt,
    waitStarts,
    force,
    restartOf,
    deploy,
    checkInterval,
  }: Asked,
  ports: SituationPorts,
): Promise<RenewalSituation> {
  const { ledger, secrets, clock, log } = ports;
  const [seen, secret] = await Promise.all([ledger.certificate(configured.name), secrets.describe(configured.name)]);
  assertUsable(configured.name, secret);
  const storedVersion = secret?.currentVersion ?? null;
  const spec = withChosenIssuer(configured, seen.failure);

  let record: LedgerCertificate = seen;
  const discarded = discardedOrder && discardedOrder === seen.order?.url ? 'the CA cannot continue it' : null;
  const reason = seen.order && (discarded ?? unusableOrderReason(seen.order, spec, seen.current, clock.now()));
  if (seen.order && reason) {
    log.info(`Saved order ${seen.order.url} of certificate ${spec.name} cannot be resumed and is removed: ${reason}.`);
    await ledger.dropOrder(spec.name, execution, seen.order.url);
    record = { ...seen, order: null };
  }
  if (shouldFetch(record, { attempt, checkInterval }, clock.now())) {
    record = await refreshRenewalInfo(spec, record, ports);
  }
  // `force` applies once. If this execution has already issued or has an order, a restart must not issue again.
  // The same holds if another execution has issued while this one waited for the lease.
  const waited = force && waitStarts.certificateLease !== undefined;
  const issues = waited ? Object.values(await ledger.issues(spec.setHash, clock.now())) : [];
  const spent =
    record.current?.execution === execution ||
    record.order?.execution === execution ||
    issues.some((at) => Date.parse(at) >= Date.parse(startedAt));
  const retrying = (attempt > 1 && !deploy) || (restartOf !== null && record.order !== null);
  const deployedAt = deploy ? new Date(startedAt) : null;
  return { spec, record, storedVersion, force: force && !spent, cleaned, retrying, deployedAt, checkInterval };
}

/**
 * Tells whether to fetch renewal information: if the Retry-After of the CA has passed, and before the execution waits for or uses a renewal time,
 * which may have moved. Later attempts of an execution do not fetch it, so that a failing CA does not get a request at each attempt.
 */
function shouldFetch(
  record: LedgerCertificate,
  { attempt, checkInterval }: Pick<Asked, 'attempt' | 'checkInterval'>,
  now: Date,
): boolean {
  if (attempt > 1) return false;
  const ariTime = ariRenewalTime(record);
  return (ariTime !== null && isBeforeNextCheck(ariTime, checkInterval, now)) || isFetchDue(record, now);
}

/** A replica comes first, because AWS rejects its deletion too. */
function assertUsable(certificate: string, secret: SecretDescription | null): void {
  if (secret?.replica) {
    const { region, primaryRegion } = secret.replica;
    throw new SecretReplicaError({
      what: 'Nothing was ordered.',
      why: `The secret ${secret.arn} is a replica of the secret in ${primaryRegion}, and a replica cannot be changed.`,
      remedy: `If ${primaryRegion} no longer renews the certificate, run "${stopReplicationCommand(secret.arn, region)}".`,
      certificate,
      secret: secret.arn,
      region,
    });
  }
  if (secret && !secret.owned) {
    throw new SecretNotOwnedError({
      what: 'Nothing was ordered.',
      why: `The secret ${secret.arn} exists and was not created by this stack.`,
      remedy: `Delete the secret with ${deleteSecretCommands(secret.arn)}, or give the certificate another name.`,
      certificate,
      secret: secret.arn,
    });
  }
  if (secret?.deletedAt) {
    throw new SecretDeletedError({
      what: 'Nothing was ordered.',
      why: `The secret is scheduled for deletion (${secret.deletedAt}).`,
      remedy: `Run "${restoreCommand(secret.arn)}", or remove the certificate from the configuration.`,
      certificate,
      secret: secret.arn,
    });
  }
}
