import type { DeployedConfig } from '../domain/contract/config.ts';
import { ThrottledError } from '../domain/contract/errors.ts';
import type {
  ChangedCertificate,
  CompareWithWhatIsThereInput,
  CompareWithWhatIsThereOutput,
} from '../domain/contract/steps.ts';
import type { FleetLedger } from '../domain/ports/fleet-ledger.ts';
import type { Ledger } from '../domain/ports/ledger.ts';
import type { LedgerCertificate } from '../domain/ports/ledger-certificate.ts';
import type { Clock, FleetMetrics, StepLog } from '../domain/ports/runtime.ts';
import { specOf } from '../domain/rules/certificate/certificate-spec.ts';
import { concurrencyLimit } from '../domain/rules/concurrency-limit.ts';
import { type DueComparison, dueComparisons } from '../domain/rules/renewal/comparison-schedule.ts';
import { counted } from '../domain/rules/wording.ts';
import { type CompareCertificatePorts, type ComparedCertificate, certificateComparer } from './compare-certificate.ts';

export interface CompareWithWhatIsTherePorts extends CompareCertificatePorts {
  readonly config: DeployedConfig;
  readonly fleetLedger: Pick<FleetLedger, 'comparedUntil' | 'saveComparedUntil'>;
  readonly ledger: Pick<Ledger, 'certificates' | 'recordComparison'>;
  readonly metrics: FleetMetrics;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: StepLog;
}

/**
 * Certificates that are compared at the same time. With replies of 20 ms these are 1,000 a second, so that a quarter of 100,000 certificates takes half a
 * minute. Secrets Manager accepts 10,000 such calls a second.
 */
const parallelComparisons = 20;

/** Certificates that are read from the ledger together, which is the limit of BatchGetItem. The position is saved after each group. */
const groupSize = 100;

/** Time after which a call begins no group, in ms. A group takes some seconds at most, so a call takes four minutes. */
const callTime = 210_000;

/** Time after which a run begins no group, in ms. */
const runTime = 600_000;

/** Size of the changes that a call returns, in bytes. Step Functions publishes them in one Map, and the next call returns more. */
const largestReport = 48_000;

/**
 * Compares certificates with what is in Secrets Manager and ACM, each one once a day. It describes the secret, and finds the imports in the list of
 * their region. An import is described only if it differs. No value is read.
 *
 * What differs is saved in the ledger. The next selection then starts `issue` for a missing secret, `repair` for an earlier version of this stack, and
 * `deliver` for a missing import. All changes are returned, and the workflow publishes them as events. Certificates on which an execution works and
 * certificates that were never issued are skipped. A certificate that cannot be compared is compared a day later.
 *
 * The ledger has the time up to which due comparisons were made, and a change that the same comparison has found before is not returned again. So it is
 * safe to run twice.
 */
export async function compareWithWhatIsThere(
  { since }: CompareWithWhatIsThereInput,
  ports: CompareWithWhatIsTherePorts,
): Promise<CompareWithWhatIsThereOutput> {
  const { config, fleetLedger, metrics, clock, log } = ports;
  const now = clock.now();
  const until = await fleetLedger.comparedUntil();
  const begin = until ?? new Date(now.getTime() - config.checkInterval * 1000);
  const names = config.certificates.map(({ name }) => name);
  let due = dueComparisons(names, begin, now);
  const runEnd = Date.parse(since) + runTime;
  const end = Math.min(now.getTime() + callTime, runEnd);
  const run = comparisonRun(ports);
  while (due.length > 0 && clock.now().getTime() < end && !run.isFull()) {
    const compared = await run.compare(due.slice(0, groupSize)).catch((error: unknown) => {
      // The changes that were found are saved, so another call would not return them. If this is no short problem, the next call throws.
      if (run.result.changed.length === 0) throw error;
      log.warn('The comparison continues in another call after an error.', { error });
      return null;
    });
    if (compared === null) break;
    due = due.slice(compared.length);
    const last = compared.at(-1);
    if (last) await fleetLedger.saveComparedUntil(last.at);
  }
  if (due.length === 0) await fleetLedger.saveComparedUntil(now);
  const isRunOver = clock.now().getTime() >= runEnd;
  if (due.length > 0 && isRunOver)
    log.warn(
      `${counted(due.length, 'certificate was', 'certificates were')} not compared in time. The next fleet run continues.`,
    );
  const { changed, started, found, failed } = run.result;
  metrics.publish({ ChangedOutside: found, NotCompared: failed });
  return { changed, due: started, done: due.length === 0 || isRunOver };
}

