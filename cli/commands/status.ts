import { writeFileSync } from 'node:fs';
import type { CertificateReport } from '../../lambdas/domain/contract/report.ts';
import type { Deployments } from '../../lambdas/domain/ports/deployments.ts';
import { counted, withMinutes } from '../../lambdas/domain/rules/wording.ts';
import { commandFor, type Report, readReport, type Target } from '../deployment.ts';
import { type ExitCode, exitCodes, notWritten } from '../exit-codes.ts';
import { table, wrapped } from '../layout.ts';
import { type PageAssets, page } from '../page/page.ts';
import {
  byUrgency,
  dayOf,
  lifetimeBar,
  listed,
  minuteOf,
  problemKey,
  renewalDue,
  stateOf,
  timeLeft,
} from '../sentences.ts';
import type { Terminal } from '../terminal.ts';

export interface StatusOptions extends Target {
  readonly json?: boolean | undefined;
  /** File for the HTML page. */
  readonly html?: string | undefined;
}

export interface StatusPorts {
  readonly deployments: Deployments;
  readonly terminal: Terminal;
  readonly pageAssets: () => PageAssets;
}

/** Prints all certificates with their state, or everything that is known about one. */
export async function status(
  name: string | undefined,
  options: StatusOptions,
  { deployments, terminal, pageAssets }: StatusPorts,
): Promise<ExitCode> {
  const report = await readReport(deployments, options, name === undefined ? null : [name]);
  if (options.html !== undefined) write(options.html, page(report, pageAssets()));
  if (options.json) terminal.print(JSON.stringify(report, null, 2));
  else if (options.html !== undefined) terminal.note(`Wrote ${options.html}.`);
  else if (name === undefined) printFleet(report, options, terminal);
  else for (const each of report.certificates) printCertificate(each, new Date(report.at), terminal);
  return report.certificates.some(({ attention }) => attention.length > 0) ? exitCodes.attention : exitCodes.done;
}

function write(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw notWritten(file, error);
  }
}

function printFleet({ deployment, certificates, at }: Report, target: Target, terminal: Terminal): void {
  const now = new Date(at);
  const { stack, region, version } = deployment;
  terminal.print(
    terminal.dim(
      wrapped(`Stack ${stack} in ${region}, version ${version}, at ${minuteOf(at)} UTC`, terminal.columns, 0),
    ),
  );
  const inNeed = certificates.filter(({ attention }) => attention.length > 0);
  const sorted = certificates.toSorted(byUrgency);
  const [header = '', ...rows] = table(
    [
      ['name', 'lifetime', '', 'renewal due', 'CA', 'state'],
      ...sorted.map((each) => [
        each.name,
        lifetimeBar(each, now),
        timeLeft(each, now),
        renewalDue(each, now),
        each.issuer,
        stateOf(each, now),
      ]),
    ],
    terminal.columns,
  );
  if (certificates.length > 0) terminal.print(`\n${[terminal.dim(header), ...rows].join('\n')}`);
  for (const concerned of Map.groupBy(inNeed, problemKey).values()) printProblem(concerned, terminal);
  terminal.print(
    `\n${counted(certificates.length, 'certificate')}, ${inNeed.length === 0 ? 'none needs attention' : `${counted(inNeed.length, 'of which needs', 'of which need')} attention`}`,
  );
  const [first] = inNeed.toSorted(byUrgency);
  if (first)
    terminal.print(
      wrapped(`${commandFor(`explain ${first.name}`, target)} shows the cause and what to do.`, terminal.columns, 0),
    );
}

/** Descriptions of one problem that are printed. `status NAME` prints that of each certificate. */
const mostDescriptions = 3;

/** Prints what an operator has to know about certificates with the same problem. Their times may differ. */
function printProblem(certificates: readonly CertificateReport[], terminal: Terminal): void {
  const descriptions = [...Map.groupBy(certificates, ({ attention }) => attention.join(' '))];
  const names = (concerned: readonly CertificateReport[]) => listed(concerned.map(({ name }) => name));
  terminal.print(`\n${terminal.red(wrapped(names(certificates), terminal.columns, 0))}`);
  for (const [text, concerned] of descriptions.slice(0, mostDescriptions))
    terminal.print(
      `  ${wrapped(withMinutes(descriptions.length > 1 ? `${names(concerned)}: ${text}` : text), terminal.columns, 2)}`,
    );
  const more = descriptions.length - mostDescriptions;
  if (more > 0) terminal.print(`  ${more.toLocaleString('en-US')} more. status NAME shows each.`);
}

const label = 12;

/** Prints one certificate, one fact a line. */
export function printCertificate(certificate: CertificateReport, now: Date, terminal: Terminal): void {
  terminal.print(terminal.bold(certificate.name));
  for (const [name, text] of factsOf(certificate, now))
    terminal.print(`  ${terminal.dim(name.padEnd(label))}${wrapped(withMinutes(text), terminal.columns, label + 2)}`);
  if (certificate.attention.length > 0)
    terminal.print(`\n${terminal.red(wrapped(withMinutes(certificate.attention.join(' ')), terminal.columns, 0))}`);
}

function factsOf(certificate: CertificateReport, now: Date): readonly (readonly [string, string])[] {
  const { identifiers, issuer, profile, keyType, current, failure, deliveries, served, window } = certificate;
  return [
    ['Names', identifiers.join(', ')],
    ['CA', `${issuer}${profile ? `, profile ${profile}` : ''}, key ${keyType}`],
    ['Lifetime', `${lifetimeBar(certificate, now)} ${timeLeft(certificate, now)}`],
    ...(current
      ? ([
          ['Valid', `${dayOf(current.notBefore)} to ${minuteOf(current.notAfter)} UTC, serial ${current.serialNumber}`],
          ['Secret', current.secretArn],
        ] as const)
      : []),
    [
      'Renewal',
      `${renewalDue(certificate, now)}${window ? `, window ${minuteOf(window.start)} to ${minuteOf(window.end)} UTC` : ''}`,
    ],
    ['State', stateOf(certificate, now)],
    ['Decision', certificate.reason],
    ...(failure
      ? ([
          ['Failure', `${failure.error} at ${minuteOf(failure.last)} UTC, ${failure.count} in a row. ${failure.cause}`],
        ] as const)
      : []),
    ...deliveries.map(
      ({ region, arn, current: isCurrent }) =>
        ['ACM', `${region} ${arn ?? 'not imported yet'}${arn && !isCurrent ? ' (an earlier version)' : ''}`] as const,
    ),
    ...served.map(
      ({ endpoint, status, detail }) => ['Served', `${endpoint} ${status}${detail ? `: ${detail}` : ''}`] as const,
    ),
  ];
}
