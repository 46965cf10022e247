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

/** CAs that are asked for renewal information at once. Let's Encrypt takes 1,000 such requests a second. */
const askedAtOnce = 10;

/** Milliseconds after which no more are asked: the last may take 30 s of the 60 that the function has. */
const askingTime = 15_000;

/**
 * Which of up to a hundred certificates are due. One BatchGetItem, and a GET to the CA for those whose renewal information is to be
 * asked for again; no secret is looked at, and what a renewal finds out it finds out itself.
 *
 * Writes nothing but what the CA said, so running it twice is running it once.
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
    const record = withinReach(records.get(name) ?? emptyRecord, name, ports);
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

/** What nobody of us can remove is no reason to start a renewal every time; a person is told where it is. */
function withinReach(record: LedgerCertificate, name: string, { config, log }: CheckFleetPorts): LedgerCertificate {
  const leftovers = inZones(record.leftovers, config.hostedZones);
  for (const { hostedZoneId, name: at, value } of record.leftovers.filter((each) => !leftovers.includes(each))) {
    log.warn(
      `TXT value ${value} of certificate ${name} stays at ${at} in hosted zone ${hostedZoneId}, which is configured no more: remove it by hand, or configure the zone again.`,
    );
  }
  return { ...record, leftovers };
}

/** Those that are not asked for in time go by what was known before: the next run asks. */
async function withRenewalInfos(seen: readonly FleetMember[], ports: CheckFleetPorts): Promise<readonly FleetMember[]> {
  const { clock, log } = ports;
  const started = clock.now();
  const limited = concurrencyLimit(askedAtOnce);
  let late = 0;
  const asked = async ({ spec, record }: FleetMember): Promise<FleetMember> => {
    if (clock.now().getTime() - started.getTime() < askingTime) {
      return { spec, record: await refreshRenewalInfo(spec, record, ports) };
    }
    late += 1;
    return { spec, record };
  };
  const members = await Promise.all(
    seen.map((member) => (isFetchDue(member.record, started) ? limited(() => asked(member)) : member)),
  );
  if (late > 0) log.warn(`${late} certificates were not asked about in time; the next run asks again.`);
  return members;
}
