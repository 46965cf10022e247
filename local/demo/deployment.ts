import { DynamoDBClient, ListTablesCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { type LocalConfig, localConfig, writeConfig } from '../config-file.ts';
import { bootstrap, deploy } from '../deploy.ts';
import type { LocalEnvironment } from '../environment.ts';
import type { Facts } from './facts.ts';
import { firstFleetRun } from './proofs.ts';
import {
  certificateOf,
  executionsOf,
  findWorkflows,
  type Renewal,
  RenewalFailedError,
  type VisitedState,
  watchRenewal,
} from './renewals.ts';
import type { Screen, Work } from './screen.ts';

/**
 * Deploys the stack and watches the renewals. The deployment starts the fleet, and the fleet starts the renewals. Returns the renewals that succeeded,
 * and adds those that failed to the facts.
 *
 * @throws Error if the deployment fails
 */
export async function deployAndRenew(
  screen: Screen,
  facts: Facts,
  local: LocalEnvironment,
  config: LocalConfig,
): Promise<Renewal[]> {
  const names = config.certificates.map(({ name }) => name);
  const abort = new AbortController();
  const deployment: Work<undefined> = {
    title: 'Making the hosted zones and deploying with the CDK',
    work: async (step) => {
      try {
        const file = writeConfig(local, await localConfig(local, config));
        await bootstrap(local);
        await deploy(local, { context: { config: file } });
        const workflows = await findWorkflows(local);
        if (!workflows) throw new Error('The deployed stack has no workflow whose name ends in -fleet or in -renewal');
        facts.workflows = workflows;
        facts.firstRun = await firstFleetRun(local, workflows);
        const started = (await executionsOf(local, workflows.renewal)).map(certificateOf);
        const missing = names.filter((name) => !started.includes(name));
        if (missing.length > 0)
          throw new Error(`${facts.firstRun.execution} started no renewal of ${missing.join(', ')}`);
        step.title('Deployed by the CDK; the deployment started the fleet, and the fleet the renewals');
        return undefined;
      } catch (error) {
        abort.abort(error);
        throw error;
      }
    },
  };
  const [deployed, ...ended] = await screen.steps<Renewal | undefined>([
    deployment,
    ...names.map((certificate) => renewalWork(screen, local, { certificate, names, signal: abort.signal })),
  ]);
  if (deployed?.status === 'rejected') throw deployed.reason;
  facts.failures = ended.flatMap((each) => {
    if (each.status === 'fulfilled') return [];
    if (each.reason instanceof RenewalFailedError) return [each.reason.failure];
    throw each.reason;
  });
  return ended.flatMap((each) => (each.status === 'fulfilled' && each.value ? [each.value] : []));
}

/** Maximum number of certificates that show all their states. With more certificates, each one shows only its current state. */
const MAXIMUM_TRAILS = 5;

interface Watched {
  readonly certificate: string;
  readonly names: readonly string[];
  readonly signal: AbortSignal;
}

function renewalWork(screen: Screen, local: LocalEnvironment, { certificate, names, signal }: Watched): Work<Renewal> {
  const label = certificate.padEnd(Math.max(...names.map((name) => name.length)));
  const withTrail = names.length <= MAXIMUM_TRAILS;
  return {
    title: `${label}  waits for the deployment`,
    timed: false,
    work: async (step) => {
      const onState = (states: readonly VisitedState[], entered: readonly VisitedState[]) => {
        step.title(`${label}  ${states.at(-1)?.name}`);
        for (const { name, at } of entered)
          step.say(`${label}  ${at.toFixed(1).padStart(5)} s  ${name}`, withTrail ? trail(screen, states) : '');
      };
      try {
        const renewal = await watchRenewal(local, { certificate, among: names.length, signal, onState });
        step.title(`${label}  issued in ${renewal.seconds.toFixed(1)} s, ${renewal.states.length} states`);
        return renewal;
      } catch (error) {
        const failed = error instanceof RenewalFailedError ? `failed: ${error.failure.error}` : 'failed';
        step.title(`${label}  ${signal.aborted ? 'not deployed' : failed}`);
        throw error;
      }
    },
  };
}

/** Returns each state once, in the order of the first visits, with the number of its visits. */
function trail(screen: Screen, states: readonly VisitedState[]): string {
  const times = new Map<string, number>();
  for (const { name } of states) times.set(name, (times.get(name) ?? 0) + 1);
  const words = [...times].map(([name, number]) => (number > 1 ? `${name} x${number}` : name));
  return screen.dim(words.join(' > '));
}

/** Returns the time at which each certificate is renewed next, from the ledger of the deployed stack. */
export async function renewalTimes(local: LocalEnvironment): Promise<ReadonlyMap<string, string>> {
  const client = new DynamoDBClient(local.clientConfig);
  const { TableNames = [] } = await client.send(new ListTablesCommand({}));
  const items = await Promise.all(TableNames.map((TableName) => client.send(new ScanCommand({ TableName }))));
  return new Map(
    items.flatMap(({ Items = [] }) =>
      Items.flatMap(({ id, renewalTime }) =>
        renewalTime?.S && id?.S ? [[id.S.replace('certificate#', ''), renewalTime.S] as const] : [],
      ),
    ),
  );
}
