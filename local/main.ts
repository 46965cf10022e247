import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Command } from 'commander';
import { bootstrap, createHostedZone } from './deploy.ts';
import { type LocalEnvironment, startLocalEnvironment } from './environment.ts';
import { MissingPrerequisiteError } from './install.ts';
import { writeVariables } from './variables.ts';

const typed = `Type a command, and Enter:
  hide NAME        hide all DNS records of a name from the CA
  show             show all records and restore all delegations
  undelegate ZONE  take away the delegation of a hosted zone
  stop             stop everything, as Ctrl-C does`;

const command = new Command('npm run local')
  .description(
    'Starts AWS, an ACME CA and DNS on this machine, with the hosted zone example.com, for your own commands in another terminal.',
  )
  .addHelpText('after', `\nWhile it runs:\n${typed}\n\ndocs/getting-started.md shows what to do with it.`);
command.parse();

/** Starts the local environment for `npm run local`, and prints the file to `source` in another terminal. */
async function main(): Promise<void> {
  const local = await startLocalEnvironment({ onProgress: (message) => console.error(message) });
  await bootstrap(local);
  const hostedZoneId = await createHostedZone(local, 'example.com');
  const file = writeVariables(local, await variablesOf(local, hostedZoneId));
  console.log(`source ${file}`);
  console.error(`\nIn another terminal, run the line above. Then deploy local/certificates.ts:
  npx cdk deploy -c config=local/certificates.ts

Logs: ${local.aws.logFile} ${local.pebble.logFile}\n\n${typed}`);
  const stop = () => local.stop().then(() => process.exit());
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  createInterface({ input: process.stdin }).on('line', (line) => console.error(obey(line, local, stop)));
}

async function variablesOf(local: LocalEnvironment, hostedZoneId: string): Promise<Record<string, string>> {
  const trustedRoots = join(local.folder, 'acme-trusted-roots.pem');
  const issuingRoot = join(local.folder, 'acme-issuing-roots.pem');
  writeFileSync(trustedRoots, local.pebble.trustedRoots);
  writeFileSync(issuingRoot, await local.pebble.issuingRoots());
  return {
    ...local.variables,
    HOSTED_ZONE_ID: hostedZoneId,
    ACME_DIRECTORY_URL: local.pebble.directoryUrl,
    ACME_MANAGEMENT_URL: local.pebble.managementUrl,
    ACME_TRUSTED_ROOTS: trustedRoots,
    ACME_ISSUING_ROOT: issuingRoot,
    DNS_ROOT: local.dns.addresses.root,
    DNS_AUTHORITATIVE: local.dns.addresses.authoritative,
    DNS_VALIDATION: local.dns.addresses.validation,
  };
}

/** Runs a typed command. @returns what was done, or which commands there are */
function obey(line: string, { dns }: LocalEnvironment, stop: () => void): string {
  const [word = '', name = ''] = line.trim().split(/\s+/);
  if (word === 'hide' && name) {
    dns.hide({ view: 'validation', name });
    return `The CA finds no record of ${name}. "show" ends this.`;
  }
  if (word === 'undelegate' && name) {
    dns.delegate(name, null);
    return `The parent does not delegate ${name}. "show" ends this.`;
  }
  if (word === 'show') {
    dns.showAll();
    return 'All records are shown and all zones are delegated.';
  }
  if (word === 'stop') {
    stop();
    return 'Stopping.';
  }
  return typed;
}

main().catch((error) => {
  console.error(error instanceof MissingPrerequisiteError ? error.message : error);
  process.exitCode = 1;
});
