import type { CertificateSpec } from '../domain/contract/config.ts';
import type { Ledger } from '../domain/ports/ledger.ts';
import type { LedgerCertificate } from '../domain/ports/ledger-certificate.ts';
import type { RenewalInfos } from '../domain/ports/renewal-info.ts';
import type { Clock, StepLog } from '../domain/ports/runtime.ts';
import { isBusyFor } from '../domain/rules/renewal/busy-ca.ts';
import { issuerOf } from '../domain/rules/renewal/issuer-choice.ts';
import { nextRenewal, renewalInfoFrom } from '../domain/rules/renewal/renewal-info.ts';
import { renewalTime } from '../domain/rules/renewal/renewal-time.ts';

export interface RenewalInfoPorts {
  readonly ledger: Pick<Ledger, 'busyReply' | 'saveRenewalInfo'>;
  readonly renewalInfos: RenewalInfos;
  readonly clock: Clock;
  readonly log: StepLog;
}

/**
 * Fetches the renewal information of the current certificate from its CA, and saves it in the ledger. RFC 9773 §4. Returns the record with it. If the
 * fetch fails, the dates of the certificate decide when to renew, and nothing is thrown. If the issuer is no longer configured, the certificate is
 * due anyway, so no CA is asked. A CA that has asked to wait is not asked either, and its earlier answer applies.
 */
export async function refreshRenewalInfo(
  spec: CertificateSpec,
  record: LedgerCertificate,
  { ledger, renewalInfos, clock, log }: RenewalInfoPorts,
): Promise<LedgerCertificate> {
  const { current } = record;
  const issuer = current && issuerOf(spec, current);
  if (!issuer || !current.certificateId) return record;
  if (isBusyFor(spec.name, await ledger.busyReply(issuer.directoryUrl), clock.now())) return record;
  const { certificateId } = current;
  const result = await renewalInfos.fetch(issuer, certificateId);
  if (typeof result === 'object' && 'failed' in result) {
    log.warn(
      `The renewal information of certificate ${spec.name} could not be fetched: ${result.failed}. Until the next fetch the dates of the certificate decide, unless an earlier answer of the CA set an earlier time.`,
      {
        temporary: result.temporary,
      },
    );
  }
  const renewalInfo = renewalInfoFrom(result, { ...record, current: { ...current, certificateId } }, clock.now());
  const refreshed = { ...record, renewalInfo };
  await ledger.saveRenewalInfo(spec.name, renewalInfo, nextRenewal(refreshed) ?? renewalTime(current));
  return refreshed;
}
