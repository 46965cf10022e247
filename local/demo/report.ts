import type { LocalEnvironment } from '../environment.ts';
import type { CaRequests, Facts } from './facts.ts';
import type { IssuedCertificate } from './proofs.ts';
import type { Screen } from './screen.ts';

const COLUMNS = 120;
const LABEL = 10;
const DAY_MS = 24 * 3600 * 1000;

/** A block for each certificate: its ARNs are too long for columns. */
export function printIssued(screen: Screen, issued: readonly IssuedCertificate[], requests: CaRequests): void {
  const askedOnce = issued.length === 1 ? `, ${requests.total} requests to the CA` : '';
  for (const certificate of issued) {
    const { name, identifiers, issuer, keyType, serialNumber, notBefore, notAfter, secretArn, acm } = certificate;
    const days = ((Date.parse(notAfter) - Date.parse(notBefore)) / DAY_MS).toFixed(1).replace('.0', '');
    const rows = [
      ['Names', identifiers.join(', ')],
      ['Issuer', issuer],
      ['Key', `${keyType}, serial ${serialNumber}`],
      ['Valid', `${minute(notBefore)} to ${minute(notAfter)} UTC, ${days} days`],
      ['Secret', secretArn],
      ...acm.map(({ arn }) => ['ACM', arn]),
      ['Renewal', `${certificate.seconds.toFixed(1)} s, ${certificate.transitions} state transitions${askedOnce}`],
    ];
    screen.print(`\n${screen.bold(name)}`);
    for (const [label = '', value = ''] of rows)
      screen.print(`  ${screen.dim(label.padEnd(LABEL))}${indented(value, LABEL + 2)}`);
  }
  screen.print('');
  if (issued.length > 1) {
    const { total, perCertificate } = requests;
    screen.print(`${total} requests to the CA in all, on average ${perCertificate.toFixed(1)} for each certificate\n`);
  }
}

const minute = (time: string) => new Date(time).toISOString().slice(0, 16).replace('T', ' ');

/** Broken between words where the line would be longer than the screen; following lines begin below the first. */
function indented(text: string, indent: number): string {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line && line.length + 1 + word.length > COLUMNS - indent) lines.push(word);
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

/** Prints environment variables and commands for another terminal, while the environment keeps running. */
export function printKept(screen: Screen, local: LocalEnvironment, facts: Facts): void {
  const { certificates = [], hostedZones = [] } = facts;
  const [first] = certificates;
  const regions = [...new Set(certificates.flatMap(({ acm }) => acm.map(({ region }) => region)))];
  screen.print(`\n${screen.bold('Kept up until Ctrl-C. In another terminal:')}`);
  for (const [name, value] of Object.entries(keptVariables(local, facts))) screen.print(`  export ${name}=${value}`);
  screen.print(`\n${screen.bold('What to look at there, with the AWS CLI:')}`);
  const commands = [
    'stepfunctions list-executions --state-machine-arn $RENEWAL',
    'stepfunctions get-execution-history --execution-arn $EXECUTION',
    `secretsmanager get-secret-value --secret-id ${first?.secretName} --query SecretString --output text`,
    ...regions.map((region) => `acm list-certificates --region ${region} --includes keyTypes=EC_prime256v1,RSA_2048`),
    ...hostedZones.map(({ id }) => `route53 list-resource-record-sets --hosted-zone-id ${id}`),
    `stepfunctions start-execution --state-machine-arn $RENEWAL --input '{"certificate":"${first?.name}","force":true}'`,
    'stepfunctions start-execution --state-machine-arn $FLEET',
  ];
  for (const command of commands) screen.print(`  aws ${command}`);
  screen.print(`\n${screen.bold("The CA's log:")} ${local.pebble.logFile}`);
}
