import { flexibleWindow } from '../../lambdas/domain/rules/renewal/renewal-info.ts';
import { FleetModel } from './fleet-model.ts';
import { Model, type ModelOptions } from './model.ts';
import { dollars } from './prices.ts';
import { concurrency } from './quotas.ts';
import type { RenewalOutcome } from './renewal-model.ts';

const day = 86_400_000;

/** The default of `pace`, and the pace for an account that may run ten functions at once. */
export const pace = { default: 0.7, newAccount: 0.4 } as const;

/** Faster than any pace that Route 53 bears. It is the rate at which a Map of Step Functions starts executions. */
const unpaced = 20;

/** The outcome of all renewals of a fleet. */
export interface FleetResult {
  readonly renewed: number;
  /** Executions that ended with a failure. */
  readonly failed: number;
  /** Events `Certificate Renewal Failed`. */
  readonly failureEvents: number;
  /** Largest number of functions that ran at once. */
  readonly functions: number;
  /** Calls of Route 53 that were throttled, and all. */
  readonly throttled: number;
  readonly route53Calls: number;
  /** Orders that the CA refused with `rateLimited`. */
  readonly refusedOrders: number;
  /** Time from the start of the first fleet run to the end of the last renewal. */
  readonly minutes: number;
}

/** One fleet run, and the renewals that it starts. */
async function oneRun(options: ModelOptions, startsPerSecond: number, age: number | null): Promise<FleetResult> {
  const model = await Model.create(options);
  if (age !== null) model.issueAll(() => age);
  const begun = model.time.now();
  await model.time.run(async () => {
    await ofFleet(new FleetModel(model, startsPerSecond), 'run');
    await model.idle();
  });
  return resultOf(model, begun);
}

async function ofFleet(fleet: FleetModel, name: string): Promise<void> {
  const { status, cause } = await fleet.run(name);
  if (status !== 'SUCCEEDED') throw new Error(`The fleet run of the model failed: ${cause}`);
}

function resultOf({ outcomes, functions, services, ca, time }: Model, begun: Date): FleetResult {
  return {
    renewed: renewedIn(outcomes),
    failed: outcomes.filter(({ result }) => result === 'failed').length,
    failureEvents: outcomes.reduce((sum, outcome) => sum + outcome.failureEvents, 0),
    functions: functions.most,
    throttled: services.throttled.get('route53') ?? 0,
    route53Calls: services.made.get('route53') ?? 0,
    refusedOrders: ca.refused,
    minutes: (time.now().getTime() - begun.getTime()) / 60_000,
  };
}

const renewedIn = (outcomes: readonly RenewalOutcome[]): number =>
  outcomes.filter(({ result }) => result === 'renewed').length;

/** The windows of all certificates are over, and no answer of the CA is stale. */
const dueAge = 31 * day;

export const thousandDue = (): Promise<FleetResult> =>
  oneRun({ certificates: 1000, concurrency: concurrency.default }, pace.default, dueAge);

/** Starts renewals much faster than Route 53 answers, to show what the pace prevents. */
export const dueWithoutPace = (): Promise<FleetResult> =>
  oneRun({ certificates: 250, concurrency: concurrency.default }, unpaced, dueAge);

export const newInNewAccount = (): Promise<FleetResult> =>
  oneRun({ certificates: 250, concurrency: concurrency.newAccount }, pace.newAccount, null);

export interface OutageResult {
  readonly renewed: number;
  /** Orders that were sent to the CA during its outage. */
  readonly requests: number;
  /** Hours from the end of the outage until the last certificate was renewed. */
  readonly hours: number;
}

/** The CA answers with HTTP 503 and a Retry-After of ten minutes for two hours, in which all certificates become due. */
export async function outage(certificates: number): Promise<OutageResult> {
  const model = await Model.create({ certificates, concurrency: concurrency.default });
  const { time, ca } = model;
  model.issueAll(() => dueAge);
  ca.outage = 2 * 3_600_000;
  await time.run(() => scheduledRuns(model, (outcomes) => renewedIn(outcomes) === certificates));
  const last = Math.max(...model.outcomes.map(({ ended }) => ended.getTime()));
  return {
    renewed: renewedIn(model.outcomes),
    requests: ca.unanswered,
    hours: (last - (ca.outageEnds ?? 0)) / 3_600_000,
  };
}

export interface RevocationResult extends FleetResult {
  /** Hours from the revocation until the CA has told of the last one, and until the last certificate is replaced. */
  readonly detectedHours: number;
  readonly replacedHours: number;
}

/** Starts fleet runs every 6 hours, each of them up to an hour later, as the schedule does. A run that begins while another one works ends at once. */
async function scheduledRuns(model: Model, done: (outcomes: readonly RenewalOutcome[]) => boolean): Promise<void> {
  const { time, config } = model;
  const begun = time.now().getTime();
  const fleet = new FleetModel(model, pace.default);
  const runs: Promise<void>[] = [];
  for (let run = 1; !done(model.outcomes) && run <= 8; run += 1) {
    const planned = begun + 1000 * (run * config.checkInterval + flexibleWindow(config.checkInterval) * time.random());
    await time.sleep(Math.max(0, planned - time.now().getTime()));
    runs.push(ofFleet(fleet, `run-${run}`));
    await time.sleep(1000);
  }
  await Promise.all(runs);
  await model.idle();
}

/** The CA revokes all certificates right after a fleet run. */
export async function massRevocation(certificates: number): Promise<RevocationResult> {
  const model = await Model.create({ certificates, concurrency: concurrency.default });
  const { time, ca, ledger, specs } = model;
  model.issueAll((index) => (index / certificates) * 20 * day);
  for (const { name } of specs) {
    const { current } = ledger.get(name);
    if (current) ca.revoke(current);
  }
  const begun = time.now();
  await time.run(() => scheduledRuns(model, (outcomes) => outcomes.length >= certificates));
  const hours = (at: number) => (at - begun.getTime()) / 3_600_000;
  return {
    ...resultOf(model, begun),
    detectedHours: hours(ca.lastDetection),
    replacedHours: hours(Math.max(...model.outcomes.map(({ ended }) => ended.getTime()))),
  };
}

export interface IdleResult {
  readonly selectionSeconds: number;
  readonly selectionDollars: number;
  readonly refreshMinutes: number;
  readonly comparisonDollars: number;
}

/** A fleet run in which nothing is due and every answer of the CA is stale. */
export async function idleRun(certificates: number): Promise<IdleResult> {
  const model = await Model.create({ certificates, concurrency: concurrency.default });
  model.issueAll((index) => (index / certificates) * 20 * day);
  const fleet = new FleetModel(model, pace.default);
  await model.time.run(() => ofFleet(fleet, 'run'));
  if (model.outcomes.length > 0) throw new Error('A renewal was due in the idle run of the model.');
  const seconds = (step: string) => (fleet.billed.get(step) ?? 0) / 1000;
  const selectionSeconds = seconds('selectDueCertificates');
  const compared = model.services.made.get('secretsmanager:read') ?? 0;
  return {
    selectionSeconds,
    selectionDollars: dollars({ lambdaSeconds: selectionSeconds, scannedPages: fleet.pages / 2 }),
    refreshMinutes: seconds('refreshRenewalInformation') / 60,
    comparisonDollars: dollars({
      lambdaSeconds: seconds('compareWithWhatIsThere'),
      secretReads: compared,
      itemReads: compared,
    }),
  };
}
