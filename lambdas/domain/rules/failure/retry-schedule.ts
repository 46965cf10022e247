import type { CertificateFacts } from '../../contract/certificate-facts.ts';
import type * as errors from '../../contract/errors.ts';
import type { FailureReport } from '../../contract/failure.ts';
import { emergencySpacing } from '../renewal/renewal-time.ts';
import { type ErrorName, type Treatment, treatments } from './failure-treatments.ts';

/** Delays after the first, second and third failure in a row, in seconds. Then once a day. Let's Encrypt, integration guide */
const retryDelays = [60, 600, 6000] as const;
const longestRetryDelay = 6000;

/** Longest wait inside an execution, in seconds. For a longer one the execution ends, and the ledger keeps the time. */
const longestWait = 7200;

/**
 * Retries of denied calls during a deployment, in seconds. New roles and policies take some time to reach all of IAM. 180 s allow nine retries
 * of the ten attempts that the workflow makes. Steps that retry in place use up the same time. These errors are not failures of the certificate.
 */
const settling = { wait: 20, time: 180 } as const;

const day = 86_400;

/** Longest Retry-After that is used, in seconds. No limit of a CA lasts longer than seven days. */
const longestRetryAfter = 7 * day;

export interface FailureSituation {
  /** Attempt of this execution, beginning with 1. */
  readonly attempt: number;
  /** Failures in a row, including this one if it counts. */
  readonly failures: number;
  /** The certificate in use. `null` if there is none yet. */
  readonly current: Pick<CertificateFacts, 'notBefore' | 'notAfter'> | null;
  /** Whether the certificate in use is in an emergency (`isEmergency`). */
  readonly emergency: boolean;
  /** This failure makes the next attempt use another issuer, so the Retry-After of this one does not apply. */
  readonly issuerChanges: boolean;
  /** Seconds since the start of this execution if a deployment waits for it. @default null, no deployment waits */
  readonly deployedFor?: number | null;
  /** A random number from 0 to below 1. */
  readonly random: number;
}

export interface FailureVerdict {
  /** The ledger counts it as a failure of the certificate. */
  readonly counted: boolean;
  /** No event is published: AWS throttled calls, or a deployment is running and IAM is still propagating its changes. */
  readonly quiet: boolean;
  /** Another issuer may succeed. */
  readonly issuersFault: boolean;
  /** The delay is that of a limit, which neither a new configuration nor a deployment ends. */
  readonly limit: boolean;
  /** What the operator has to do. `null` if nothing. */
  readonly action: string | null;
  /** The saved order is removed, because it cannot become a usable certificate. */
  readonly dropOrder: boolean;
  /** Seconds until the retry. `null` if this execution ends. */
  readonly retryIn: number | null;
  /** Earliest time of the next attempt. `null` means the next fleet run. */
  readonly notBefore: Date | null;
}

/**
 * Decides what a failure means and when to retry. The error class and the registered type of the problem document (RFC 8555 §6.7) decide,
 * never the text. If a deployment waits, the first failure ends the execution, so that CloudFormation shows it. The exception is a denied call of
 * a new role, which is retried.
 */
export function judgeFailure(report: FailureReport, situation: FailureSituation, now: Date): FailureVerdict {
  const verdict = judge(report, situation, now);
  const { deployedFor = null } = situation;
  if (deployedFor === null) return verdict;
  // The classes with `retryFirst` are those of roles and policies.
  if (!treated(report).treatment.retryFirst || deployedFor >= settling.time) return { ...verdict, retryIn: null };
  const notBefore = new Date(now.getTime() + settling.wait * 1000);
  return { ...verdict, counted: false, quiet: true, action: null, retryIn: settling.wait, notBefore };
}

function judge(report: FailureReport, situation: FailureSituation, now: Date): FailureVerdict {
  const { treatment, problem } = treated(report);
  const attempt = Math.max(situation.attempt, treatment.counted ? situation.failures : 1);
  const verdict = {
    counted: treatment.counted,
    quiet: treatment.unannounced === true,
    issuersFault: treatment.issuersFault === true,
    limit: treatment.limit === true,
    action: null,
    dropOrder: dropsOrder(treatment, attempt, situation.emergency),
  };
  const inSeconds = (wait: number) => new Date(now.getTime() + wait * 1000);
  const retrying = (wait: number) => ({ ...verdict, retryIn: wait, notBefore: inSeconds(wait) });
  const ending = (wait: number) => ({ ...verdict, retryIn: null, notBefore: inSeconds(wait) });
  const daily = dailyDelay(situation.current, now);

  if (treatment.action && !(treatment.retryFirst && attempt === 1)) {
    const end = treatment.counted ? ending(daily) : { ...verdict, retryIn: null, notBefore: null };
    return { ...end, action: treatment.action(subject(problem)) };
  }
  const scheduled = retryDelays[attempt - 1];
  const wait = treatment.retryAtOnce && scheduled !== undefined ? 1 : scheduled;
  if (!treatment.counted) {
    return wait === undefined || treatment.endsExecution
      ? { ...verdict, retryIn: null, notBefore: null }
      : retrying(wait);
  }
  const otherIssuerNext = verdict.issuersFault && situation.issuerChanges;
  const requested =
    treatment.mayHaveRetryAfter && !otherIssuerNext ? requestedWait(problem ?? {}, situation.random) : null;
  if (requested === null) return wait === undefined ? ending(daily) : retrying(wait);
  // A CA may send a very short Retry-After each time, so the scheduled delay is the minimum.
  const delay = Math.max(requested, wait ?? longestRetryDelay);
  return { ...(wait === undefined || delay > longestWait ? ending(delay) : retrying(delay)), limit: true };
}

