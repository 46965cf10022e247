import type { DeployedConfig } from '../domain/contract/config.ts';
import type { LedgerCertificate } from '../domain/ports/ledger-certificate.ts';
import type { NotificationLedger, NotificationPage, Notified } from '../domain/ports/notification-ledger.ts';
import type { Clock } from '../domain/ports/runtime.ts';
import { specOf } from '../domain/rules/certificate/certificate-spec.ts';
import {
  type CertificateState,
  certificateState,
  unconfiguredState,
} from '../domain/rules/notification/certificate-state.ts';
import { emptyRecord } from '../domain/rules/renewal/ledger-record.ts';

export interface FleetState {
  readonly states: readonly CertificateState[];
  readonly notified: readonly Notified[];
  /** Time at which a fleet run last selected due certificates, in RFC 3339. `null` if none did. */
  readonly lastSelection: string | null;
}

/** Reads the ledger once, page by page, and keeps what notifications need. It only reads, so it is safe to run twice. */
export async function readFleetState({
  config,
  ledger,
  clock,
}: {
  readonly config: DeployedConfig;
  readonly ledger: Pick<NotificationLedger, 'page'>;
  readonly clock: Pick<Clock, 'now'>;
}): Promise<FleetState> {
  const now = clock.now();
  const states: CertificateState[] = [];
  const notified: Notified[] = [];
  const seen = new Set<string>();
  let lastSelection: string | null = null;
  const add = (name: string, record: LedgerCertificate) => {
    const spec = specOf(config, name);
    seen.add(name);
    states.push(spec ? certificateState(spec, record, config.checkInterval, now) : unconfiguredState(name, record));
  };
  let next: string | null = null;
  do {
    const page: NotificationPage = await ledger.page(next);
    for (const { name, record } of page.entries) add(name, record);
    notified.push(...page.notified);
    lastSelection = page.lastSelection ?? lastSelection;
    next = page.next;
  } while (next !== null);
  for (const { name } of config.certificates) if (!seen.has(name)) add(name, emptyRecord);
  return { states, notified, lastSelection };
}
