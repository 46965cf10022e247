import { basename } from 'node:path';
import { buildFunctions } from '../../build/functions.ts';
import type { LocalConfig } from '../config-file.ts';
import { type LocalEnvironment, startLocalEnvironment } from '../environment.ts';
import { readConfig } from './config.ts';
import { deployAndRenew } from './deployment.ts';
import type { Facts } from './facts.ts';
import {
  type Handshake,
  type IssuedCertificate,
  nextFleetRun,
  proveByTls,
  proveZonesAreEmpty,
  readIssued,
} from './proofs.ts';
import { printIssued } from './report.ts';
import type { Screen } from './screen.ts';

/**
 * Deploys the service, issues the certificates of the config, and checks that they are stored, imported and not due again.
 *
 * @param started called with the local environment as soon as it runs. The caller stops the environment
 * @throws Error with a message for the user, at the first step that fails
 */
export async function demonstrate(
  screen: Screen,
  facts: Facts,
  started: (local: LocalEnvironment) => void,
): Promise<void> {
  const config = await screen.step(`Reading ${basename(facts.config)}`, async (step) => {
    const read = await readConfig(facts.config);
    step.title(
      `${basename(facts.config)}: ${count(read.certificates, 'certificate')} in ${zones(read.zones.map(nameOf))}`,
    );
    return read;
  });
  const local = await screen.step('Starting AWS, an ACME CA and DNS on this machine', async (step) => {
    const environment = await startLocalEnvironment({ onProgress: (line) => step.say(line) });
    started(environment);
    step.title('AWS (MiniStack, IAM enforced), an ACME CA (Pebble, its chaos on) and DNS run on this machine');
    return environment;
  });
  await screen.step('Bundling the functions', async (step) => {
    const sizes = (await buildFunctions()).map(({ bytes }) => Math.round(bytes / 1024));
    step.title(`${count(sizes, 'function')} bundled, ${Math.min(...sizes)} to ${Math.max(...sizes)} KB`);
  });

  const renewals = await deployAndRenew(screen, facts, local, config);
  const requests = local.pebble.requests().length;
  facts.caRequests = { total: requests, perCertificate: requests / renewals.length };
  const issued: IssuedCertificate[] = [];
  for (const renewal of renewals)
    issued.push(await readIssued(local, `${config.secretPrefix}${renewal.certificate}`, renewal));
  facts.certificates = issued;
  facts.issuingRoot = await local.pebble.issuingRoot();
  printIssued(screen, issued, facts.caRequests);
  await prove(screen, facts, local);
}

async function prove(screen: Screen, facts: Facts, local: LocalEnvironment): Promise<void> {
  const { certificates = [], workflows } = facts;
  await screen.step('TLS with what the secret holds', async (step) => {
    const handshakes: Record<string, readonly Handshake[]> = {};
    for (const certificate of certificates) handshakes[certificate.name] = await proveByTls(local, certificate);
    facts.handshakes = handshakes;
    const all = Object.values(handshakes).flat();
    const [{ protocol = 'TLS' } = {}] = all;
    const names = all.length <= 4 ? all.map(({ serverName }) => serverName).join(', ') : count(all, 'name');
    step.title(`${protocol} server on the stored secret: a client with the CA's root accepts ${names}`);
  });
  await screen.step('Checking that no challenge value is left in DNS', async (step) => {
    facts.hostedZones = await proveZonesAreEmpty(local);
    step.title(`No TXT value is left in ${zones(facts.hostedZones.map(({ name }) => name))}`);
  });
  await screen.step('Second fleet run', async (step) => {
    if (!workflows) throw new Error('Nothing is deployed');
    const run = await nextFleetRun(local, workflows);
    facts.secondRun = run;
    if (run.due > 0 || run.checked !== certificates.length)
      throw new Error(
        `The second fleet run checked ${run.checked} of ${certificates.length} and found ${run.due} due: ${run.execution}`,
      );
    step.title(`Second fleet run: ${count(certificates, 'certificate')} checked, nothing due`);
  });
}

const count = (list: readonly unknown[], noun: string) => `${list.length} ${noun}${list.length === 1 ? '' : 's'}`;
const nameOf = (zone: LocalConfig['zones'][number]) => (typeof zone === 'string' ? zone : zone.name);
const zones = (names: readonly string[]) => (names.length <= 3 ? names.join(', ') : count(names, 'hosted zone'));
