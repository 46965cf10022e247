import type { AccountRequest } from '../lambdas/domain/contract/account-request.ts';
import type { Deployment } from '../lambdas/domain/contract/report.ts';
import type { Deployments } from '../lambdas/domain/ports/deployments.ts';
import type { Clock } from '../lambdas/domain/ports/runtime.ts';
import type { Workflows } from '../lambdas/domain/ports/workflows.ts';
import { closestWord } from '../lambdas/domain/rules/suggestion.ts';
import { readReport, type Target } from './deployment.ts';
import { consoleLink } from './executions.ts';
import { CommandError, type ExitCode, exitCodes } from './exit-codes.ts';
import { follow, printEnd } from './follow.ts';
import { wrapped, wrappedQuestion } from './layout.ts';
import { silenced, type Terminal } from './terminal.ts';

/** Options of the commands that start the accounts workflow. */
export interface RequestOptions extends Target {
  readonly json?: boolean | undefined;
}

/** Options of the commands that ask before they start. */
export interface ConfirmedOptions extends RequestOptions {
  /** Start without the question. */
  readonly yes?: boolean | undefined;
}

export interface RequestPorts {
  readonly deployments: Deployments;
  readonly workflows: Workflows;
  readonly terminal: Terminal;
  readonly clock: Clock;
  /** Asks a question. Returns `null` if there is no terminal to ask. */
  readonly askConfirmation: (question: string) => Promise<boolean | null>;
}

/** A request, and the sentence that tells the operator its result. */
export interface Announced<Output> {
  readonly request: AccountRequest;
  /** The subject of a sentence, such as `The revocation of www`. */
  readonly what: string;
  /** Returns the sentence about the output of a successful execution. */
  readonly result: (output: Output) => string;
}

/** Starts the accounts workflow with the operator's own credentials and follows the execution to its end. */
export async function carryOut<Output>(
  deployment: Deployment,
  { request, what, result }: Announced<Output>,
  { json }: RequestOptions,
  { workflows, terminal, clock }: RequestPorts,
): Promise<ExitCode> {
  const started = clock.now().getTime().toString(36);
  const arn = await workflows.start(deployment.stateMachines.accounts, `${request.action}-${started}`, request);
  const progress = json ? silenced(terminal) : terminal;
  progress.print(`${what} was started.\n  ${terminal.dim(consoleLink(arn))}`);
  const ended = await follow(arn, { workflows, terminal: progress, clock });
  const output = ended.output === null ? null : (JSON.parse(ended.output) as Output);
  if (json) terminal.print(JSON.stringify({ ...ended, input: request, output }, null, 2));
  const code = printEnd(what, ended, progress);
  // A failed execution has no result, whatever its output is.
  if (code === exitCodes.done && output !== null) progress.print(wrapped(result(output), terminal.columns, 0));
  return code;
}

/**
 * Asks the operator before something that cannot be taken back.
 *
 * @throws CommandError if the operator says no, or cannot be asked
 */
export async function confirm(
  question: string,
  { yes }: ConfirmedOptions,
  { askConfirmation, terminal }: Pick<RequestPorts, 'askConfirmation' | 'terminal'>,
): Promise<void> {
  if (yes) return;
  const answer = await askConfirmation(wrappedQuestion(question, terminal.columns));
  if (answer === null)
    throw new CommandError(`${question} There is no terminal to ask. Give --yes to confirm.`, exitCodes.usage);
  if (!answer) throw new CommandError('Nothing was changed.', exitCodes.interrupted);
}

/**
 * Returns the deployment, if it has this issuer.
 *
 * @throws CommandError with the configured issuers if it has not
 */
export async function deploymentWithIssuer(
  issuer: string,
  options: Target,
  { deployments }: Pick<RequestPorts, 'deployments'>,
): Promise<Deployment> {
  const { deployment } = await readReport(deployments, options, []);
  const known = deployment.issuers.map(({ name }) => name);
  if (known.includes(issuer)) return deployment;
  const similar = closestWord(issuer, known);
  throw new CommandError(
    `No issuer with the name ${issuer} is configured.${similar ? ` Did you mean ${similar}?` : ''} The configured issuers are ${known.join(', ')}.`,
    exitCodes.notFound,
  );
}
