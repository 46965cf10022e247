import { basename } from 'node:path';
import { buildCommandLine } from '../../build/command-line.ts';
import { buildFunctions } from '../../build/functions.ts';
import type { LocalConfig } from '../config-file.ts';
import { type LocalEnvironment, startLocalEnvironment } from '../environment.ts';
import { readConfig } from './config.ts';
import { deployAndRenew } from './deployment.ts';
import { addFailure, type Facts } from './facts.ts';
import {
  type Handshake,
  type IssuedCertificate,
  nextFleetRun,
  proveByTls,
  proveZonesAreEmpty,
  readIssued,
} from './proofs.ts';
import { type Renewal, renewalTimes } from './renewals.ts';
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
    step.title('AWS (MiniStack), an ACME CA (Pebble) and DNS run on this machine');
    return environment;
  });
  await screen.step('Bundling the functions', async (step) => {
    const [bundles] = await Promise.all([buildFunctions(), buildCommandLine()]);
    step.title(`${count(bundles, 'function')} bundled`);
    facts.bundles = bundles;
  });
  if (broken === 'dns') {
    const [zone = ''] = config.zones.map(nameOf);
    local.dns.delegate(zone, null);
    screen.print(`The parent of ${zone} does not delegate it (--break dns).`);
  }
  const renewals = await deployAndRenew(screen, facts, local, config);
  const requests = local.pebble.requests().length;
  facts.caRequests = { total: requests, perCertificate: requests / Math.max(renewals.length, 1) };
  facts.certificates = await readAll(facts, local, { secretPrefix: config.secretPrefix ?? '', renewals });
  facts.issuingRoots = await local.pebble.issuingRoots();
  printIssued(screen, facts, verbose);
  await prove(screen, facts, { local, expected: config.certificates.length });
}

/** Reads the certificates of the renewals. One that cannot be read is added to the failures. */
async function readAll(
  facts: Facts,
  local: LocalEnvironment,
  { secretPrefix, renewals }: { readonly secretPrefix: string; readonly renewals: readonly Renewal[] },
): Promise<IssuedCertificate[]> {
  const due = await renewalTimes(local);
  const issued: IssuedCertificate[] = [];
  for (const renewal of renewals) {
    const { certificate: name, seconds, arn: execution } = renewal;
    const where = { secretName: `${secretPrefix}${name}`, renewalDue: due.get(name) ?? null };
    try {
      issued.push(await readIssued(local, where, renewal));
    } catch (error) {
      const { name: kind, message: cause } = error as Error;
      addFailure(facts, { name, seconds, error: kind, cause, execution });
    }
  }
  return issued;
}

/** Runs a check. If it fails, the failure is added to the facts and the other checks still run. */
async function check(screen: Screen, facts: Facts, title: string, work: (step: Step) => Promise<void>): Promise<void> {
  const start = Date.now();
  await screen.step(title, work).catch((error: Error) => {
    const seconds = (Date.now() - start) / 1000;
    addFailure(facts, { name: title, seconds, error: error.name, cause: error.message, execution: null });
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
    const names = all.length <= 2 ? all.map(({ serverName }) => serverName).join(', ') : count(all, 'name');
    step.title(`A ${protocol} client with the CA's root accepts ${names}`);
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
    step.title(`Second fleet run: ${run.checked} of ${expected} checked, nothing due`);
  });
}

const count = (list: readonly unknown[], noun: string) => `${list.length} ${noun}${list.length === 1 ? '' : 's'}`;
const nameOf = (zone: LocalConfig['zones'][number]) => (typeof zone === 'string' ? zone : zone.name);
const zones = (names: readonly string[]) => (names.length <= 3 ? names.join(', ') : count(names, 'hosted zone'));