const dropsOrder = ({ dropsOrder: when }: Treatment, attempt: number, emergency: boolean): boolean =>
  when === 'always' || (when === 'again' && attempt > 1) || (when === 'emergency' && emergency);

/** The identifiers whose validation failed at the CA. The CA counts them by account and identifier. */
export function failedIdentifiers({ error, problem }: FailureReport): readonly string[] {
  if (error !== 'ChallengeFailedError') return [];
  return [...new Set(withSubproblems(problem).flatMap(({ identifier }) => (identifier ? [identifier] : [])))];
}

/** Tells whether *Check zones* raised the CAA error. The problem document of a CA has an HTTP status, and that of *Check zones* has none. */
export function isCaaOfCheckZones({ error, problem }: FailureReport): boolean {
  return error === 'CaaError' && problem?.status === undefined;
}

/** The class for each registered problem type that means the same in an order or challenge as in a reply. */
const classes: ReadonlyMap<string, ErrorName> = new Map(
  Object.entries({
    badCSR: 'BadCsrError',
    caa: 'CaaError',
    externalAccountRequired: 'ExternalAccountRequiredError',
    invalidProfile: 'InvalidProfileError',
    rateLimited: 'RateLimitedError',
    rejectedIdentifier: 'RejectedIdentifierError',
    unsupportedIdentifier: 'UnsupportedIdentifierError',
    userActionRequired: 'UserActionRequiredError',
  } satisfies Record<string, ErrorName>),
);

const namespace = 'urn:ietf:params:acme:error:';

const typeOf = ({ type }: errors.ProblemDocument): string =>
  type.startsWith(namespace) ? type.slice(namespace.length) : '';

const withSubproblems = (problem: errors.ProblemDocument | null): readonly errors.ProblemDocument[] =>
  problem ? [problem, ...(problem.subproblems ?? [])] : [];

/** The treatment that applies, and the problem document that selected it. */
function treated({ error, problem }: FailureReport): {
  readonly treatment: Treatment;
  readonly problem: errors.ProblemDocument | null;
} {
  const treatment = treatments[error as ErrorName] ?? treatments.UnexpectedError;
  if (!treatment.byProblem) return { treatment, problem };
  for (const part of withSubproblems(problem)) {
    const name = classes.get(typeOf(part));
    if (name) return { treatment: treatments[name], problem: part };
  }
  // The name does not exist or its zone is broken, so another issuer would fail too.
  const zoneBroken = withSubproblems(problem).some((part) => typeOf(part) === 'dns');
  return { treatment: zoneBroken ? { ...treatment, issuersFault: false } : treatment, problem };
}

/** The requested time plus up to 10 % jitter (at least 1 s), so that clients do not retry at the same moment. */
function requestedWait({ retryAfter }: Partial<errors.ProblemDocument>, random: number): number | null {
  if (retryAfter === undefined) return null;
  const wait = Math.min(Math.max(Math.ceil(retryAfter), 0), longestRetryAfter);
  return wait + Math.max(1, Math.floor(wait * 0.1 * random));
}

/**
 * The delay after the scheduled retries, in seconds. It is a day. For lifetimes below ten days it is an eighth of the time left, but at least
 * the time between two attempts in an emergency.
 */
function dailyDelay(current: FailureSituation['current'], now: Date): number {
  if (!current) return day;
  const end = Date.parse(current.notAfter);
  if (end - Date.parse(current.notBefore) >= 10 * day * 1000) return day;
  return Math.floor(Math.min(day, Math.max(emergencySpacing(current) / 1000, (end - now.getTime()) / 8000)));
}

/** The identifiers of a problem document, and its link, if any, which may be in the text. */
function subject(problem: errors.ProblemDocument | null): { readonly names: string; readonly link: string | null } {
  const names = [...new Set(withSubproblems(problem).flatMap(({ identifier }) => (identifier ? [identifier] : [])))];
  const [inText = null] = /https?:\/\/[^\s"<>]*[^\s"<>.,;)]/.exec(problem?.detail ?? '') ?? [];
  const link = problem?.instance ?? inText;
  return { names: names.length > 0 ? names.join(', ') : 'the identifier', link };
}
