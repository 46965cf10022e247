import { checkRenewal } from '../../../lambdas/check/check-renewal.ts';
import { recordFailure } from '../../../lambdas/check/record-failure.ts';
import { recordSuccess } from '../../../lambdas/check/record-success.ts';
import type { CertificateFacts } from '../../../lambdas/domain/contract/certificate-facts.ts';
import type { CertificateSpec } from '../../../lambdas/domain/contract/config.ts';
import { PerennialError, type ProblemDocument } from '../../../lambdas/domain/contract/errors.ts';
import type { WaitStarts } from '../../../lambdas/domain/contract/steps.ts';
import type { RenewalInfos } from '../../../lambdas/domain/ports/renewal-info.ts';
import { fleetDecision } from '../../../lambdas/domain/rules/renewal/fleet-decision.ts';
import { refreshRenewalInformation } from '../../../lambdas/fleet/refresh-renewal-information.ts';
import { failedWith } from '../../fakes/error-output.ts';
import { configOf, factsWith, storedVersion } from '../../fakes/specs.ts';
import { createWorld } from '../../fakes/world.ts';

export interface Failure {
  readonly error: string;
  readonly problem?: ProblemDocument;
}

/** An order that was placed, and the certificate if it was issued. Times are in ms. */
export interface PlacedOrder {
  readonly at: number;
  readonly certificate: string;
  readonly issued: CertificateFacts | null;
  /** The certificate that the order replaces (RFC 9773 §5). */
  readonly replaces: string | null;
}

export interface Simulation {
  readonly specs: readonly CertificateSpec[];
  /** The certificates in use at the start, by name. */
  readonly inUse?: Readonly<Record<string, CertificateFacts>>;
  readonly start: number;
  readonly end: number;
  /** Time between two fleet runs. */
  readonly interval: number;
  /** Tells whether the fleet run at this time takes place. @default every run does */
  readonly runs?: (at: number) => boolean;
  /** Returns why the order of a certificate at this time fails, or the validity of what is issued. An order takes ten seconds. */
  readonly order: (at: number, certificate: string) => Failure | Pick<CertificateFacts, 'notBefore' | 'notAfter'>;
  /** Returns the CA's answer to a request for renewal information. @default the CA does not support ARI */
  readonly renewalInfo?: (current: CertificateFacts, at: number) => Awaited<ReturnType<RenewalInfos['fetch']>>;
}

interface Wake {
  readonly at: number;
  readonly certificate: string;
  readonly execution: string;
  readonly startedAt: string;
  readonly attempt: number;
  readonly waitStarts: WaitStarts;
}

