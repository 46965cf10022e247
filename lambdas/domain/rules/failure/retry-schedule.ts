import type { CertificateFacts } from '../../contract/certificate-facts.ts';
import type * as errors from '../../contract/errors.ts';
import type { FailureReport } from '../../contract/failure.ts';
import { isEmergency } from '../renewal/renewal-time.ts';
import { type ErrorName, type Treatment, treatments } from './failure-treatments.ts';

/** Seconds after the first, second and third failure in a row: Let's Encrypt's integration guide. Then once a day. */
const rungs = [60, 600, 6000] as const;
const lastRung = 6000;

/** Seconds: an execution sleeps no longer than this. What takes longer ends it, and the ledger holds the time. */
const longestWait = 7200;

/**
 * Seconds. Under a deployment, which has made roles and policies a moment ago, IAM says no until they have reached all of it. In nine tries of
 * the ten that the workflow makes; some steps are tried for as long in place, and then the time is over. None of it is a failure of the
 * certificate.
 */
const settling = { wait: 20, time: 180 } as const;

const day = 86_400;

/** Seconds; no limit of a CA is longer than seven days. Nine digits of Retry-After are asked again after these. */
const longestRetryAfter = 7 * day;

export interface FailureSituation {
  /** Of this execution, 1 at first. */
  readonly attempt: number;
  /** Failures in a row, this one too where it counts. */
  readonly failures: number;
  /** The certificate that is in use; `null`: none yet. */
  readonly current: Pick<CertificateFacts, 'notBefore' | 'notAfter'> | null;
  /** After one more failure of this issuer another is asked, which knows nothing of what this one asked for. */
  readonly issuerChanges: boolean;
  /** Seconds since the execution began that a deployment waits for. @default null: none does */
  readonly deployedFor?: number | null;
  /** 0 up to, not including, 1. */
  readonly random: number;
}

export interface FailureVerdict {
  /** A failure of the certificate. */
  readonly counted: boolean;
  /** Nobody is told: a deployment is at work, and IAM is expected to catch up. */
  readonly quiet: boolean;
  /** Another issuer may do better. */
  readonly issuersFault: boolean;
  /** What a person has to do; `null`: nothing. */
  readonly action: string | null;
  /** The saved order can never become a certificate of ours, though the CA may call it valid. */
  readonly dropOrder: boolean;
  /** Seconds; `null`: this execution ends. */
  readonly retryIn: number | null;
  /** When the next try may be; `null`: the next fleet run. */
  readonly notBefore: Date | null;
}

/**
 * What a failure means and when to try again: by its class and by the registered type of the problem that it carries (RFC 8555 §6.7),
 * never by its words. Under a deployment the first failure ends the execution, for somebody waits to read it; only what a role lacks
 * that was made a moment ago is asked for again.
 */
export function judgeFailure(report: FailureReport, situation: FailureSituation, now: Date): FailureVerdict {
  const verdict = judge(report, situation, now);
  const { deployedFor = null } = situation;
  if (deployedFor === null) return verdict;
  // The classes whose first rung is tried although a person has to mend them are those of roles and policies.
  if (!treated(report).treatment.firstRung || deployedFor >= settling.time) return { ...verdict, retryIn: null };
  const notBefore = new Date(now.getTime() + settling.wait * 1000);
  return { ...verdict, counted: false, quiet: true, action: null, retryIn: settling.wait, notBefore };
}

