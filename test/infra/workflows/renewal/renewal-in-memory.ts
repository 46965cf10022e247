import { finalizeOrder } from '../../../../lambdas/certificate/finalize-order.ts';
import { markCompromisedKey } from '../../../../lambdas/certificate/mark-compromised-key.ts';
import { readCertificate } from '../../../../lambdas/certificate/read-certificate.ts';
import { revokeCertificate } from '../../../../lambdas/certificate/revoke-certificate.ts';
import { shareSecret } from '../../../../lambdas/certificate/share-secret.ts';
import { storeCertificate } from '../../../../lambdas/certificate/store-certificate.ts';
import { checkPropagation } from '../../../../lambdas/challenge/check-propagation.ts';
import { checkZones } from '../../../../lambdas/challenge/check-zones.ts';
import { cleanUpChallenges } from '../../../../lambdas/challenge/clean-up-challenges.ts';
import { presentChallenges } from '../../../../lambdas/challenge/present-challenges.ts';
import { checkEndpoints } from '../../../../lambdas/check/check-endpoints.ts';
import { checkRenewal } from '../../../../lambdas/check/check-renewal.ts';
import { recordFailure } from '../../../../lambdas/check/record-failure.ts';
import { recordSuccess } from '../../../../lambdas/check/record-success.ts';
import { releaseLease } from '../../../../lambdas/check/release-lease.ts';
import { resolveAccountRequest } from '../../../../lambdas/check/resolve-account-request.ts';
import { takeLease } from '../../../../lambdas/check/take-lease.ts';
import { importCertificate } from '../../../../lambdas/delivery/import-certificate.ts';
import type { CertificateSpec } from '../../../../lambdas/domain/contract/config.ts';
import { toLambdaError } from '../../../../lambdas/domain/contract/failure.ts';
import { checkOrder } from '../../../../lambdas/order/check-order.ts';
import { newOrder } from '../../../../lambdas/order/new-order.ts';
import { pollOrder } from '../../../../lambdas/order/poll-order.ts';
import { respondToChallenges } from '../../../../lambdas/order/respond-to-challenges.ts';
import { Killed } from '../../../fakes/recorder.ts';
import { configOf, execution, otherExecution, specWith } from '../../../fakes/specs.ts';
import { createWorld, type World } from '../../../fakes/world.ts';
import { synthesize } from '../../synthesized.ts';
import { definition, type Ended, run, type StateMachine, TaskError, type Tasks, thrown } from '../state-machine.ts';

export const workflow = definition('-renewal', synthesize());
const accountsWorkflow = definition('-accounts', synthesize());
const endpoint = 'www.example.com:443';
export const spec = specWith({
  identifiers: ['*.example.com', 'example.com'],
  regions: ['us-east-1'],
  endpoints: [endpoint],
});
export const request = { certificate: 'www' };
export const thirdExecution = `${execution}-third`;

const steps: Readonly<Record<string, (input: never, ports: never) => Promise<unknown>>> = {
  checkRenewal,
  checkEndpoints,
  recordFailure,
  recordSuccess,
  newOrder,
  checkOrder,
  pollOrder,
  respondToChallenges,
  checkZones,
  presentChallenges,
  checkPropagation,
  cleanUpChallenges,
  finalizeOrder,
  storeCertificate,
  readCertificate,
  shareSecret,
  importCertificate,
  resolveAccountRequest,
  markCompromisedKey,
  takeLease,
  revokeCertificate,
  releaseLease,
};

export const stepNames = Object.keys(steps);

/** A world in memory in which a renewal of `spec` succeeds. */
export function world(): World {
  const created = createWorld();
  created.hostedZones.addZone('Z1');
  created.acm.addRegion('us-east-1');
  created.nameServers.serve('ns.Z1.test', (name) => created.hostedZones.answers('Z1', name));
  created.tlsEndpoints.serveBy(endpoint, () => created.ledger.get('www').current ?? undefined);
  for (const arn of [execution, otherExecution, thirdExecution]) created.executions.setStatus(arn, 'live');
  return created;
}

interface Execution {
  readonly input: unknown;
  readonly arn: string;
  /** Returns what becomes of a function that is killed: an error that ends the execution too, or one that the workflow catches. */
  readonly killed?: (error: Killed) => Error;
  readonly configured?: CertificateSpec;
  /** Whether tasks are retried as the workflow says. */
  readonly retries?: boolean;
  /** Steps that always fail, by name, with these errors. */
  readonly failing?: Readonly<Record<string, Error>>;
  /** Called before each task with the name of its state, and for each wait with its seconds. */
  readonly observe?: (step: { readonly state: string } | { readonly seconds: number }) => void;
  /** The operator's tags. */
  readonly tags?: Readonly<Record<string, string>>;
}

/** Runs the renewal workflow as it is deployed, with the real steps, in a world in memory. Waits advance its clock. */
export const renew = (world: World, options: Execution): Promise<Ended> => execute(workflow, world, options);

/** Runs the accounts workflow in the same way. `start` runs the renewal that it starts, while the execution of the accounts workflow still runs. */
export function runAccountsWorkflow(
  world: World,
  options: Execution,
  start: (input: object) => Promise<{ readonly arn: string }>,
): Promise<Ended> {
  const startRenewal = async ({ Input }: Record<string, unknown>) => ({
    ExecutionArn: (await start(Input as object)).arn,
  });
  return execute(accountsWorkflow, world, options, { 'Start renewal': startRenewal });
}

function execute(
  machine: StateMachine,
  { ports, clock, executions }: World,
  {
    input,
    arn,
    killed = (error) => error,
    configured = spec,
    retries = false,
    failing = {},
    observe = () => undefined,
    tags = {},
  }: Execution,
  otherTasks: Tasks = {},
): Promise<Ended> {
  executions.setInput(arn, JSON.stringify(input));
  const all = { ...ports, versions: ports.secrets, config: { ...configOf(configured), tags }, tags };
  const call = async ({ Payload }: Record<string, unknown>): Promise<unknown> => {
    const { step, run: who, input: given } = Payload as { step: string; run: object; input: object };
    try {
      if (failing[step]) throw failing[step];
      const output = await steps[step]?.({ ...who, ...given } as never, all as never);
      return { Payload: JSON.parse(JSON.stringify(output)) as unknown };
    } catch (error) {
      if (error instanceof Killed) throw killed(error);
      const { name, message } = toLambdaError(error);
      throw thrown(name, message);
    }
  };
  const publish = async ({ Entries }: Record<string, unknown>): Promise<unknown> => {
    try {
      await ports.events.publish(Entries as Record<string, unknown>[]);
      return {};
    } catch (error) {
      throw error instanceof Killed ? killed(error) : new TaskError('States.TaskFailed', String(error));
    }
  };
  const tasks = taskNames(machine).map((state) => {
    const task = state.startsWith('Announce') ? publish : call;
    const observed = (args: Record<string, unknown>) => {
      observe({ state });
      return task(args);
    };
    return [state, observed];
  });
  const onWait = (seconds: number) => {
    observe({ seconds });
    clock.advance(seconds * 1000);
  };
  return run(machine, {
    input,
    tasks: { ...Object.fromEntries(tasks), ...otherTasks },
    execution: arn,
    now: () => clock.now(),
    onWait,
    retries,
  });
}

const taskNames = ({ States: states }: Pick<StateMachine, 'States'>): string[] =>
  Object.entries(states).flatMap(([name, { Type, Branches = [], ItemProcessor }]) => [
    ...(Type === 'Task' ? [name] : []),
    ...[...Branches, ...(ItemProcessor ? [ItemProcessor] : [])].flatMap(taskNames),
  ]);
