import type { DeployedConfig, Issuer } from '../domain/contract/config.ts';
import type { RefreshRenewalInformationInput, RefreshRenewalInformationOutput } from '../domain/contract/steps.ts';
import type { FleetLedger, LedgerEntry } from '../domain/ports/fleet-ledger.ts';
import type { FailedFetch, RenewalInfos } from '../domain/ports/renewal-info.ts';
import type { Clock, StepLog } from '../domain/ports/runtime.ts';
import { specOf } from '../domain/rules/certificate/certificate-spec.ts';
import { concurrencyLimit } from '../domain/rules/concurrency-limit.ts';
import { issuerOf } from '../domain/rules/renewal/issuer-choice.ts';
import {
  isRefreshDue,
  isWorthSaving,
  nextRenewal,
  renewalInfoFrom,
  renewalInfoOf,
} from '../domain/rules/renewal/renewal-info.ts';
import { renewalTime } from '../domain/rules/renewal/renewal-time.ts';

export interface RefreshRenewalInformationPorts {
  readonly config: DeployedConfig;
  readonly fleetLedger: Pick<FleetLedger, 'page' | 'saveRenewalInfo' | 'saveCursor'>;
  readonly renewalInfos: RenewalInfos;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: StepLog;
}

/**
 * Requests that run at the same time. Let's Encrypt accepts 1,000 such requests per second. With replies of 100 ms these are 300 a second, so that
 * 100,000 certificates take six minutes.
 */
const parallelRequests = 30;

/** Time after which a call starts no request, in ms. The last requests may take another 30 s, so a call takes four minutes. */
const callTime = 210_000;

/** Time after which a run starts no request, in ms. Renewals that are due already wait for it. */
const runTime = 600_000;

/** Failures of a CA in a row after which it is not asked again in this run. */
const failuresInARow = 5;

/**
 * Asks the CAs for the renewal information (ARI) of all certificates whose saved answer becomes stale before the middle of the next interval.
 * RFC 9773 §4. It stops after four minutes and returns where the next call continues. After ten minutes it saves the position for the next run.
 * An answer that is known already is not written again.
 *
 * A second run asks again only for answers that were not saved, so it is safe to run twice.
 */
export async function refreshRenewalInformation(
  { after, since, failures }: RefreshRenewalInformationInput,
  ports: RefreshRenewalInformationPorts,
): Promise<RefreshRenewalInformationOutput> {
  const { config, fleetLedger, clock, log } = ports;
  const runEnd = Date.parse(since) + runTime;
  const end = Math.min(clock.now().getTime() + callTime, runEnd);
  const refresh = refresher(new Map(Object.entries(failures)), ports);
  let position = after;
  let state: 'more' | 'stopped' | 'done' = 'more';
  while (state === 'more') {
    const page = await fleetLedger.page(position);
    const stale = page.entries.filter(({ record }) => isRefreshDue(record, config.checkInterval, clock.now()));
    const firstLeft = await untilTime(end, stale, refresh.one, clock);
    if (firstLeft === null) [position, state] = [page.next, page.next === null ? 'done' : 'more'];
    else [position, state] = [positionBefore(page.entries, firstLeft) ?? position, 'stopped'];
  }
  const runIsOver = state === 'stopped' && clock.now().getTime() >= runEnd;
  if (runIsOver)
    log.warn('Not all certificates could be asked for in time. The next fleet run continues.', { position });
  if (runIsOver || state === 'done') await fleetLedger.saveCursor(position);
  return {
    after: runIsOver ? null : position,
    failures: Object.fromEntries(refresh.failures),
    ...refresh.counts,
  };
}

/** Does the work for these entries in parallel. Returns the first entry for which no time was left. */
async function untilTime(
  end: number,
  entries: readonly LedgerEntry[],
  work: (entry: LedgerEntry) => Promise<void>,
  clock: Pick<Clock, 'now'>,
): Promise<LedgerEntry | null> {
  const limited = concurrencyLimit(parallelRequests);
  let firstLeft: LedgerEntry | null = null;
  await Promise.all(
    entries.map((entry) =>
      limited(async () => {
        // Tasks begin in the order of the entries.
        if (firstLeft === null && clock.now().getTime() >= end) firstLeft = entry;
        if (firstLeft === null) await work(entry);
      }),
    ),
  );
  return firstLeft;
}

/** The position of the entry before this one. `null` for the first entry of a page. */
function positionBefore(entries: readonly LedgerEntry[], entry: LedgerEntry): string | null {
  return entries[entries.indexOf(entry) - 1]?.position ?? null;
}

/** Returns a function that asks for one certificate, with the counts of the whole call. */
function refresher(failures: Map<string, number>, ports: RefreshRenewalInformationPorts) {
  const counts = { asked: 0, saved: 0 };
  const { config, fleetLedger, renewalInfos, clock, log } = ports;
  const indexes = new Map(config.issuers.map(({ directoryUrl }, index) => [directoryUrl, String(index)]));

  const one = async ({ name, record }: LedgerEntry): Promise<void> => {
    const { current } = record;
    const spec = specOf(config, name);
    // If the issuer is no longer configured, the certificate is due anyway.
    const issuer = spec && current && issuerOf(spec, current);
    if (!issuer || !current.certificateId) return;
    const key = indexes.get(issuer.directoryUrl) ?? '';
    if ((failures.get(key) ?? 0) >= failuresInARow) return;
    counts.asked += 1;
    const result = await renewalInfos.fetch(issuer, current.certificateId);
    if (result !== 'unsupported' && 'failed' in result) {
      failures.set(key, (failures.get(key) ?? 0) + 1);
      warnOfFailure(name, issuer, result, failures.get(key) ?? 0, log);
    } else failures.delete(key);
    const now = clock.now();
    const certificate = { ...record, current: { ...current, certificateId: current.certificateId } };
    const renewalInfo = renewalInfoFrom(result, certificate, now);
    if (!isWorthSaving(renewalInfo, renewalInfoOf(record), config.checkInterval, now)) return;
    counts.saved += 1;
    const time = nextRenewal({ ...record, renewalInfo }) ?? renewalTime(current);
    await fleetLedger.saveRenewalInfo(name, renewalInfo, time);
  };
  return { one, counts, failures };
}

function warnOfFailure(
  name: string,
  issuer: Issuer,
  { failed, temporary }: Pick<FailedFetch, 'failed' | 'temporary'>,
  inARow: number,
  log: StepLog,
): void {
  // Requests that were sent before the fifth failure may fail too.
  if (inARow > failuresInARow) return;
  log.warn(
    `The renewal information of certificate ${name} could not be fetched: ${failed}. Until the next fetch the dates of the certificate decide, unless an earlier answer of the CA set an earlier time.`,
    { temporary },
  );
  if (inARow === failuresInARow)
    log.warn(`${issuer.name} failed ${failuresInARow} times in a row and is not asked again in this run.`);
}
