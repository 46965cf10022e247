import type { DeployedConfig } from '../domain/contract/config.ts';
import type { CheckFleetInput, CheckFleetOutput } from '../domain/contract/steps.ts';
import type { Ledger, LedgerCertificate } from '../domain/ports/ledger.ts';
import type { FleetMetrics } from '../domain/ports/runtime.ts';
import { batchNames, specOf } from '../domain/rules/certificate/certificate-spec.ts';
import { isNotServed } from '../domain/rules/certificate/endpoints.ts';
import { concurrencyLimit } from '../domain/rules/concurrency-limit.ts';
import { inZones } from '../domain/rules/proof/txt-set.ts';
import { type FleetMember, minimumDaysToExpiry, selectDue } from '../domain/rules/renewal/fleet.ts';
import { withChosenIssuer } from '../domain/rules/renewal/issuer-choice.ts';
import { emptyRecord } from '../domain/rules/renewal/ledger-record.ts';
import { isFetchDue } from '../domain/rules/renewal/renewal-info.ts';
import { type RenewalInfoPorts, refreshRenewalInfo } from './refresh-renewal-info.ts';

export interface CheckFleetPorts extends RenewalInfoPorts {
  readonly config: DeployedConfig;
  readonly ledger: Pick<Ledger, 'certificates' | 'saveRenewalInfo'>;
  readonly metrics: FleetMetrics;
}

/** Fetches of renewal information that run at the same time. Let's Encrypt accepts 1,000 such requests per second. */
const parallelFetches = 10;

/** Time after which no fetch is started, in ms. The last fetch may take 30 of the function's 60 s. */
const fetchTime = 15_000;

/**
 * Returns the due certificates of one batch of up to 100, and publishes the metrics of the batch. It reads the ledger with one BatchGetItem, and
 * sends one GET to the CA for each certificate whose renewal information has to be fetched again. It reads no secret, because *Check renewal*
 * does that.
 *
 * It writes only the renewal information that the CA returned, so it is safe to run twice.
 */
export async function checkFleet(
  { batch, batches, execution }: CheckFleetInput,
  ports: CheckFleetPorts,
): Promise<CheckFleetOutput> {
  const { config, ledger, metrics, clock } = ports;
  const names = batchNames(config, batch);
  const records = await ledger.certificates(names);
  const seen = names.flatMap((name) => {
    const spec = specOf(config, name);
    const record = withoutUnknownZones(records.get(name) ?? emptyRecord, name, ports);
    return spec ? [{ spec: withChosenIssuer(spec, record.failure), record }] : [];
  });
  const members = await withRenewalInfos(seen, ports);
  const now = clock.now();
  const output = selectDue(members, { batches, execution, checkInterval: config.checkInterval }, now);
  metrics.fleet({
    Certificates: members.length,
    Due: output.due.length,
    Postponed: output.postponed,
    Failing: members.filter(({ record }) => record.failure !== null).length,
    NotServed: members.filter(({ spec, record }) => isNotServed(spec, record)).length,
  });
  const days = minimumDaysToExpiry(members, now);
  if (days !== null) metrics.minimumDaysToExpiry(days);
  return output;
}

/**
 * Returns the record without the leftover TXT values in zones that are no longer configured. This stack cannot remove them, so they must not start
 * a renewal at every fleet run. A warning in the log tells the operator where they are.
 */
function withoutUnknownZones(
  record: LedgerCertificate,
  name: string,
  { config, log }: CheckFleetPorts,
): LedgerCertificate {
  const leftovers = inZones(record.leftovers, config.hostedZones);
  for (const { hostedZoneId, name: at, value } of record.leftovers.filter((each) => !leftovers.includes(each))) {
    log.warn(
      `TXT value ${value} of certificate ${name} was not removed from ${at}. Its hosted zone ${hostedZoneId} is no longer configured. Remove the value by hand, or configure the zone again.`,
    );
  }
  return { ...record, leftovers };
}

/** Fetches the renewal information that is due. Certificates for which no time is left keep their saved information until the next run. */
async function withRenewalInfos(seen: readonly FleetMember[], ports: CheckFleetPorts): Promise<readonly FleetMember[]> {
  const { clock, log } = ports;
  const started = clock.now();
  const limited = concurrencyLimit(parallelFetches);
  let skipped = 0;
  const withRenewalInfo = async ({ spec, record }: FleetMember): Promise<FleetMember> => {
    if (clock.now().getTime() - started.getTime() < fetchTime) {
      return { spec, record: await refreshRenewalInfo(spec, record, ports) };
    }
    skipped += 1;
    return { spec, record };
  };
  const members = await Promise.all(
    seen.map((member) => (isFetchDue(member.record, started) ? limited(() => withRenewalInfo(member)) : member)),
  );
  if (skipped > 0) {
    const seconds = fetchTime / 1000;
    log.warn(
      `The renewal information of ${skipped} certificates was not fetched within ${seconds} s. The next fleet run fetches it.`,
    );
  }
  return members;
}
