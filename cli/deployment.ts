import type { CertificateReport, ReportOutput } from '../lambdas/domain/contract/report.ts';
import type { Deployments, FoundDeployment } from '../lambdas/domain/ports/deployments.ts';
import { CommandError, exitCodes } from './exit-codes.ts';

/** Options that say which deployment a command is for. */
export interface Target {
  readonly stack?: string | undefined;
  readonly region?: string | undefined;
  readonly profile?: string | undefined;
}

/** Returns a command for the same deployment, as the operator can run it in this folder. */
export function commandFor(command: string, { stack, region, profile }: Target): string {
  const options = Object.entries({ stack, region, profile }).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name} ${value}`],
  );
  return `"${['npx cdk-perennial', command, ...options].join(' ')}"`;
}

/** The report of all requested certificates, from all pages. */
export type Report = Omit<ReportOutput, 'next'>;

/**
 * Returns the deployment that the options name, or the only one of the region.
 *
 * @throws CommandError if there is none, or more than one
 */
export async function findDeployment(
  deployments: Pick<Deployments, 'list'>,
  { stack, region }: Target,
): Promise<FoundDeployment> {
  const all = await deployments.list();
  const found = stack === undefined ? all : all.filter((each) => each.stack === stack);
  const [first, ...others] = found;
  const names = all.map((each) => each.stack).toSorted();
  const where = region ? ` in ${region}` : '';
  if (!first)
    throw new CommandError(
      stack === undefined
        ? `No stack with Perennial was found${where}. Give another --region or --profile, or deploy first.`
        : `The stack ${stack} has no Perennial${where}. ${names.length > 0 ? `These stacks have it: ${names.join(', ')}.` : 'No other stack has it. Give another --region or --profile.'}`,
      exitCodes.notFound,
    );
  if (others.length > 0)
    throw new CommandError(
      stack === undefined
        ? `There are ${found.length} stacks with Perennial${where}: ${names.join(', ')}. Choose one with --stack.`
        : `The stack ${stack} has ${found.length} constructs of Perennial. The command line supports one in a stack.`,
      exitCodes.notFound,
    );
  return first;
}

/**
 * Reads the report of the certificates with these names, or of all.
 *
 * @throws CommandError if a name is not configured
 */
export async function readReport(
  deployments: Deployments,
  target: Target,
  names: readonly string[] | null = null,
): Promise<Report> {
  const { report: arn } = await findDeployment(deployments, target);
  const certificates: CertificateReport[] = [];
  for (let from = 0; ; ) {
    const { next, ...page } = await deployments.report(arn, { names, from });
    const [unknown] = page.unknown;
    if (unknown)
      throw new CommandError(
        `No certificate with the name ${unknown.name} is configured.${unknown.similar ? ` Did you mean ${unknown.similar}?` : ''} ${commandFor('status', target)} lists all names.`,
        exitCodes.notFound,
      );
    certificates.push(...page.certificates);
    if (next === null) return { ...page, certificates };
    from = next;
  }
}
