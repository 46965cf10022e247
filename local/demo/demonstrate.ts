import { basename } from 'node:path';
import { buildFunctions } from '../../build/functions.ts';
import type { LocalConfig } from '../config-file.ts';
import { type LocalEnvironment, startLocalEnvironment } from '../environment.ts';
import { readConfig } from './config.ts';
import { deployAndRenew, renewalTimes } from './deployment.ts';
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
import type { Screen, Step } from './screen.ts';

export interface Demonstration {
  /** Called with the local environment as soon as it runs. The caller stops the environment. */
  readonly started: (local: LocalEnvironment) => void;
  readonly verbose: boolean;
  /** What is broken before the deployment, to watch a failure. */
  readonly broken: 'dns' | undefined;
}

/**
 * Deploys the service, issues the certificates of the config, and checks that they are stored, imported and not due again.
 *
 * Renewals and checks that fail are added to the facts, and everything that worked is still shown.
 *
 * @throws Error with a message for the user if the config, the local environment or the deployment fails
 */
export async function demonstrate(
  screen: Screen,
  facts: Facts,
  { started, verbose, broken }: Demonstration,
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

  if (broken === 'dns') {
    const [zone = ''] = config.zones.map(nameOf);
    local.dns.delegate(zone, null);
    screen.print(`The parent of ${zone} does not delegate it (--break dns).`);
  }
  const renewals = await deployAndRenew(screen, facts, local, config);
  const requests = local.pebble.requests().length;
  facts.caRequests = { total: requests, perCertificate: requests / Math.max(renewals.length, 1) };
  const due = await renewalTimes(local);
  const issued: IssuedCertificate[] = [];
  for (const renewal of renewals) {
    const secretName = `${config.secretPrefix}${renewal.certificate}`;
    issued.push(await readIssued(local, { secretName, renewalDue: due.get(renewal.certificate) ?? null }, renewal));
  }
  facts.certificates = issued;
  facts.issuingRoot = await local.pebble.issuingRoots();
  printIssued(screen, issued, { verbose, requests: facts.caRequests });
  await prove(screen, facts, { local, expected: config.certificates.length });
}

/** Runs a check. If it fails, the failure is added to the facts and the other checks still run. */
async function check(screen: Screen, facts: Facts, title: string, work: (step: Step) => Promise<void>): Promise<void> {
  const start = Date.now();
  await screen.step(title, work).catch((error: Error) => {
    const failure = { name: title, seconds: (Date.now() - start) / 1000, error: error.name, cause: error.message };
    facts.failures = [...(facts.failures ?? []), { ...failure, execution: null }];
  });
}

async function prove(
  screen: Screen,
  facts: Facts,
  { local, expected }: { readonly local: LocalEnvironment; readonly expected: number },
): Promise<void> {
  const { certificates = [], workflows } = facts;
  if (certificates.length === 0) return;
  await check(screen, facts, 'TLS with what the secret holds', async (step) => {
    const handshakes: Record<string, readonly Handshake[]> = {};
    for (const certificate of certificates) handshakes[certificate.name] = await proveByTls(local, certificate);
    facts.handshakes = handshakes;
    const all = Object.values(handshakes).flat();
    const [{ protocol = 'TLS' } = {}] = all;
    const names = all.length <= 4 ? all.map(({ serverName }) => serverName).join(', ') : count(all, 'name');
    step.title(`${protocol} server on the stored secret: a client with the CA's root accepts ${names}`);
  });
  await check(screen, facts, 'Checking that no challenge value is left in DNS', async (step) => {
    facts.hostedZones = await proveZonesAreEmpty(local);
    step.title(`No TXT value is left in ${zones(facts.hostedZones.map(({ name }) => name))}`);
  });
  await check(screen, facts, 'Second fleet run', async (step) => {
    if (!workflows) throw new Error('Nothing is deployed');
    const run = await nextFleetRun(local, workflows);
    facts.secondRun = run;
    if (run.due > 0 || run.checked !== expected)
      throw new Error(
        `The second fleet run checked ${run.checked} of ${expected} and found ${run.due} due: ${run.execution}`,
      );
    step.title(
      `Second fleet run: ${run.checked === 1 ? '1 certificate' : `${run.checked} certificates`} checked, nothing due`,
    );
  });
}

const count = (list: readonly unknown[], noun: string) => `${list.length} ${noun}${list.length === 1 ? '' : 's'}`;
const nameOf = (zone: LocalConfig['zones'][number]) => (typeof zone === 'string' ? zone : zone.name);
const zones = (names: readonly string[]) => (names.length <= 3 ? names.join(', ') : count(names, 'hosted zone'));
