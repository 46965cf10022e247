import { type ExitCode, exitCodes } from './exit-codes.ts';
import { wrappedMessage } from './layout.ts';
import { problemOf } from './problems.ts';
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

/** Prints each finding. Returns `attention` if something has to be fixed, and otherwise `refused` if a check could not be made. */
export function printFindings(findings: readonly Finding[], { print, red, columns }: Terminal): ExitCode {
  for (const { check, result, text } of findings) {
    const line = `${words[result]} ${wrappedMessage(`${check}: ${text}`, columns, 4)}`;
    print(result === 'ok' ? line : red(line));
  }
  return exitCodeOf(findings);
}

export function exitCodeOf(findings: readonly Finding[]): ExitCode {
  if (findings.some(({ result }) => result === 'fix')) return exitCodes.attention;
  return findings.some(({ result }) => result === 'unknown') ? exitCodes.refused : exitCodes.done;
}
