import * as z from 'zod/mini';
import { printable } from '../../lambdas/domain/contract/printable-text.ts';
import type { Deployments } from '../../lambdas/domain/ports/deployments.ts';
import type { LogLine, LogLines } from '../../lambdas/domain/ports/log-lines.ts';
import type { Clock } from '../../lambdas/domain/ports/runtime.ts';
import { readReport, type Target } from '../deployment.ts';
import { CommandError, type ExitCode, exitCodes } from '../exit-codes.ts';
import { wrapped, wrappedMessage } from '../layout.ts';
import { problemOf } from '../problems.ts';
import { dayOf } from '../sentences.ts';
import type { Terminal } from '../terminal.ts';

export interface LogsOptions extends Target {
  readonly json?: boolean | undefined;
  /** A duration such as `1d`, or a time in RFC 3339. */
  readonly since: string;
}

export interface LogsPorts {
  readonly deployments: Deployments;
  readonly logLines: LogLines;
  readonly terminal: Terminal;
  readonly clock: Pick<Clock, 'now'>;
}

/** A line of a function or of a workflow, parsed. */
interface Line extends LogLine {
  readonly content: Readonly<Record<string, unknown>>;
  readonly execution: string;
}

/**
 * Prints the log lines of a certificate from the log groups of all functions and workflows, the newest execution first. A log group that may not be
 * read is named, and the others are shown.
 */
export async function logs(name: string, options: LogsOptions, ports: LogsPorts): Promise<ExitCode> {
  const { deployments, logLines, terminal, clock } = ports;
  const since = startOf(options.since, clock.now());
  const { deployment } = await readReport(deployments, options, [name]);
  const { logGroups } = deployment;
  // A workflow logs its ARN and not the certificate. The name of an execution begins with that of its certificate.
  const pattern = `{ ($.certificate = "${name}") || ($.execution_arn = "*:${name}-*") }`;
  const results = await Promise.allSettled(logGroups.map((group) => logLines.find(group, pattern, since)));
  const found = results.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const refused = results.flatMap((each) => (each.status === 'rejected' ? [problemOf(each.reason)] : []));
  const lines = ofCertificate(name, found.flatMap((each) => each.lines).map(parsed));
  for (const { message } of refused) terminal.note(wrappedMessage(message, terminal.columns));
  if (found.some(({ incomplete }) => incomplete))
    terminal.note('There are too many lines. The newest ones are missing, so give a later --since.');
  const executions = byExecution(lines);
  if (options.json) terminal.print(JSON.stringify(executions, null, 2));
  else printExecutions(executions, terminal);
  if (lines.length === 0 && refused.length === 0) terminal.note(`No lines about ${name} since ${since.toISOString()}.`);
  return refused[0]?.exitCode ?? exitCodes.done;
}

function startOf(text: string, now: Date): Date {
  const [, count, unit] = /^(\d{1,6})([mhdw])$/.exec(text) ?? [];
  const units: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
  if (count && unit) return new Date(Math.max(0, now.getTime() - Number(count) * (units[unit] ?? 0)));
  if (z.union([z.iso.date(), z.iso.datetime({ offset: true })]).safeParse(text).success) return new Date(text);
  throw new CommandError(
    `--since ${text} is no duration and no time. Give 30m, 12h, 1d, 2w or a time in RFC 3339.`,
    exitCodes.usage,
  );
}

function parsed(line: LogLine): Line {
  let content: Line['content'] = {};
  try {
    content = JSON.parse(line.text) as Line['content'];
  } catch {
    // A text that is no JSON has no certificate.
  }
  return { ...line, content, execution: String(content.execution_arn ?? content.execution ?? '') };
}

/** Removes the lines of workflows for certificates whose names begin with the same word, such as www-2. */
function ofCertificate(name: string, lines: readonly Line[]): readonly Line[] {
  const named = lines.filter(({ content }) => content.certificate === name);
  const executions = new Set(named.map(({ execution }) => execution));
  return lines.filter((line) => line.content.certificate === name || executions.has(line.execution));
}

interface LoggedExecution {
  readonly execution: string;
  readonly lines: readonly (Pick<LogLine, 'at' | 'logGroup'> & { readonly content: unknown })[];
}

/** Returns the lines of each execution in their order, the newest execution first. */
function byExecution(lines: readonly Line[]): readonly LoggedExecution[] {
  const groups = Map.groupBy(lines, ({ execution }) => execution);
  return [...groups]
    .map(([execution, own]) => ({
      execution,
      lines: own
        .toSorted((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))
        .map(({ at, logGroup, content }) => ({ at, logGroup, content })),
    }))
    .toSorted((a, b) => ((a.lines[0]?.at ?? '') < (b.lines[0]?.at ?? '') ? 1 : -1));
}

function printExecutions(executions: readonly LoggedExecution[], terminal: Terminal): void {
  for (const { execution, lines } of executions) {
    const name = execution.split(':').at(-1) || 'outside an execution';
    terminal.print(terminal.bold(`${name}, ${dayOf(lines[0]?.at ?? '')} UTC`));
    for (const { at, content } of lines) {
      const text = textOf(content as Line['content']);
      if (text)
        terminal.print(`  ${terminal.dim(at.slice(11, 19))} ${wrapped(printable(text, 4_000), terminal.columns, 11)}`);
    }
  }
}

/** Returns what a line says, without what its execution and its time say already. The events of a workflow are shown by the states it enters. */
function textOf(content: Line['content']): string {
  const { step, level, message, error, type, details } = content;
  if (typeof type === 'string') {
    const { name, cause } = (details ?? {}) as { name?: string; cause?: string };
    if (type.endsWith('StateEntered')) return `[${name ?? type}]`;
    return /^Execution/.test(type) ? `${type}${cause ? `: ${cause}` : ''}` : '';
  }
  const { name, message: why } = (error ?? {}) as { name?: string; message?: string };
  const took = typeof content.milliseconds === 'number' ? ` after ${content.milliseconds} ms` : '';
  const label = level === 'INFO' ? '' : `${String(level ?? '')} `;
  return `${label}${String(step ?? '')}: ${String(message ?? '')}${took}${name ? `. ${name}: ${why ?? ''}` : ''}`;
}
