/**
 * A configuration, or props, that the check rejects. Thrown at synth, before anything is deployed. The author of the configuration has to
 * act: each line of `mistakes` says what is wrong and what is allowed.
 *
 * @example
 * try {
 *   new CertificateRenewal(stack, 'Certificates', props);
 * } catch (error) {
 *   if (error instanceof ConfigError) console.error(error.mistakes.join('\n'));
 * }
 */
export class ConfigError extends Error {
  override name = 'ConfigError';
  /** One line for each mistake, in the form `path: what is wrong; what is allowed`. The message has the same lines. */
  readonly mistakes: readonly string[];

  constructor(mistakes: readonly string[]) {
    super(mistakes.join('\n'));
    this.mistakes = mistakes;
    // Node.js prints the enumerable properties of an uncaught error. The message has the mistakes already.
    Object.defineProperty(this, 'mistakes', { enumerable: false });
  }
}

/** Receives one mistake: the path of the field, what is wrong there, and what is allowed instead. */
export type Report = (path: string, problem: string, allowed: string) => void;

/**
 * Receives one warning: its kind, the path of the field, and a sentence. The kind is part of the id by which an app acknowledges the warning, so it
 * does not change when certificates are added or moved.
 */
export type Warn = (kind: string, path: string, sentence: string) => void;

/** A warning about the configuration. */
export interface Warning {
  /** For example `perennial:repeatedIdentifier:www`, with the kind and the name of the certificate. */
  readonly id: string;
  /** `path: sentence`. */
  readonly text: string;
}

/** Returns a mistake in the only form that mistakes have: `path: what is wrong; what is allowed`. */
export function mistake(path: string, problem: string, allowed: string): string {
  return `${path}: ${problem}; ${allowed}`;
}

/**
 * Runs `check` to its end and returns its result. `check` may return `undefined` only if it has reported a mistake.
 *
 * @throws ConfigError with every mistake that `check` reported, or if this Node.js is too old for the package
 */
export function withoutMistakes<T>(check: (report: Report) => T | undefined): T {
  const { node } = process.versions;
  // npm only warns about `engines`, and an older Node.js would fail somewhere in the check with a TypeError.
  if (Number.parseInt(node, 10) < 22)
    throw new ConfigError([mistake('cdk-perennial', `found Node.js ${node}`, 'expected Node.js 22.18 or newer')]);
  const mistakes: string[] = [];
  const result = check((...parts) => mistakes.push(mistake(...parts)));
  if (mistakes.length > 0 || result === undefined) throw new ConfigError(mistakes);
  return result;
}
