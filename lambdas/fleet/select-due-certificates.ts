import type { DeployedConfig } from '../domain/contract/config.ts';
import type {
  ExpiringCertificate,
  RenewalStart,
  SelectDueCertificatesInput,
  SelectDueCertificatesOutput,
} from '../domain/contract/steps.ts';
import type { Executions } from '../domain/ports/executions.ts';
import type { FleetLedger, LedgerPage } from '../domain/ports/fleet-ledger.ts';
import type { LedgerCertificate } from '../domain/ports/ledger-certificate.ts';
import type { Clock, FleetMetrics, StepLog } from '../domain/ports/runtime.ts';
import { specOf } from '../domain/rules/certificate/certificate-spec.ts';
import {
  byUrgency,
  type DueCertificate,
  dueCertificate,
  dueCleanUp,
  runHash,
  startsPerSelection,
} from '../domain/rules/renewal/fleet.ts';
import { emptyGauges, type FleetGauges, gaugeMetrics, withCertificate } from '../domain/rules/renewal/fleet-gauges.ts';
import { withChosenIssuer } from '../domain/rules/renewal/issuer-choice.ts';
import { expiringCertificate, type Postponement } from '../domain/rules/renewal/late-certificates.ts';
import { isLeaseFree } from '../domain/rules/renewal/lease.ts';
import { emptyRecord } from '../domain/rules/renewal/ledger-record.ts';
import { availableOrders } from '../domain/rules/renewal/order-bucket.ts';
import { recordLateCertificates } from './record-late-certificates.ts';

export interface SelectDueCertificatesPorts {
  readonly config: DeployedConfig;
  readonly fleetLedger: Pick<
    FleetLedger,
    'page' | 'orderBucket' | 'recordSelection' | 'recordPostponed' | 'recordReported'
  >;
  readonly executions: Pick<Executions, 'status'>;
  readonly metrics: FleetMetrics;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: StepLog;
}

/**
 * Selects the most urgent due certificates of the whole fleet. It makes one pass over the configuration and the ledger, which it reads with
 * eventual consistency, because *Check renewal* decides again under the lease. Certificates on which another execution works are skipped. Also
 * selected are certificates that are no longer configured and have left TXT values in DNS. Orders that a CA counts are selected while its bucket has
 * tokens. Emergencies use tokens too, but do not need one.
 *
 * Each selection saves its time. One that has nothing left to start saves which certificates are late. A second run writes the same and may return
 * fewer certificates that are late, whose events then follow a day later. So it is safe to run twice.
 */
export async function selectDueCertificates(
  { continues, started }: SelectDueCertificatesInput,
  ports: SelectDueCertificatesPorts,
): Promise<SelectDueCertificatesOutput> {
  const { config, fleetLedger, metrics, clock, log } = ports;
  const pass = await fleetPass(runHash(continues), ports);
  const before = new Set(started);
  const candidates = pass.due.filter(({ certificate }) => !before.has(certificate)).sort(byUrgency);
  const { chosen, postponed: left } = await choose(candidates, config, ports);
  const postponed = left.length;
  metrics.publish({
    ...gaugeMetrics(pass.gauges, config.certificates.length),
    ...(started.length === 0 && { Due: chosen.length + postponed }),
    Selections: 1,
    ...(chosen.length === 0 && { Postponed: postponed }),
  });
  // Only the last selection knows what the run leaves to the next one.
  const late = chosen.length > 0 ? [] : await recordLateCertificates({ ...pass, postponed: left }, ports, clock.now());
  await fleetLedger.recordSelection(clock.now());
  if (chosen.length > 0)
    log.info('selected', { due: chosen.map(({ certificate, reason }) => `${certificate}: ${reason}`) });
  return {
    due: withSlots(chosen),
    checked: config.certificates.length,
    postponed,
    late,
  };
}

/** Gives each paced start a slot of its own. A start that is not paced has the slot of the next paced one. */
function withSlots(chosen: readonly DueCertificate[]): RenewalStart[] {
  let slot = 0;
  return chosen.map(({ certificate, action, executionName, paced }) => {
    const start = { certificate, action, executionName, slot };
    if (paced) slot += 1;
    return start;
  });
}

