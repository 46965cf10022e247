import type { LocalEnvironment } from '../environment.ts';
import { writeVariables } from '../variables.ts';
import type { CaRequests, Facts, Failure } from './facts.ts';
import type { IssuedCertificate } from './proofs.ts';
import type { Screen } from './screen.ts';

const LABEL = 10;
const DAY_MS = 24 * 3600 * 1000;

/** Prints one line for each certificate, and with `verbose` everything else that is known about it. */
export function printIssued(
  screen: Screen,
  issued: readonly IssuedCertificate[],
  { verbose, requests }: { readonly verbose: boolean; readonly requests: CaRequests },
): void {
  if (issued.length > 0) screen.print(`\n${table(screen, issued)}`);
  if (verbose) {
    for (const certificate of issued) printDetails(screen, certificate);
    const { total, perCertificate } = requests;
    screen.print(`\n${total} requests to the CA, on average ${perCertificate.toFixed(1)} for each certificate`);
  }
  screen.print('');
}

/** Returns a table that fits the terminal. The last column is shortened between words, because the others have a fixed width. */
function table(screen: Screen, issued: readonly IssuedCertificate[]): string {
  const rows = issued.map(({ name, notAfter, renewalDue, seconds, secretName, acm }) => [
    name,
    minute(notAfter).slice(0, 10),
    renewalDue ? minute(renewalDue) : '-',
    `${seconds.toFixed(1)} s`,
    [secretName, ...acm.map(({ region }) => `ACM ${region}`)].join(', '),
  ]);
  const header = ['name', 'valid until', 'renewal due (UTC)', 'took', 'stored in'];
  const widths = header.map((word, column) => Math.max(word.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) => {
    const fixed = cells.slice(0, -1).map((cell, column) => cell.padEnd(widths[column] ?? 0));
    const start = `${fixed.join('  ')}  `;
    return `${start}${shortened(cells.at(-1) ?? '', screen.columns - start.length)}`;
  };
  return [screen.dim(line(header)), ...rows.map(line)].join('\n');
}

/** Returns the words that fit, and an ellipsis for the others. */
function shortened(text: string, width: number): string {
  if (text.length <= width) return text;
  const words = text.split(' ');
  while (words.length > 1 && words.join(' ').length > width - 2) words.pop();
  return `${words.join(' ')} …`;
}

function printDetails(screen: Screen, certificate: IssuedCertificate): void {
  const { name, identifiers, issuer, keyType, serialNumber, notBefore, notAfter, secretArn, acm } = certificate;
  const days = ((Date.parse(notAfter) - Date.parse(notBefore)) / DAY_MS).toFixed(1).replace('.0', '');
  const rows = [
    ['Names', identifiers.join(', ')],
    ['Issuer', issuer],
    ['Key', `${keyType}, serial ${serialNumber}`],
    ['Valid', `${minute(notBefore)} to ${minute(notAfter)} UTC, ${days} days`],
    ['Secret', secretArn],
    ...acm.map(({ arn }) => ['ACM', arn]),
    ['Renewal', `${certificate.seconds.toFixed(1)} s, ${certificate.transitions} state transitions`],
    ['States', certificate.states.map((state) => state.name).join(', ')],
  ];
  screen.print(`\n${screen.bold(name)}`);
  for (const [label = '', value = ''] of rows)
    screen.print(`  ${screen.dim(label.padEnd(LABEL))}${indented(value, LABEL + 2, screen.columns)}`);
}

/** Prints each failure with its time, and its sentences one below the other. */
export function printFailures(screen: Screen, failures: readonly Failure[]): void {
  for (const { name, seconds, error, cause, execution } of failures) {
    screen.print(`\n${screen.bold(name)} failed after ${seconds.toFixed(1)} s: ${error}`);
    const lines = [...cause.split('\n'), ...(execution ? [execution] : [])];
    for (const line of lines) screen.print(`  ${indented(line, 2, screen.columns)}`);
  }
}

const minute = (time: string) => new Date(time).toISOString().slice(0, 16).replace('T', ' ');

/** Returns a text with line breaks between words where a line would be longer than the terminal. Following lines begin below the first. */
function indented(text: string, indent: number, columns: number): string {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line && line.length + 1 + word.length > columns - indent) lines.push(word);
    else lines[lines.length - 1] = line ? `${line} ${word}` : word;
  }
  return lines.join(`\n${' '.repeat(indent)}`);
}

/** Returns the environment variables for commands in another terminal. */
export function keptVariables(local: LocalEnvironment, { workflows, certificates }: Facts): Record<string, string> {
  return {
    ...local.variables,
    FLEET: workflows?.fleet ?? '',
    RENEWAL: workflows?.renewal ?? '',
    EXECUTION: certificates?.[0]?.execution ?? '',
    ACME_DIRECTORY_URL: local.pebble.directoryUrl,
    ACME_MANAGEMENT_URL: local.pebble.managementUrl,
  };
}

/** Writes the variables into a file for `source`, and prints commands for another terminal, while the environment keeps running. */
export function printKept(screen: Screen, local: LocalEnvironment, facts: Facts): void {
  const { certificates = [], hostedZones = [] } = facts;
  const [first] = certificates;
  const regions = [...new Set(certificates.flatMap(({ acm }) => acm.map(({ region }) => region)))];
  const file = writeVariables(local, keptVariables(local, facts));
  screen.print(`\n${screen.bold('The environment runs until Ctrl-C. In another terminal:')}\n  source ${file}`);
  screen.print(`\n${screen.bold('Then, with the AWS CLI:')}`);
  const renewal = '--state-machine-arn $RENEWAL';
  const commands = [
    `stepfunctions list-executions ${renewal}`,
    'stepfunctions get-execution-history --execution-arn $EXECUTION',
    `secretsmanager get-secret-value --secret-id ${first?.secretName}`,
    ...regions.map((region) => `acm list-certificates --region ${region} --includes keyTypes=EC_prime256v1,RSA_2048`),
    ...hostedZones.map(({ id }) => `route53 list-resource-record-sets --hosted-zone-id ${id}`),
    `stepfunctions start-execution ${renewal} --name ${first?.name}-1 --input '{"certificate":"${first?.name}","force":true}'`,
    'stepfunctions start-execution --state-machine-arn $FLEET',
  ];
  for (const command of commands) screen.print(`  aws ${command}`);
  screen.print(`\nWatch a failure: npm run demo -- --break dns\nThe log of the CA: ${local.pebble.logFile}`);
}
