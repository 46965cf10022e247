import type { CertificateCleanUpFailed } from '../../contract/events.ts';
import type { CertificateEvent, ProblemKind } from '../../contract/notification.ts';
import type { Notified } from '../../ports/notification-ledger.ts';
import { type ErrorName, treatments } from '../failure/failure-treatments.ts';
import { causeOf } from './cause.ts';
import type { CertificateState } from './certificate-state.ts';

/** Something about one certificate that operators have to know. */
export interface Problem {
  readonly kind: ProblemKind;
  readonly state: CertificateState;
  /** Name of the error. For problems without an error it is the kind. */
  readonly error: string;
  /** Problems with the same cause are one group. */
  readonly cause: string;
  /** The problem, as sentences. They may quote a CA. */
  readonly detail: string;
  /** The action of the operator, as sentences. `null` if Perennial retries by itself. */
  readonly action: string | null;
  /** Whether operators are notified of it at once: an operator has to act, or the third attempt has failed. */
  readonly urgent: boolean;
  /** Whether `action` and `detail` come from an event, so that they have to be kept for reminders. */
  readonly fromEvent: boolean;
}

/** Failures in a row from which operators are notified although nothing is to be done. */
const urgentAfter = 3;

/** The events of one certificate, the last one of each type. */
type EventsOf = (name: string) => {
  readonly [Type in CertificateEvent['detailType']]?: Extract<CertificateEvent, { detailType: Type }>['detail'];
};

/** Returns a function that finds the last event of each type for a certificate. */
export function lastEvents(events: readonly CertificateEvent[]): EventsOf {
  const found = new Map<string, Record<string, unknown>>();
  for (const { detailType, detail } of events)
    found.set(detail.certificate, { ...found.get(detail.certificate), [detailType]: detail });
  return (name) => (found.get(name) ?? {}) as ReturnType<EventsOf>;
}

/** Returns the problems of a certificate, by the ledger. What an event says about them comes from the event, or from an earlier one that was kept. */
export function problemsOf(
  state: CertificateState,
  eventsOf: EventsOf,
  notified: (kind: ProblemKind, certificate: string) => Notified | undefined,
): readonly Problem[] {
  const { name } = state;
  const events = eventsOf(name);
  const kept = (kind: ProblemKind) => notified(kind, name);
  return [
    failing(state, events['Certificate Renewal Failed'], kept('failing')),
    expiring(state),
    notServed(state, events['Certificate Not Served'] !== undefined, kept('notServed') !== undefined),
    changedOutside(state),
    leftovers(state, events['Certificate Clean-Up Failed'], kept('leftovers')),
    sharing(state, events['Certificate Renewal Failed'], kept('sharing')),
  ].flatMap((problem) => problem ?? []);
}

type FailedEvent = ReturnType<EventsOf>['Certificate Renewal Failed'];

function failing(state: CertificateState, event: FailedEvent, kept: Notified | undefined): Problem | null {
  const { failure } = state;
  if (!failure) return null;
  const { error, cause: detail, count, key } = failure;
  const fromEvent = event?.error === error;
  const action = fromEvent ? event.action : kept?.error === error ? kept.action : actionFor(error, count);
  const urgent = action !== null || count >= urgentAfter;
  return { kind: 'failing', state, error, cause: key, detail, action, urgent, fromEvent };
}

/** Returns what the operator has to do about an error, if no event said it. */
function actionFor(error: string, count: number): string | null {
  const { action, retryFirst } = treatments[error as ErrorName] ?? {};
  return action && !(retryFirst && count === 1) ? action({ names: 'the identifier', link: null }) : null;
}

/** The kind is the error and the cause, so that all certificates with it are one group unless the caller sets another cause. */
const ofKind = (kind: ProblemKind, state: CertificateState) =>
  ({ kind, state, error: kind, cause: kind, urgent: true, fromEvent: false }) as const;

function expiring(state: CertificateState): Problem | null {
  const detail = state.expiring;
  if (detail === null) return null;
  return { ...ofKind('expiring', state), detail, action: 'Find out why it was not renewed, with the command below.' };
}

/**
 * Servers need some minutes after a delivery. So the ledger alone does not decide, but the event, which is published after half an hour. A problem of
 * which operators were notified is not solved by the next delivery, but by the check that follows.
 */
function notServed(state: CertificateState, reported: boolean, notified: boolean): Problem | null {
  const unchecked =
    notified && state.endpointsUnchecked ? 'The endpoints have not been checked since the last delivery.' : null;
  const detail = reported || notified ? (state.notServed ?? unchecked) : null;
  if (detail === null) return null;
  const action = 'Reload the server. If it is unreachable, see that port and name are right and that it runs.';
  return { ...ofKind('notServed', state), detail, action };
}

function changedOutside(state: CertificateState): Problem | null {
  if (!state.changedOutside) return null;
  const { kinds, ...texts } = state.changedOutside;
  return { ...ofKind('changedOutside', state), ...texts, cause: `changedOutside ${kinds}` };
}

function leftovers(
  state: CertificateState,
  event: CertificateCleanUpFailed | undefined,
  kept: Notified | undefined,
): Problem | null {
  // Values in a zone that is not configured any more are reported once, and the ledger then forgets them.
  const detail = event ? valuesOf(event) : state.leftovers > 0 ? (kept?.detail ?? null) : null;
  if (detail === null) return null;
  const cause = event
    ? causeOf('leftovers', event.values[0]?.reason ?? '', [state.name])
    : (kept?.cause ?? 'leftovers');
  const action = event?.action ?? kept?.action ?? null;
  return { ...ofKind('leftovers', state), cause, detail, action, fromEvent: event !== undefined };
}

/** Values that a message names. */
const shownValues = 3;

function valuesOf({ values }: CertificateCleanUpFailed): string {
  const shown = values.slice(0, shownValues).map(({ name, reason }) => `${name}: ${reason}`);
  return [...shown, ...(values.length > shown.length ? [`${values.length - shown.length} more.`] : [])].join(' ');
}

/** Sharing the secret failed. This is no failure of the certificate, so the ledger shows only that it is not done. */
function sharing(state: CertificateState, event: FailedEvent, kept: Notified | undefined): Problem | null {
  if (!state.sharingOutdated) return null;
  if (event && event.action !== null && event.error !== state.failure?.error) {
    const { error, cause: detail, action } = event;
    const cause = causeOf(error, detail, [state.name]);
    return { ...ofKind('sharing', state), error, cause, detail, action, fromEvent: true };
  }
  if (!kept) return null;
  const { error, cause, action } = kept;
  return { ...ofKind('sharing', state), error, cause, detail: kept.detail ?? '', action };
}