interface FleetPass {
  readonly due: DueCertificate[];
  readonly gauges: FleetGauges;
  readonly expiring: readonly ExpiringCertificate[];
  readonly before: ReadonlyMap<string, Postponement>;
}

/** Reads the ledger page by page, and keeps only what is due. The next page is read while the certificates of a page are checked. */
async function fleetPass(run: string, { config, fleetLedger, clock }: SelectDueCertificatesPorts): Promise<FleetPass> {
  const due: DueCertificate[] = [];
  const expiring: ExpiringCertificate[] = [];
  const before = new Map<string, Postponement>();
  const seen = new Set<string>();
  const selection = { run, checkInterval: config.checkInterval };
  let gauges = emptyGauges;
  const add = (name: string, record: LedgerCertificate) => {
    const configured = specOf(config, name);
    const spec = configured && withChosenIssuer(configured, record.failure);
    const candidate = spec
      ? dueCertificate({ spec, record }, selection, clock.now())
      : dueCleanUp(name, record, selection);
    if (candidate) due.push(candidate);
    const expires = spec && expiringCertificate(spec, record, clock.now());
    if (expires) expiring.push(expires);
    const { postponedSince, postponedReportedAt } = record;
    if (postponedSince) before.set(name, { postponedSince, ...(postponedReportedAt && { postponedReportedAt }) });
    gauges = withCertificate(gauges, spec, record, clock.now());
  };
  let next: Promise<LedgerPage> | null = fleetLedger.page(null);
  while (next !== null) {
    const page: LedgerPage = await next;
    next = page.next === null ? null : fleetLedger.page(page.next);
    for (const { name, record } of page.entries) {
      seen.add(name);
      add(name, record);
    }
  }
  for (const { name } of config.certificates) if (!seen.has(name)) add(name, emptyRecord);
  return { due, gauges, expiring, before };
}

/** Statuses of executions that are read at the same time. DescribeExecution accepts 15 calls a second, and bursts. */
const parallelStatuses = 10;

/** Returns the tokens of the buckets of all directories that count some of these orders. */
async function tokensFor(
  candidates: readonly DueCertificate[],
  { issuers }: DeployedConfig,
  { fleetLedger, clock }: SelectDueCertificatesPorts,
): Promise<Map<string, number>> {
  const counting = new Set(candidates.map(({ ordersAt }) => ordersAt));
  const tokens = new Map<string, number>();
  for (const { directoryUrl, newOrders } of issuers) {
    if (newOrders === null || !counting.has(directoryUrl)) continue;
    tokens.set(directoryUrl, availableOrders(await fleetLedger.orderBucket(directoryUrl), newOrders, clock.now()));
  }
  return tokens;
}

/** Returns the first certificates for whose orders the buckets have tokens, and on which no execution works. */
async function choose(
  candidates: readonly DueCertificate[],
  config: DeployedConfig,
  ports: SelectDueCertificatesPorts,
): Promise<{ readonly chosen: readonly DueCertificate[]; readonly postponed: readonly DueCertificate[] }> {
  const { executions, clock } = ports;
  const tokens = await tokensFor(candidates, config, ports);
  const chosen: DueCertificate[] = [];
  const postponed: DueCertificate[] = [];
  let index = 0;
  while (index < candidates.length && chosen.length < startsPerSelection) {
    const slice = candidates.slice(index, index + parallelStatuses);
    index += slice.length;
    const free = await Promise.all(
      slice.map(
        async ({ lease, leasedAt }) =>
          lease === null || isLeaseFree(await executions.status(lease), leasedAt, clock.now()),
      ),
    );
    for (const candidate of slice.filter((_, at) => free[at])) {
      const { ordersAt, emergency } = candidate;
      const left = ordersAt === null ? null : (tokens.get(ordersAt) ?? null);
      const isOver = left !== null && left <= 0 && !emergency;
      if (isOver || chosen.length >= startsPerSelection) {
        postponed.push(candidate);
        continue;
      }
      if (ordersAt !== null && left !== null) tokens.set(ordersAt, left - 1);
      chosen.push(candidate);
    }
  }
  return { chosen, postponed: [...postponed, ...candidates.slice(index)] };
}
