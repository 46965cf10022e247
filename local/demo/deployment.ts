import { type LocalConfig, localConfig, writeConfig } from '../config-file.ts';
import { bootstrap, deploy } from '../deploy.ts';
import type { LocalEnvironment } from '../environment.ts';
import { addFailure, type Facts } from './facts.ts';
import { firstFleetRun } from './proofs.ts';
import { certificateOf, executionsOf, findWorkflows, type Renewal, RenewalFailedError } from './renewals.ts';
import type { Screen } from './screen.ts';
import { type RenewalWatch, renewalWorks } from './watched-renewals.ts';

/**
 * Deploys the stack and watches the renewals. The deployment starts the fleet, and the fleet starts the renewals. A deployment or a renewal
 * that fails is added to the facts.
 *
 * @returns the renewals that succeeded, in the order of the config
 */
export async function deployAndRenew(
  screen: Screen,
  facts: Facts,
  local: LocalEnvironment,
  config: LocalConfig,
): Promise<Renewal[]> {
  const watches: RenewalWatch[] = config.certificates.map(({ name }) => ({ name, abort: new AbortController() }));
  const start = Date.now();
  const deployment = {
    title: 'Creating the hosted zones and deploying with the CDK',
    work: async (step: { title(text: string): void }) => {
      try {
        await deployTo(local, config);
        const { execution, started } = await firstRenewals(facts, local);
        for (const watch of watches.filter(({ name }) => !started.includes(name)))
          watch.abort.abort(notStarted(watch.name, execution));
        step.title('Deployed by the CDK, which started the fleet and so the renewals');
      } catch (error) {
        for (const { abort } of watches) abort.abort(error);
        throw error;
      }
    },
  };
  const [deployed] = await screen.steps<unknown>([deployment, ...renewalWorks(screen, local, watches)]);
  if (deployed?.status === 'rejected') {
    const { name, message } = deployed.reason as Error;
    const seconds = (Date.now() - start) / 1000;
    addFailure(facts, { name: 'Deployment', seconds, error: name, cause: message, execution: null });
  }
  for (const { failure } of watches) if (failure) addFailure(facts, failure);
  return watches.flatMap(({ renewal }) => renewal ?? []);
}

async function deployTo(local: LocalEnvironment, config: LocalConfig): Promise<void> {
  const file = writeConfig(local, await localConfig(local, config));
  await bootstrap(local);
  await deploy(local, { context: { config: file } });
}

/** Waits for the end of the fleet run that the deployment started. Returns its ARN and the certificates whose renewals it started. */
async function firstRenewals(facts: Facts, local: LocalEnvironment) {
  const workflows = await findWorkflows(local);
  if (!workflows) throw new Error('The deployed stack has no workflow whose name ends in -fleet or in -renewal');
  facts.workflows = workflows;
  facts.firstRun = await firstFleetRun(local, workflows);
  const started = (await executionsOf(local, workflows.renewal)).map(certificateOf);
  return { execution: facts.firstRun.execution, started };
}

const notStarted = (name: string, fleetRun: string) =>
  new RenewalFailedError({
    ...{ name, seconds: 0, error: 'NotStarted', execution: null },
    cause: `The fleet run ${fleetRun.split(':').at(-1)} did not start the renewal.`,
  });