/** The comparisons of one call. */
function comparisonRun({ config, ledger, log, clock, ...ports }: CompareWithWhatIsTherePorts) {
  const limited = concurrencyLimit(parallelComparisons);
  const result = { changed: [] as ChangedCertificate[], started: 0, found: 0, failed: 0 };
  const compareCertificate = certificateComparer(ports, (region, error) => {
    result.failed += 1;
    log.error(`The imports in ACM in ${region} could not be compared.`, { error });
  });
  let [size, isFull] = [0, false];

  /** Compares one certificate, or returns `null` if it has to be skipped or cannot be compared. */
  async function compareOne(name: string, record: LedgerCertificate | undefined): Promise<ComparedCertificate | null> {
    const spec = specOf(config, name);
    if (!spec || !record?.current || record.lease !== null) return null;
    return compareCertificate(spec, record.current, record).catch((error: unknown) => {
      if (error instanceof ThrottledError) throw error;
      result.failed += 1;
      log.error(`Certificate ${name} could not be compared with its secret and its imports.`, { error });
      return null;
    });
  }

  /** Saves what was found. Returns `false` if its changes no longer fit into the output. */
  async function keep(
    { name, at }: DueComparison,
    before: LedgerCertificate,
    compared: ComparedCertificate,
  ): Promise<boolean> {
    const { versionId, storedVersion, imports, changes } = compared;
    const isKnown =
      before.outside === undefined && Object.values(before.deliveries).every(({ found }) => found === undefined);
    if (changes.length === 0 && isKnown) return true;
    const changed = { certificate: name, changes };
    const bytes = Buffer.byteLength(JSON.stringify(changed));
    if (size > 0 && size + bytes > largestReport) return false;
    const outside = { at: clock.now().toISOString(), versionId, storedVersion, changes };
    const comparison = { versionId, imports, outside: changes.length > 0 ? outside : null };
    // A certificate that was renewed in the meantime has not changed outside Perennial.
    if (!(await ledger.recordComparison(name, comparison)) || changes.length === 0) return true;
    result.found += 1;
    if (changes.some(({ kind }) => startedKinds.has(kind))) result.started += 1;
    if (before.outside && Date.parse(before.outside.at) >= at.getTime()) return true;
    size += bytes;
    result.changed.push(changed);
    return true;
  }

  /** Makes comparisons at the same time, and keeps the results in their order. Returns the comparisons whose results were kept. */
  async function compare(comparisons: readonly DueComparison[]): Promise<readonly DueComparison[]> {
    const records = await ledger.certificates(comparisons.map(({ name }) => name));
    const compared = await Promise.all(
      comparisons.map(({ name }) => limited(() => compareOne(name, records.get(name)))),
    );
    for (const [index, comparison] of comparisons.entries()) {
      const [before, found] = [records.get(comparison.name), compared[index]];
      if (before && found && !(await keep(comparison, before, found))) {
        isFull = true;
        return comparisons.slice(0, index);
      }
    }
    return comparisons;
  }

  return { compare, result, isFull: () => isFull };
}

/** Changes for which the next selection starts an execution. */
const startedKinds: ReadonlySet<string> = new Set(['secretDeleted', 'versionMoved', 'importDeleted']);
