import { readFileSync } from 'node:fs';
import { createLogLines } from '../lambdas/adapters/aws/cloudwatch-logs/log-lines.ts';
import { createDrills } from '../lambdas/adapters/aws/drills.ts';
import { createRolePermissions } from '../lambdas/adapters/aws/iam/role-permissions.ts';
import { clock } from '../lambdas/adapters/aws/lambda/clock.ts';
import { createDeployments } from '../lambdas/adapters/aws/lambda/deployments.ts';
import { createOperatorChecks } from '../lambdas/adapters/aws/operator-checks.ts';
import { createCertificateValues } from '../lambdas/adapters/aws/secrets-manager/certificate-values.ts';
import { createWorkflows } from '../lambdas/adapters/aws/step-functions/workflows.ts';
import { createOperatorZones } from '../lambdas/adapters/aws/sts/assumed-roles.ts';
import { createAuthoritativeDns } from '../lambdas/adapters/dns/authoritative.ts';
import { rootServersOf } from '../lambdas/adapters/dns/root-servers.ts';
import { version } from '../lambdas/domain/contract/version.ts';
import { askConfirmation } from './ask-confirmation.ts';
import { askSecret } from './ask-secret.ts';
import { exitCodes } from './exit-codes.ts';
import { wrappedMessage } from './layout.ts';
import { problemOf } from './problems.ts';
import { createProgram } from './program.ts';
import { synthesize } from './synthesize.ts';
import { createTerminal } from './terminal.ts';
import { withVersionNote } from './version-note.ts';

const terminal = createTerminal(process.stdout, process.stderr, process.env);

// A reader such as `head` closes the pipe when it has enough. That is no failure.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? exitCodes.done : exitCodes.failed);
  });
// With a handler, a signal cannot end the process while it writes the files of a certificate.
let started = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(signal, () => {
    terminal.note(`\nInterrupted.${started ? ' The started execution continues.' : ''}`);
    process.exit(exitCodes.interrupted);
  });

/** The build copies the folder `page` to the bundle. */
const asset = (name: string) => readFileSync(new URL(`./page/${name}`, import.meta.url), 'utf8');

const program = createProgram(
  version,
  ({ region, profile }) => {
    const settings = { ...(region && { region }), ...(profile && { profile }) };
    const workflows = createWorkflows(settings);
    return {
      deployments: withVersionNote(createDeployments(settings), version, terminal),
      checks: createOperatorChecks(settings),
      permissions: createRolePermissions(settings),
      drills: createDrills(settings),
      zones: (rootServers) => ({
        hostedZonesAs: createOperatorZones(settings),
        dns: createAuthoritativeDns({ rootServers: rootServersOf(rootServers.join()) }),
      }),
      logLines: createLogLines(settings),
      workflows: {
        ...workflows,
        start: (...args) => {
          // The execution may run although the reply has not arrived.
          started = true;
          return workflows.start(...args);
        },
      },
      values: createCertificateValues(settings),
      terminal,
      clock,
      env: process.env,
      askConfirmation,
      askSecret,
      synthesize: (options) => {
        terminal.note('Running "cdk synth".');
        return synthesize(options);
      },
      pageAssets: () => ({ style: asset('style.css'), script: asset('script.js') }),
    };
  },
  (code) => {
    process.exitCode = code;
  },
);

try {
  await program.parseAsync();
} catch (error) {
  const { message, exitCode } = problemOf(error);
  if (message) terminal.note(wrappedMessage(message, terminal.columns));
  process.exitCode = exitCode;
}
