import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Command } from 'commander';
import { buildCommandLine } from '../build/command-line.ts';
import { buildFunctions } from '../build/functions.ts';
import { COMMANDS, runCommand } from './commands.ts';
import { bootstrap, createHostedZone } from './deploy.ts';
import { type LocalEnvironment, startLocalEnvironment } from './environment.ts';
import { MissingPrerequisiteError } from './install.ts';
import { writeVariables } from './variables.ts';

/** The hosted zone of local/certificates.ts. */
const ZONE = 'example.com';

new Command('npm run local --')
  .description(
    `Starts AWS, an ACME CA and DNS on this machine, with the hosted zone ${ZONE} and the bucket that cdk deploy needs. ` +
      'Prints the line that sets the variables in another terminal. Everything ends with Ctrl-C.',
  )
  .addHelpText('after', `\n${COMMANDS}\n\ndocs/getting-started.md shows what to do with it.`)
  .parse();

/** Starts the local environment for `npm run local`. Prints the `source` line to standard output, and all else to standard error. */
async function main(): Promise<void> {
  const local = await startLocalEnvironment({ onProgress: (message) => console.error(message) });
  const stop = () => local.stop().then(() => process.exit());
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  // A deployment with a bundle that is missing or older than the sources would fail.
  const [id] = await Promise.all([
    createHostedZone(local, ZONE),
    bootstrap(local),
    buildFunctions(),
    buildCommandLine(),
  ]);
  const file = writeVariables(local, await variablesOf(local, id));
  console.error('AWS, an ACME CA and DNS run on this machine. In another terminal, in this folder:\n');
  console.log(`source ${file}`);
  console.error(`npx cdk deploy -c config=local/certificates.ts

Then, for example:
npx cdk-perennial status

Logs:
  ${local.aws.logFile}
  ${local.pebble.logFile}

${COMMANDS}`);
  const ports = {
    dns: local.dns,
    zones: async () => (await local.aws.hostedZones()).map(({ name }) => name.replace(/\.$/, '')),
    stop,
  };
  createInterface({ input: process.stdin }).on('line', async (line) => console.error(await runCommand(line, ports)));
}

async function variablesOf(local: LocalEnvironment, hostedZoneId: string): Promise<Record<string, string>> {
  const trustedRoots = join(local.folder, 'acme-trusted-roots.pem');
  const issuingRoots = join(local.folder, 'acme-issuing-roots.pem');
  writeFileSync(trustedRoots, local.pebble.trustedRoots);
  writeFileSync(issuingRoots, await local.pebble.issuingRoots());
  return {
    ...local.variables,
    HOSTED_ZONE_ID: hostedZoneId,
    ACME_DIRECTORY_URL: local.pebble.directoryUrl,
    ACME_MANAGEMENT_URL: local.pebble.managementUrl,
    ACME_TRUSTED_ROOTS: trustedRoots,
    ACME_ISSUING_ROOTS: issuingRoots,
    DNS_ROOT: local.dns.addresses.root,
    DNS_AUTHORITATIVE: local.dns.addresses.authoritative,
    DNS_VALIDATION: local.dns.addresses.validation,
  };
}

main().catch((error) => {
  console.error(error instanceof MissingPrerequisiteError ? error.message : error);
  process.exitCode = 1;
});
