import type { CertificateSpec } from '../domain/contract/config.ts';
import type { Ledger, LedgerCertificate } from '../domain/ports/ledger.ts';
import type { RenewalInfos } from '../domain/ports/renewal-info.ts';
import type { Clock, StepLog } from '../domain/ports/runtime.ts';
import { issuerOf } from '../domain/rules/renewal/issuer-choice.ts';
import { renewalInfoFrom } from '../domain/rules/renewal/renewal-info.ts';

export interface RenewalInfoPorts {
  readonly ledger: Pick<Ledger, 'saveRenewalInfo'>;
  readonly renewalInfos: RenewalInfos;
  readonly clock: Clock;
  readonly log: StepLog;
}

/**
 * Asks the directory that issued the current certificate when to renew it, and remembers the answer. RFC 9773 §4. A CA that gives none
 * is no failure: the certificate's dates serve. One whose issuer is no longer configured is due anyway, and nobody is asked.
 */
export async function refreshRenewalInfo(
  spec: CertificateSpec,
  record: LedgerCertificate,
  { ledger, renewalInfos, clock, log }: RenewalInfoPorts,
): Promise<LedgerCertificate> {
  const { current } = record;
  const issuer = current && issuerOf(spec, current);
  if (!issuer || !current.certificateId) return record;
  const { certificateId } = current;
  const result = await renewalInfos.fetch(issuer, certificateId);
  if (typeof result === 'object' && 'failed' in result) {
    log.warn(
      `No renewal information for certificate ${spec.name}: ${result.failed}. It is asked for again; its dates serve.`,
      {
        temporary: result.temporary,
      },
    );
  }
  const renewalInfo = renewalInfoFrom(result, { ...record, current: { ...current, certificateId } }, clock.now());
  await ledger.saveRenewalInfo(spec.name, renewalInfo);
  return { ...record, renewalInfo };
}
