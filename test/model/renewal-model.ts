import { checkRenewal } from '../../lambdas/check/check-renewal.ts';
import type { CertificateFacts } from '../../lambdas/domain/contract/certificate-facts.ts';
import type { CertificateSpec, DeployedConfig } from '../../lambdas/domain/contract/config.ts';
import { CaBusyError } from '../../lambdas/domain/contract/errors.ts';
import type { SecretDescription } from '../../lambdas/domain/ports/certificate-secrets.ts';
import type { Executions } from '../../lambdas/domain/ports/executions.ts';
import type { LedgerCertificate } from '../../lambdas/domain/ports/ledger-certificate.ts';
import type { RenewalInfos } from '../../lambdas/domain/ports/renewal-info.ts';
import { specOf } from '../../lambdas/domain/rules/certificate/certificate-spec.ts';
import { judgeFailure } from '../../lambdas/domain/rules/failure/retry-schedule.ts';
import { pollings, pollWait } from '../../lambdas/domain/rules/proof/poll-wait.ts';
import { busyReplyOf } from '../../lambdas/domain/rules/renewal/busy-ca.ts';
import type { FakeLedger } from '../fakes/ledger.ts';
import type { ModelCa } from './model-ca.ts';
import type { ModelStep, ModelTask } from './renewal-steps.ts';
import { type Functions, ModelError, type Services } from './service-model.ts';
import { withRetries } from './task-retries.ts';
import type { VirtualTime } from './virtual-time.ts';

/** The services, the ledger and the configuration that all renewals share. */
export interface ModelWorld {
  readonly time: VirtualTime;
  readonly services: Services;
  readonly functions: Functions;
  readonly ledger: FakeLedger;
  readonly ca: ModelCa;
  readonly config: DeployedConfig;
  readonly executions: Executions;
  readonly renewalInfos: RenewalInfos;
  /** The steps of a first issuance and of a renewal. */
  readonly steps: { readonly first: readonly ModelStep[]; readonly again: readonly ModelStep[] };
}

/** The outcome of an execution of the renewal workflow. */
export interface RenewalOutcome {
  readonly certificate: string;
  readonly result: 'renewed' | 'nothing to do' | 'failed';
  /** Events `Certificate Renewal Failed` that were published. */
  readonly failureEvents: number;
  readonly ended: Date;
}

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** Seconds until a change of Route 53 is INSYNC. It usually takes up to 60. */
const insyncAfter = (random: number): number => 30 + 30 * random;

/**
 * Runs one execution of the renewal workflow in the model. *Check renewal*, the retry policies, the schedule of polls and the rules that judge a
 * failure are the real ones. The other steps only make their calls, which take time and use up quotas.
 */
export async function renewal(certificate: string, arn: string, world: ModelWorld): Promise<RenewalOutcome> {
  const { time, ledger } = world;
  let failureEvents = 0;
  for (let attempt = 1; ; attempt += 1) {
    try {
      const result = await renewalAttempt({ certificate, arn, attempt }, world);
      return { certificate, result, failureEvents, ended: time.now() };
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
      const { current } = ledger.get(certificate);
      const report = { error: error.name, sentence: error.message, fields: {}, problem: error.problem };
      const busy = busyReplyOf(report, certificate, time.now());
      if (busy) await ledger.recordBusyReply(configuredSpec(certificate, world).issuer.directoryUrl, busy);
      const verdict = judgeFailure(
        report,
        { attempt, failures: attempt, current, emergency: false, issuerChanges: false, random: time.random() },
        time.now(),
      );
      if (!verdict.quiet) failureEvents += 1;
      if (verdict.retryIn === null) {
        await ledger.release(certificate, arn);
        return { certificate, result: 'failed', failureEvents, ended: time.now() };
      }
      await time.sleep(1000 * verdict.retryIn);
    }
  }
}

interface Attempt {
  readonly certificate: string;
  readonly arn: string;
  readonly attempt: number;
}