/** Runs fleet and renewals with the real *Check renewal*, *Record failure* and *Record success*. Returns the orders that were placed. */
export async function simulate(simulation: Simulation): Promise<readonly PlacedOrder[]> {
  const { specs, inUse = {}, start, end, interval, runs = () => true, order, renewalInfo } = simulation;
  const { clock, ledger, secrets, ports } = createWorld({ now: new Date(start).toISOString() });
  const config = { ...configOf(...specs), checkInterval: interval / 1000 };
  const placed: PlacedOrder[] = [];
  const use = (current: CertificateFacts, name: string) =>
    secrets.put(name, { current: { versionId: current.versionId, value: 'whole' } });
  for (const [name, current] of Object.entries(inUse)) {
    ledger.put(name, { current, announcedVersion: current.versionId });
    use(current, name);
  }
  const now = () => clock.now().getTime();
  const renewalInfos: RenewalInfos = {
    async fetch(_issuer, certificateId) {
      const known = specs.map(({ name }) => ledger.get(name).current);
      const current = known.find((each) => each?.certificateId === certificateId);
      return (current && renewalInfo?.(current, now())) ?? 'unsupported';
    },
  };

  /** Runs an execution until its next wait. Returns `null` if the execution has ended. */
  async function wake(woken: Wake): Promise<Wake | null> {
    const { at: _, ...run } = woken;
    const { certificate, execution, attempt, startedAt } = run;
    const nothing = { cleaned: false, removed: [], reported: [], discardedOrder: null };
    let spec = specs.find(({ name }) => name === certificate) ?? null;
    let failed: Failure;
    try {
      const checked = await checkRenewal(
        { ...run, ...nothing, request: { certificate } },
        { ...ports, renewalInfos, config },
      );
      const { action, wait, waitStarts, replaces } = checked;
      if (action === 'wait') return { ...run, at: now() + wait * 1000, waitStarts };
      if (action === 'none') return null;
      spec = checked.spec ?? spec;
      const at = now();
      clock.advance(10_000);
      const outcome = order(at, certificate);
      if (!('error' in outcome)) {
        const issued = certificateOf(certificate, execution, spec, { ...outcome, at });
        placed.push({ at, certificate, issued, replaces });
        if (spec) await ledger.countIssue(spec.setHash, issued.orderUrl ?? '', clock.now());
        await ledger.recordCurrent(certificate, execution, issued);
        use(issued, certificate);
        await recordSuccess({ certificate, execution, attempt, announced: issued.versionId, removed: [] }, ports);
        return null;
      }
      placed.push({ at, certificate, issued: null, replaces });
      failed = outcome;
    } catch (error) {
      if (!(error instanceof PerennialError)) throw error;
      failed = { error: error.name, ...(error.problem ? { problem: error.problem } : {}) };
    }
    const errorOutput = failedWith(failed.error, 'No.', failed.problem);
    const input = { certificate, execution, attempt, spec, errorOutput, announced: null, removed: [], deploy: false };
    const { retryIn } = await recordFailure({ ...input, startedAt }, { ...ports, config });
    return retryIn === null ? null : { ...run, at: now() + retryIn * 1000, attempt: attempt + 1 };
  }

  /** Asks the CA for renewal information, and returns the certificates for which a fleet run starts an execution. */
  async function select(): Promise<readonly CertificateSpec[]> {
    const since = clock.now().toISOString();
    await refreshRenewalInformation(
      { execution: 'fleet', after: null, since, failures: {} },
      { ...ports, renewalInfos, config },
    );
    return specs.filter((spec) => fleetDecision(spec, ledger.get(spec.name), interval / 1000, clock.now()));
  }

  let fleetAt = start;
  let waiting: readonly Wake[] = [];
  const pushOn = (at: number) => clock.set(new Date(Math.max(at, now())).toISOString());
  for (;;) {
    const [next, ...later] = waiting.toSorted((a, b) => a.at - b.at);
    if (Math.min(next?.at ?? Number.POSITIVE_INFINITY, fleetAt) >= end) return placed;
    if (next && next.at <= fleetAt) {
      pushOn(next.at);
      const again = await wake(next);
      waiting = again ? [...later, again] : later;
      continue;
    }
    pushOn(fleetAt);
    const due = runs(fleetAt) ? await select() : [];
    const started = due.map(({ name: certificate }) => ({
      at: fleetAt,
      certificate,
      execution: `${certificate}-${fleetAt}`,
      startedAt: clock.now().toISOString(),
      attempt: 1,
      waitStarts: {},
    }));
    waiting = [...waiting, ...started];
    fleetAt += interval;
  }
}

/** Returns the facts of a certificate that an order at this time gives. */
function certificateOf(
  certificate: string,
  execution: string,
  spec: CertificateSpec | null,
  { at, notBefore, notAfter }: Pick<CertificateFacts, 'notBefore' | 'notAfter'> & { readonly at: number },
): CertificateFacts {
  const id = `${certificate}-${at}`;
  return factsWith({
    versionId: storedVersion(id),
    identifiers: spec?.identifiers ?? [],
    certificateId: id,
    notBefore,
    notAfter,
    orderUrl: `https://ca.test/order/${id}`,
    execution,
  });
}
