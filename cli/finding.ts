import { withMinutes } from '../lambdas/domain/rules/wording.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { wrappedMessage } from './layout.ts';
import { problemOf } from './problems.ts';
import { listed } from './sentences.ts';
import type { Terminal } from './terminal.ts';

/** The result of one check. */
export interface Finding {
  readonly check: string;
  /** `unknown` if the check could not be made, for example without a permission. */
  readonly result: 'ok' | 'fix' | 'unknown';
  /** What was found, or how to fix it. */
  readonly text: string;
}

/** An error of a check that ends in a sentence about what to fix. */
export class ToFix extends Error {}

/** Makes a check. It returns what is fine, or throws. A denied call does not end the other checks. */
export async function findingOf(check: string, make: () => Promise<string>): Promise<Finding> {
  try {
    return { check, result: 'ok', text: await make() };
  } catch (error) {
    if (error instanceof ToFix) return { check, result: 'fix', text: error.message };
    const { message, exitCode } = problemOf(error);
    return { check, result: exitCode === exitCodes.refused ? 'unknown' : 'fix', text: message };
  }
}

const words = { ok: 'OK ', fix: 'FIX', unknown: '?  ' } as const;

/**
 * Prints findings. Those with the same text share a line, such as `zones of www, mail and 8 more`. Returns `attention` if something has to be fixed,
 * and otherwise `refused` if a check could not be made.
 */
export function printFindings(findings: readonly Finding[], { print, red, columns }: Terminal): ExitCode {
  const kindOf = (check: string) => check.slice(0, check.lastIndexOf(' ') + 1);
  const alike = Map.groupBy(findings, ({ check, result, text }) => [kindOf(check) || check, result, text].join('\0'));
  for (const [{ check, result, text }, ...others] of [...alike.values()] as [Finding, ...Finding[]][]) {
    const kind = kindOf(check);
    const names = [check, ...others.map((each) => each.check)].map((each) => each.slice(kind.length));
    const line = `${words[result]} ${wrappedMessage(withMinutes(`${kind}${listed(names)}: ${text}`), columns, 4)}`;
    print(result === 'ok' ? line : red(line));
  }
  return exitCodeOf(findings);
}

export function exitCodeOf(findings: readonly Finding[]): ExitCode {
  if (findings.some(({ result }) => result === 'fix')) return exitCodes.attention;
  return findings.some(({ result }) => result === 'unknown') ? exitCodes.refused : exitCodes.done;
}
