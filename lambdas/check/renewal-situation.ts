import type { CertificateSpec, DeployedConfig } from '../domain/contract/config.ts';
import { SecretDeletedError, SecretNotOursError } from '../domain/contract/errors.ts';
import type { RenewalRequest } from '../domain/contract/renewal-request.ts';
import type { CheckRenewalInput } from '../domain/contract/steps.ts';
import type { CertificateSecrets, SecretDescription } from '../domain/ports/certificate-secrets.ts';
import type { Ledger, LedgerCertificate } from '../domain/ports/ledger.ts';
import { inZones } from '../domain/rules/proof/txt-set.ts';
import { withChosenIssuer } from '../domain/rules/renewal/issuer-choice.ts';
import type { RenewalSituation } from '../domain/rules/renewal/renewal-decision.ts';
import { ariRenewalTime, isBeforeNextCheck, isFetchDue } from '../domain/rules/renewal/renewal-info.ts';
import { unusableOrderReason } from '../domain/rules/renewal/saved-order.ts';
import { type RenewalInfoPorts, refreshRenewalInfo } from './refresh-renewal-info.ts';

export interface SituationPorts extends RenewalInfoPorts {
  readonly ledger: Ledger;
  readonly secrets: Pick<CertificateSecrets, 'describe'>;
}

type Asked = Pick<CheckRenewalInput, 'execution' | 'attempt' | 'cleaned' | 'discardedOrder' | 'startedAt'> &
  Pick<RenewalRequest, 'force' | 'restartOf' | 'deploy'> &
  Pick<DeployedConfig, 'checkInterval' | 'hostedZones'>;

/**
 * All that the decision goes by: ledger, secret, the CA's renewal information, whose turn it is among the issuers. Needs the
 * certificate's lease: a saved order of no use is dropped on the way, and its TXT values, which stay in the ledger, are then left over.
 */
export async function renewalSituation(
  configured: CertificateSpec,
  {
    execution,
    attempt,
    cleaned,
    discardedOrder,
    startedAt,
    force,
    restartOf,
    deploy,
    checkInterval,
    hostedZones,
  }: Asked,
  ports: SituationPorts,
): Promise<RenewalSituation> {
  const { ledger, secrets, clock, log } = ports;
  const [found, secret] = await Promise.all([ledger.certificate(configured.name), secrets.describe(configured.name)]);
  const seen = { ...found, leftovers: inZones(found.leftovers, hostedZones) };
  assertUsable(configured.name, secret);
  const storedVersion = secret?.currentVersion ?? null;
  const spec = withChosenIssuer(configured, seen.failure);

  let record: LedgerCertificate = seen;
  const useless = discardedOrder && discardedOrder === seen.order?.url ? 'the CA does not carry it on' : null;
  const why = seen.order && (useless ?? unusableOrderReason(seen.order, spec, seen.current, clock.now()));
  if (seen.order && why) {
    log.info(`Order ${seen.order.url} of certificate ${spec.name} is dropped: ${why}.`);
    await ledger.dropOrder(spec.name, execution, seen.order.url);
    record = { ...seen, order: null };
  }
  if (shouldAsk(record, { attempt, checkInterval }, clock.now())) {
    record = await refreshRenewalInfo(spec, record, ports);
  }
  // A forced run that has issued, or holds an order, has had its wish: a restart of it must not issue again.
  const spent = record.current?.execution === execution || record.order?.execution === execution;
  const retrying = attempt > 1 || (restartOf !== null && record.order !== null);
  const deployedAt = deploy ? new Date(startedAt) : null;
  return { spec, record, storedVersion, force: force && !spent, cleaned, retrying, deployedAt, checkInterval };
}

/**
 * When the CA's time for a new answer has come, and before acting on a second of its window, which may have moved since. A later rung
 * is in the middle of acting: a CA that is in trouble is not asked with each of them.
 */
function shouldAsk(
  record: LedgerCertificate,
  { attempt, checkInterval }: Pick<Asked, 'attempt' | 'checkInterval'>,
  now: Date,
): boolean {
  if (attempt > 1) return false;
  const second = ariRenewalTime(record);
  return (second !== null && isBeforeNextCheck(second, checkInterval, now)) || isFetchDue(record, now);
}

function assertUsable(certificate: string, secret: SecretDescription | null): void {
  if (secret && !secret.ours) {
    throw new SecretNotOursError({
      what: `Nothing was ordered: the secret ${secret.arn} exists and was not created by this stack.`,
      remedy: 'Rename or delete it, or give the certificate another name.',
      certificate,
      secret: secret.arn,
    });
  }
  if (secret?.deletedAt) {
    throw new SecretDeletedError({
      what: `Nothing was ordered: the secret is scheduled for deletion on ${secret.deletedAt}.`,
      remedy: `Run "aws secretsmanager restore-secret --secret-id ${secret.arn}", or remove the certificate from the configuration.`,
      certificate,
      secret: secret.arn,
    });
  }
}