function judge(report: FailureReport, situation: FailureSituation, now: Date): FailureVerdict {
  const { treatment, problem } = treated(report);
  const rung = Math.max(situation.attempt, treatment.counted ? situation.failures : 1);
  const verdict = {
    counted: treatment.counted,
    quiet: false,
    issuersFault: treatment.issuersFault === true,
    action: null,
    dropOrder: orderUseless(treatment, rung, isEmergency(situation.current, now)),
  };
  const inSeconds = (wait: number) => new Date(now.getTime() + wait * 1000);
  const trying = (wait: number) => ({ ...verdict, retryIn: wait, notBefore: inSeconds(wait) });
  const ending = (wait: number) => ({ ...verdict, retryIn: null, notBefore: inSeconds(wait) });
  const daily = dailyRung(situation.current, now);

  if (treatment.action && !(treatment.firstRung && rung === 1)) {
    const end = treatment.counted ? ending(daily) : { ...verdict, retryIn: null, notBefore: null };
    return { ...end, action: treatment.action(subject(problem)) };
  }
  const atRung = rungs[rung - 1];
  const wait = treatment.atOnce && atRung !== undefined ? 1 : atRung;
  if (!treatment.counted) {
    return wait === undefined || treatment.ends ? { ...verdict, retryIn: null, notBefore: null } : trying(wait);
  }
  const toldToOthers = verdict.issuersFault && situation.issuerChanges;
  const told = treatment.told && !toldToOthers ? toldWait(problem ?? {}, situation.random) : null;
  if (told === null) return wait === undefined ? ending(daily) : trying(wait);
  // A CA that says "in a second" all day is not asked every second: the rung is the least.
  const obeyed = Math.max(told, wait ?? lastRung);
  return wait === undefined || obeyed > longestWait ? ending(obeyed) : trying(obeyed);
}

const orderUseless = ({ orderUseless: when }: Treatment, rung: number, emergency: boolean): boolean =>
  when === 'always' || (when === 'again' && rung > 1) || (when === 'emergency' && emergency);

/** Each identifier whose proof the CA looked at and refused: what it counts, by account and identifier. */
export function failedIdentifiers({ error, problem }: FailureReport): readonly string[] {
  if (error !== 'ChallengeFailedError') return [];
  return [...new Set(withSubproblems(problem).flatMap(({ identifier }) => (identifier ? [identifier] : [])))];
}

/** CAA refused in *Check zones*, before the CA was asked: a problem that a CA sent has the HTTP status of its reply. */
export function isCaaOfCheckZones({ error, problem }: FailureReport): boolean {
  return error === 'CaaError' && problem?.status === undefined;
}

/** The registered types that mean the same in an order or a challenge as in a reply. */
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

/** The class that decides, and the problem that made it so. */
function treated({ error, problem }: FailureReport): {
  readonly treatment: Treatment;
  readonly problem: errors.ProblemDocument | null;
} {
  const treatment = treatments[error as ErrorName] ?? treatments.UnexpectedError;
  if (!treatment.byProblem) return { treatment, problem };
  for (const part of withSubproblems(problem)) {
    const named = classes.get(typeOf(part));
    if (named) return { treatment: treatments[named], problem: part };
  }
  // Nobody found the name, or its zone is broken: no other issuer would fare better.
  const zoneBroken = withSubproblems(problem).some((part) => typeOf(part) === 'dns');
  return { treatment: zoneBroken ? { ...treatment, issuersFault: false } : treatment, problem };
}

/** What the CA (or our own count) asks for, and up to a tenth more, a second at least: those told the same do not come back at once. */
function toldWait({ retryAfter }: Partial<errors.ProblemDocument>, random: number): number | null {
  if (retryAfter === undefined) return null;
  const wait = Math.min(Math.max(Math.ceil(retryAfter), 0), longestRetryAfter);
  return wait + Math.max(1, Math.floor(wait * 0.1 * random));
}

/** Below ten days a day is too much: an eighth of what is left, but never closer than the ladder's last rung. Seconds. */
function dailyRung(current: FailureSituation['current'], now: Date): number {
  if (!current) return day;
  const end = Date.parse(current.notAfter);
  if (end - Date.parse(current.notBefore) >= 10 * day * 1000) return day;
  return Math.floor(Math.min(day, Math.max(lastRung, (end - now.getTime()) / 8000)));
}

/** Who or what the problem is about, with the CA's link where the text has one. */
function subject(problem: errors.ProblemDocument | null): { readonly names: string; readonly link: string | null } {
  const names = [...new Set(withSubproblems(problem).flatMap(({ identifier }) => (identifier ? [identifier] : [])))];
  const [link = null] = /https?:\/\/[^\s"<>]*[^\s"<>.,;)]/.exec(problem?.detail ?? '') ?? [];
  return { names: names.length > 0 ? names.join(', ') : 'the identifier', link };
}
