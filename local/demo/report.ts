import { table, wrapped, wrappedCommand } from '../../cli/layout.ts';
import type { LocalEnvironment } from '../environment.ts';
import { writeVariables } from '../variables.ts';
import type { Facts, Failure } from './facts.ts';
import type { IssuedCertificate } from './proofs.ts';
import type { Screen } from './screen.ts';

const LABEL = 10;
const DAY_MS = 24 * 3600 * 1000;

/** Prints one line for each certificate, and with `verbose` everything else that is known. */
export function printIssued(
  screen: Screen,
  { certificates = [], bundles = [], caRequests }: Facts,
  verbose: boolean,
): void {
  if (certificates.length > 0) {
    const [header = '', ...rows] = table(rowsOf(certificates), screen.columns);
    screen.print(`\n${[screen.dim(header), ...rows].join('\n')}`);
  }
  if (verbose) {
    for (const certificate of certificates) printDetails(screen, certificate);
    const sizes = bundles.map(({ name, bytes }) => `${name} ${Math.round(bytes / 1024)} KB`).join(', ');
    screen.print(`\n${wrapped(`Bundles: ${sizes}`, screen.columns, 2)}`);
    const { total = 0, perCertificate = 0 } = caRequests ?? {};
    screen.print(`${total} requests to the CA, on average ${perCertificate.toFixed(1)} for each certificate`);
  }
  screen.print('');
}

/** Returns one row for each certificate, with the header first. */
const rowsOf = (issued: readonly IssuedCertificate[]): readonly (readonly string[])[] => [
  ['name', 'valid until', 'renewal due', 'took', 'stored in'],
  ...issued.map(({ name, notAfter, renewalDue, seconds, secretName, acm }) => [
    name,
    day(notAfter),
    renewalDue ? day(renewalDue) : '-',
    `${seconds.toFixed(1)} s`,
    [
      secretName,
      ...(acm.length > 0
        ? [
            `ACM ${acm
              .map(({ region }) => region)
              .toSorted()
              .join(', ')}`,
          ]
        : []),
    ].join(', '),
  ]),
];

function printDetails(screen: Screen, certificate: IssuedCertificate): void {
  const { name, identifiers, issuer, keyType, serialNumber, notBefore, notAfter, renewalDue, secretArn, acm } =
    certificate;
  const days = ((Date.parse(notAfter) - Date.parse(notBefore)) / DAY_MS).toFixed(1).replace('.0', '');
  const rows = [
    ['Names', identifiers.join(', ')],
    ['Issuer', issuer],
    ['Key', `${keyType}, serial ${serialNumber}`],
    ['Valid', `${minute(notBefore)} to ${minute(notAfter)} UTC, ${days} days`],
    ['Renewal', renewalDue ? `due at ${minute(renewalDue)} UTC` : 'not scheduled'],
    ['Secret', secretArn],
    ...acm.map(({ arn }) => ['ACM', arn]),
    ['Issuance', `${certificate.seconds.toFixed(1)} s, ${certificate.transitions} state transitions`],
    ['States', certificate.states.map((state) => state.name).join(', ')],
  ];
  screen.print(`\n${screen.bold(name)}`);
  for (const [label = '', value = ''] of rows)
    screen.print(`  ${screen.dim(label.padEnd(LABEL))}${wrapped(value, screen.columns, LABEL + 2)}`);
}

/** Prints each failure with its time, and its sentences below. The name of an execution is short enough for a line, and its ARN is not. */
export function printFailures(screen: Screen, failures: readonly Failure[]): void {
  for (const { name, seconds, error, cause, execution } of failures) {
    screen.print(`\n${screen.bold(name)} failed after ${seconds.toFixed(1)} s: ${error}`);
    const lines = [...cause.split('\n'), ...(execution ? [`Execution ${execution.split(':').at(-1)}`] : [])];
    for (const line of lines) screen.print(`  ${wrapped(line, screen.columns, 2)}`);
  }
}

const day = (time: string) => new Date(time).toISOString().slice(0, 10);
const minute = (time: string) => new Date(time).toISOString().slice(0, 16).replace('T', ' ');

/** Returns the environment variables for commands in another terminal. */
export function keptVariables(local: LocalEnvironment, facts: Facts): Record<string, string> {
  const { workflows, certificates = [], failures = [] } = facts;
  // A failure is what the user wants to look at first.
  const execution = [...failures, ...certificates].find((each) => each.execution !== null)?.execution;
  return {
    ...local.variables,
    ...(workflows && { FLEET: workflows.fleet, RENEWAL: workflows.renewal }),
    ...(execution && { EXECUTION: execution }),
    ACME_DIRECTORY_URL: local.pebble.directoryUrl,
    ACME_MANAGEMENT_URL: local.pebble.managementUrl,
  };
}

/** Writes the variables into a file for `source`, and prints commands for another terminal, while the environment keeps running. */
export function printKept(screen: Screen, local: LocalEnvironment, facts: Facts): void {
  const file = writeVariables(local, keptVariables(local, facts));
  screen.print(`\n${screen.bold('The environment runs until Ctrl-C. In another terminal:')}\n  source ${file}`);
  screen.print(`\n${screen.bold('Then, in this folder:')}`);
  for (const command of ownCommands(facts)) screen.print(`  npx cdk-perennial ${command}`);
  screen.print(`\n${screen.bold('With the AWS CLI:')}`);
  for (const command of commandsFor(facts)) screen.print(`  ${wrappedCommand(`aws ${command}`, screen.columns, 2)}`);
  screen.print('\nTo watch a failure, start the demo again:\n  npm run demo -- --keep --break dns');
  screen.print(`\nThe log of the CA:\n  ${local.pebble.logFile}`);
}

/** Returns commands of the command line about the certificate that the user most likely wants to look at. */
function ownCommands({ certificates = [], failures = [] }: Facts): readonly string[] {
  const name = failures[0]?.name ?? certificates[0]?.name;
  const issued = certificates[0]?.name;
  return ['status', ...(name ? [`explain ${name}`] : []), ...(issued ? [`renew ${issued} --force --watch`] : [])];
}

function commandsFor({ workflows, certificates = [], failures = [], hostedZones = [] }: Facts): readonly string[] {
  const [first] = certificates;
  const certificate = first?.name ?? failures.find(({ execution }) => execution !== null)?.name;
  const regions = [...new Set(certificates.flatMap(({ acm }) => acm.map(({ region }) => region)))];
  const start = (name: string) =>
    `stepfunctions start-execution --state-machine-arn $RENEWAL --name ${name}-1 --input '{"certificate":"${name}","force":true}'`;
  return [
    ...(workflows ? ['stepfunctions list-executions --state-machine-arn $RENEWAL'] : []),
    ...(certificate ? ['stepfunctions get-execution-history --execution-arn $EXECUTION', start(certificate)] : []),
    ...(workflows ? ['stepfunctions start-execution --state-machine-arn $FLEET'] : []),
    ...(first ? [`secretsmanager get-secret-value --secret-id ${first.secretName}`] : []),
    ...regions.map((region) => `acm list-certificates --region ${region} --includes keyTypes=EC_prime256v1,RSA_2048`),
    ...hostedZones.map(({ id }) => `route53 list-resource-record-sets --hosted-zone-id ${id}`),
  ];
}
