import type { FailedAccountRequest, NotificationInput, ProblemKind } from '../../contract/notification.ts';
import type { Notified } from '../../ports/notification-ledger.ts';
import { type ErrorName, treatments } from '../failure/failure-treatments.ts';
import type { CertificateState } from './certificate-state.ts';
import { lastEvents, type Problem, problemsOf } from './problems.ts';

/** Problems with one cause. The certificates that expire first come first. */
export type ProblemGroup = readonly [Problem, ...Problem[]];

/** Certificates that had one problem, which is solved for all of them. */
export interface SolvedGroup {
  readonly kind: ProblemKind;
  readonly states: readonly CertificateState[];
}

/** A decision: the messages to send now, and the items to write into the ledger afterwards. */
export interface NotificationDecision {
  /** Problems to write about at once. */
  readonly urgent: readonly ProblemGroup[];
  /** All problems that are open, for a reminder or a digest. Empty if neither is sent. */
  readonly open: readonly ProblemGroup[];
  readonly digest: boolean;
  readonly solved: readonly SolvedGroup[];
  /** Failed requests to the accounts workflow. */
  readonly requests: readonly FailedAccountRequest[];
  /** Problems to save, after those in `forget` were removed. */
  readonly record: readonly Notified[];
  readonly forget: readonly Notified[];
}

const hour = 3_600_000;

/**
 * Time after a message in which other certificates with the same cause wait for a later message, in ms. A fleet run starts about 2,500 renewals in an
 * hour, so fifty certificates that fail one after the other are one message.
 */
const joiningTime = hour;

/** Age of the last message about a problem from which the daily reminder is sent, in ms. A message of the same morning is enough. */
const reminderAfter = 6 * hour;

/**
 * Decides what operators are notified of. The ledger decides what is wrong, and the notified problems decide what is new. It writes at once only if an
 * operator has to act or the third attempt has failed. A problem whose error changes is new only if an operator has to act. Solved problems are
 * reported when all with the same cause are solved.
 */
export function decideNotification(
  { events, requests, schedules }: NotificationInput,
  states: readonly CertificateState[],
  notified: readonly Notified[],
  now: Date,
): NotificationDecision {
  const byKey = new Map(notified.map((each) => [keyOf(each.kind, each.certificate), each]));
  const eventsOf = lastEvents(events);
  const kept = (kind: ProblemKind, name: string) => {
    const found = byKey.get(keyOf(kind, name));
    return found?.solvedAt === null ? found : undefined;
  };
  const problems = states.flatMap((state) => problemsOf(state, eventsOf, kept));
  const urgentOnes = problems.filter(({ urgent }) => urgent);
  const isNotified = ({ kind, state }: Problem) => kept(kind, state.name) !== undefined;
  const age = ({ at }: Notified) => now.getTime() - Date.parse(at);
  const justWritten = new Set(notified.filter((each) => age(each) < joiningTime).map(({ cause }) => cause));
  const fresh = urgentOnes.filter((problem) => isNew(problem, kept(problem.kind, problem.state.name)));

  const digest = schedules.includes('digest');
  const isOld = problems.some(({ kind, state }) => {
    const before = kept(kind, state.name);
    return before !== undefined && age(before) >= reminderAfter;
  });
  const reminds = digest || (schedules.includes('reminder') && isOld);
  const open = reminds ? problems.filter((each) => each.urgent || isNotified(each)) : [];
  const urgent = reminds ? [] : fresh.filter(({ cause }) => !justWritten.has(cause));

  const there = new Set(problems.map(({ kind, state }) => keyOf(kind, state.name)));
  const { solved, solvedNow, forget } = solvedOf(notified, there, states, now);
  return {
    urgent: grouped(urgent),
    open: grouped(open),
    digest,
    solved,
    requests: requests.filter(needsOperator),
    record: [...solvedNow, ...[...urgent, ...open].filter(isLasting).map((each) => notifiedOf(each, byKey, now))],
    forget,
  };
}

const keyOf = (kind: ProblemKind, certificate: string): string => `${kind}#${certificate}`;

/** A problem is new if it was not notified, or if now an operator has to fix another error. */
const isNew = ({ action, error }: Problem, before: Notified | undefined): boolean =>
  before === undefined || (action !== null && error !== before.error);

/** TXT values that the ledger has forgotten are reported once. */
const isLasting = ({ kind, state }: Problem): boolean => kind !== 'leftovers' || state.leftovers > 0;

function notifiedOf(problem: Problem, before: ReadonlyMap<string, Notified>, now: Date): Notified {
  const { kind, state, error, cause, action, detail, fromEvent } = problem;
  const kept = before.get(keyOf(kind, state.name));
  // The item of the certificate has the text of a failure. Other texts are in events only.
  const keepsDetail = kind === 'leftovers' || kind === 'sharing';
  return {
    kind,
    certificate: state.name,
    error,
    cause,
    at: now.toISOString(),
    action: fromEvent || kept?.error === error ? action : null,
    detail: keepsDetail ? detail : null,
    solvedAt: null,
  };
}

/** Finds the notified problems that are solved. A cause is reported and forgotten when it is solved for all its certificates. */
function solvedOf(
  notified: readonly Notified[],
  there: ReadonlySet<string>,
  states: readonly CertificateState[],
  now: Date,
) {
  const byName = new Map(states.map((state) => [state.name, state]));
  const solved: SolvedGroup[] = [];
  const solvedNow: Notified[] = [];
  const forget: Notified[] = [];
  for (const group of Map.groupBy(notified, ({ kind, cause }) => `${kind} ${cause}`).values()) {
    const isSolved = (each: Notified) => each.solvedAt !== null || !there.has(keyOf(each.kind, each.certificate));
    if (!group.every(isSolved)) {
      const newly = group.filter((each) => each.solvedAt === null && isSolved(each));
      solvedNow.push(...newly.map((each) => ({ ...each, solvedAt: now.toISOString() })));
      continue;
    }
    forget.push(...group);
    // A certificate may have the problem again. Its item returns with the next message about it.
    const well = group.filter(({ kind, certificate }) => !there.has(keyOf(kind, certificate)));
    const recovered = well
      .flatMap(({ certificate }) => byName.get(certificate) ?? [])
      .filter((each) => each.configured);
    const [first] = group;
    if (first && recovered.length > 0) solved.push({ kind: first.kind, states: recovered });
  }
  return { solved, solvedNow, forget };
}

/** Groups by kind and cause. The group with the certificate that expires first comes first. */
function grouped(problems: readonly Problem[]): readonly ProblemGroup[] {
  const sorted = problems.toSorted((a, b) => expiry(a.state) - expiry(b.state));
  return [...Map.groupBy(sorted, ({ kind, cause }) => `${kind} ${cause}`).values()].flatMap(([first, ...others]) =>
    first ? [[first, ...others] as const] : [],
  );
}

const expiry = ({ current }: CertificateState): number => (current ? Date.parse(current.notAfter) : 0);

/**
 * A failed registration matters only if an operator has to act, because the first order at an issuer registers an account too. An operator has started
 * every other request, and nothing retries it.
 */
const needsOperator = ({ action, error }: FailedAccountRequest): boolean =>
  action !== 'register' || treatments[error as ErrorName]?.action !== undefined;
