import { Command, Option } from 'commander';
import { revocationReasons } from '../lambdas/domain/contract/revocation-reason.ts';
import type { CertificateValues } from '../lambdas/domain/ports/certificate-values.ts';
import type { Deployments } from '../lambdas/domain/ports/deployments.ts';
import type { Drills } from '../lambdas/domain/ports/drills.ts';
import type { LogLines } from '../lambdas/domain/ports/log-lines.ts';
import type { OperatorChecks } from '../lambdas/domain/ports/operator-checks.ts';
import type { RolePermissions } from '../lambdas/domain/ports/role-permissions.ts';
import type { Clock } from '../lambdas/domain/ports/runtime.ts';
import type { Workflows } from '../lambdas/domain/ports/workflows.ts';
import { fileFormats } from './certificate-files.ts';
import { deactivate } from './commands/deactivate.ts';
import { type DoctorPorts, doctor } from './commands/doctor.ts';
import { drill } from './commands/drill.ts';
import { explain } from './commands/explain.ts';
import { get } from './commands/get.ts';
import { logs } from './commands/logs.ts';
import { pause } from './commands/pause.ts';
import { type PlanPorts, plan } from './commands/plan.ts';
import { renew } from './commands/renew.ts';
import { resume } from './commands/resume.ts';
import { revoke } from './commands/revoke.ts';
import { rollover } from './commands/rollover.ts';
import { status } from './commands/status.ts';
import type { Target } from './deployment.ts';
import type { ExitCode } from './exit-codes.ts';
import type { PageAssets } from './page/page.ts';
import type { Terminal } from './terminal.ts';

/** What the commands need from outside. */
export interface CommandPorts {
  readonly deployments: Deployments;
  readonly workflows: Workflows;
  readonly checks: OperatorChecks;
  readonly permissions: RolePermissions;
  readonly drills: Drills;
  readonly zones: DoctorPorts['zones'];
  readonly logLines: LogLines;
  readonly values: CertificateValues;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly pageAssets: () => PageAssets;
  readonly askConfirmation: (question: string) => Promise<boolean | null>;
  readonly askSecret: (question: string) => Promise<string>;
  readonly synthesize: PlanPorts['synthesize'];
  readonly terminal: Terminal;
  readonly clock: Clock;
}

/** Options of every command. */
export interface CommonOptions extends Target {
  readonly json?: boolean;
}

type MakePorts = (options: CommonOptions) => CommandPorts;
type MakeCommand = (usage: string, description: string) => Command;

/**
 * Returns the commands. Each one ends with its exit code in `onEnd`, and makes its ports from the options.
 *
 * @param makePorts makes the ports for a region and a profile
 */
export function createProgram(version: string, makePorts: MakePorts, onEnd: (code: ExitCode) => void): Command {
  const program = new Command('cdk-perennial')
    .description('Shows, renews and revokes the TLS certificates that Perennial keeps in an AWS account.')
    .version(version)
    .exitOverride()
    .showHelpAfterError('Run "npx cdk-perennial --help" for all commands.');
  const command: MakeCommand = (usage, description) =>
    program
      .command(usage)
      .description(description)
      .option('--stack <name>', 'the stack, if there is more than one with Perennial')
      .option('--region <region>', 'the region of the stack, by default that of the profile')
      .option('--profile <name>', 'the profile of the AWS configuration')
      .showHelpAfterError(`Run "npx cdk-perennial ${usage.split(' ')[0]} --help" for its options.`)
      .exitOverride();

  command('status [name]', 'all certificates with their state, or everything about one')
    .option('--json', 'the report as JSON')
    .option('--html <file>', 'writes the report as one HTML page')
    .action(async (name: string | undefined, options) => onEnd(await status(name, options, makePorts(options))));
  command('explain <name>', 'why a certificate is or is not due, and its last executions')
    .option('--json', 'the report and the executions as JSON')
    .action(async (name: string, options) => onEnd(await explain(name, options, makePorts(options))));
  command('renew <name>', 'starts the renewal of a certificate')
    .option('--force', 'renew even if it is not due')
    .option('--watch', 'follow the renewal to its end')
    .option('--json', 'the execution as JSON, with --watch after its end')
    .action(async (name: string, options) => onEnd(await renew(name, options, makePorts(options))));
  command('plan', 'what the next deployment would change, order and cost')
    .option('--app <command>', 'the command of the app, if cdk.json has none')
    .option('-c, --context <key=value>', 'a value for the app, as for cdk deploy', collected)
    .option('--cdk-out <folder>', 'the folder that cdk synth wrote, instead of the app')
    .option('--json', 'the plan as JSON')
    .action(async (options) => onEnd(await plan(options, (region) => makePorts({ ...options, region }))));
  command('doctor', 'checks everything that renewals need')
    .option('--json', 'the findings as JSON')
    .action(async (options) => onEnd(await doctor(options, makePorts(options))));
  command('drill', 'sends one test message by each path, and asks whether it arrived')
    .option('--json', 'the findings as JSON')
    .action(async (options) => onEnd(await drill(options, makePorts(options))));
  command('logs <name>', 'the log lines of a certificate, the newest execution first')
    .option('--since <time>', '30m, 12h, 1d, 2w or a time in RFC 3339', '1d')
    .option('--json', 'all fields of the lines as JSON')
    .action(async (name: string, options) => onEnd(await logs(name, options, makePorts(options))));
  command('get <name>', 'writes a certificate and its key into files')
    .requiredOption('--out <folder>', 'the folder, in which the link "current" moves to the new files')
    .option('--format <formats>', `${fileFormats.join(', ')}, or several of them with commas`, 'pem')
    .option('--password-file <file>', 'file with the password of a PKCS#12 file')
    .option('--password-env <variable>', 'environment variable with the password of a PKCS#12 file')
    .option('--json', 'the paths of the files as JSON')
    .action(async (name: string, options) => onEnd(await get(name, options, makePorts(options))));
  requests(command, makePorts, onEnd);
  return program;
}

/** Collects the values of an option that may be repeated. */
const collected = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

/** Adds the commands that start the accounts workflow. */
function requests(command: MakeCommand, makePorts: MakePorts, onEnd: (code: ExitCode) => void): void {
  const request = (usage: string, description: string) =>
    command(usage, description).option('--json', 'the ended execution as JSON');
  const confirmed = (usage: string, description: string) =>
    request(usage, description).option('--yes', 'start without the question');
  request('pause <name>', 'pauses the renewals of a certificate, except in an emergency')
    .requiredOption('--until <time>', 'a date, or a time in RFC 3339')
    .action(async (name: string, options) => onEnd(await pause(name, options, makePorts(options))));
  request('resume <name>', 'ends the pause of a certificate').action(async (name: string, options) =>
    onEnd(await resume(name, options, makePorts(options))),
  );
  confirmed('revoke <name>', 'revokes a certificate and replaces it')
    .addOption(
      new Option('--reason <reason>', 'why it is revoked')
        .choices(Object.keys(revocationReasons))
        .makeOptionMandatory(),
    )
    .option('--version-id <id>', 'the version of the secret to revoke, instead of the current one')
    .action(async (name: string, options) => onEnd(await revoke(name, options, makePorts(options))));
  confirmed('rollover <issuer>', 'changes the key of the account at a CA').action(async (issuer: string, options) =>
    onEnd(await rollover(issuer, options, makePorts(options))),
  );
  confirmed('deactivate <issuer>', 'deactivates the account at a CA').action(async (issuer: string, options) =>
    onEnd(await deactivate(issuer, options, makePorts(options))),
  );
}