async function renewalAttempt(run: Attempt, world: ModelWorld): Promise<'renewed' | 'nothing to do'> {
  const { ledger, steps } = world;
  const [check, ...others] = ledger.get(run.certificate).current ? steps.again : steps.first;
  if (!check || 'seconds' in check) throw new Error('A renewal begins with Check renewal.');
  const startedAt = world.time.now().toISOString();
  for (;;) {
    const output = await task(check, world, () => decide(run, startedAt, world));
    if (output.action === 'wait') await world.time.sleep(1000 * output.wait);
    else if (output.action === 'none') return 'nothing to do';
    else if (output.action === 'issue') break;
    else throw new Error(`The model has no steps for the action ${output.action} of ${run.certificate}.`);
  }
  let presentedAt = world.time.now();
  for (const step of others) {
    if ('seconds' in step) await world.time.sleep(1000 * step.seconds);
    else if (step.state === 'Check propagation') await waitForPropagation(step, presentedAt, world);
    else await task(step, world, async () => effectOf(step, run, world));
    if ('state' in step && step.state === 'Present challenges') presentedAt = world.time.now();
  }
  return 'renewed';
}

/** Runs a task: its function is invoked, makes its calls, and then has its effect. */
function task<Result>(
  step: ModelTask,
  { time, services, functions }: ModelWorld,
  effect: () => Promise<Result>,
): Promise<Result> {
  const work = async () => {
    await services.calls(step.calls);
    return effect();
  };
  return withRetries(step.retry, time, () => (step.function === null ? work() : functions.invoke(step.function, work)));
}

function decide({ certificate, arn, attempt }: Attempt, startedAt: string, world: ModelWorld) {
  const input = {
    execution: arn,
    attempt,
    certificate,
    request: { certificate },
    cleaned: false,
    removed: [],
    waitStarts: {},
    discardedOrder: null,
    reported: [],
  };
  const { time: clock, ledger } = world;
  const describe = async (name: string) => secretOf(ledger.get(name));
  const ports = { ...world, clock, log: quiet, secrets: { describe } };
  return checkRenewal({ ...input, startedAt }, ports as never).catch((error: unknown) => {
    throw error instanceof CaBusyError ? new ModelError(error.name, error.problem) : error;
  });
}

/** Polls until the change is INSYNC. Until then a poll makes only the first call of the step. */
async function waitForPropagation(step: ModelTask, presentedAt: Date, world: ModelWorld): Promise<void> {
  const { time } = world;
  const presented = presentedAt.getTime();
  const insync = presented + 1000 * insyncAfter(time.random());
  for (;;) {
    const isInsync = time.now().getTime() >= insync;
    await task(isInsync ? step : { ...step, calls: step.calls.slice(0, 1) }, world, async () => undefined);
    if (isInsync) return;
    const wait = pollWait(Math.floor((time.now().getTime() - presented) / 1000), pollings.propagation, null);
    await time.sleep(1000 * (wait ?? 0));
  }
}

function configuredSpec(certificate: string, { config }: Pick<ModelWorld, 'config'>): CertificateSpec {
  const spec = specOf(config, certificate);
  if (!spec) throw new Error(`${certificate} is not configured.`);
  return spec;
}

/** Changes the CA and the ledger as the other steps do. */
function effectOf({ state }: ModelTask, { certificate, arn }: Attempt, world: ModelWorld): void {
  const { ledger, ca } = world;
  const spec = configuredSpec(certificate, world);
  if (state === 'New order') ca.order(spec, ledger.get(certificate));
  if (state === 'Record success') {
    const current = ca.issue(spec, arn);
    ledger.put(certificate, recordOf(spec, current));
  }
}

/** Returns the record of a certificate after its renewal, without a lease. */
export function recordOf(spec: CertificateSpec, current: CertificateFacts) {
  const { versionId, notBefore, notAfter } = current;
  const deliveries = Object.fromEntries(
    spec.regions.map((region) => [
      region,
      {
        arn: `arn:aws:acm:${region}:111122223333:certificate/${spec.name}`,
        versionId,
        keyType: spec.keyType,
        notBefore,
        notAfter,
      },
    ]),
  );
  return { lease: null, leasedAt: null, current, deliveries, announcedVersion: versionId };
}

/** Returns the secret of a certificate as the ledger knows it. */
export function secretOf({ current }: LedgerCertificate): SecretDescription | null {
  if (!current) return null;
  const { secretArn: arn, versionId: currentVersion } = current;
  return { arn, owned: true, currentVersion, deletedAt: null, replica: null, labels: {}, tags: {} };
}
