import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startLocalEnvironment } from './environment.ts';
import { MissingPrerequisiteError } from './install.ts';

/** Starts the local environment for `npm run local`. Prints `export` lines for a shell to standard output, and all else to standard error. */
async function main(): Promise<void> {
  const local = await startLocalEnvironment({ onProgress: (message) => console.error(message) });
  const trustedRoots = join(local.folder, 'acme-trusted-roots.pem');
  const issuingRoot = join(local.folder, 'acme-issuing-root.pem');
  writeFileSync(trustedRoots, local.pebble.trustedRoots);
  writeFileSync(issuingRoot, await local.pebble.issuingRoot());

  const variables = {
    ...local.variables,
    ACME_DIRECTORY_URL: local.pebble.directoryUrl,
    ACME_MANAGEMENT_URL: local.pebble.managementUrl,
    ACME_TRUSTED_ROOTS: trustedRoots,
    ACME_ISSUING_ROOT: issuingRoot,
    DNS_AUTHORITATIVE: local.dns.addresses.authoritative,
    DNS_VALIDATION: local.dns.addresses.validation,
  };
  for (const [name, value] of Object.entries(variables)) console.log(`export ${name}='${value}'`);
  console.error(`Logs: ${local.aws.logFile} ${local.pebble.logFile}\nCtrl-C stops everything.`);

  const stop = () => local.stop().then(() => process.exit());
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
}

main().catch((error) => {
  console.error(error instanceof MissingPrerequisiteError ? error.message : error);
  process.exitCode = 1;
});
