import type { DeploymentPlace, NotificationMessage } from '../../contract/notification.ts';
import { isSelectionLate } from '../renewal/selection-age.ts';
import { counted, minuteOf } from '../wording.ts';
import type { CertificateState } from './certificate-state.ts';
import { commandLine, messageOf, validity } from './message.ts';
import { namesOf } from './problem-text.ts';

/** The facts about the whole fleet that the weekly digest has. */
export interface DigestFacts {
  readonly states: readonly CertificateState[];
  /** Time at which a fleet run last selected due certificates, in RFC 3339. `null` if none did. */
  readonly lastSelection: string | null;
  /** Longest time between two fleet runs, in seconds. */
  readonly checkInterval: number;
}

/** Renewals that the digest lists. */
const listedRenewals = 10;

const week = 7 * 86_400_000;

/** The problems that the digest reports. */
export interface DigestProblems {
  /** Number of certificates. */
  readonly certificates: number;
  /** One phrase for each cause. */
  readonly phrases: readonly string[];
  /** The paragraphs about them. */
  readonly details: readonly string[];
}

/** Returns the weekly digest. */
export function digestMessage(
  { states, lastSelection, checkInterval }: DigestFacts,
  { certificates, phrases, details }: DigestProblems,
  place: DeploymentPlace,
  now: Date,
): NotificationMessage {
  const configured = states.filter((state) => state.configured);
  const counts = counted(configured.length, 'certificate');
  const renewed = configured.filter(({ current }) => current && now.getTime() - Date.parse(current.notBefore) < week);
  const needs = certificates === 0 ? 'none needs' : counted(certificates, 'needs', 'need');
  const what = phrases.length === 0 ? '' : ` Found: ${phrases.join(', ')}.`;
  return messageOf(
    `Weekly report: ${counts}, ${needs} attention`,
    [
      `This deployment keeps ${counts}, and ${needs} attention.${what}`,
      [
        `Renewed in the last 7 days: ${withNames(renewed)}.`,
        `Failing: ${withNames(configured.filter(({ failure }) => failure !== null))}.`,
        `Not served by an endpoint: ${withNames(configured.filter((state) => state.notServed !== null))}.`,
        `Paused: ${withNames(configured.filter(({ pausedUntil }) => pausedUntil !== null))}.`,
        lastCheck(lastSelection, checkInterval, now),
      ].join('\n'),
      nextRenewals(configured, now),
      `To see all certificates, run:\n${commandLine('status', place)}`,
      ...(details.length > 0 ? ['----------', ...details] : []),
    ],
    place,
  );
}

const withNames = (states: readonly CertificateState[]): string =>
  states.length === 0 ? 'none' : `${states.length.toLocaleString('en-US')} (${namesOf(states)})`;

function lastCheck(lastSelection: string | null, checkInterval: number, now: Date): string {
  if (lastSelection === null)
    return 'No fleet run has checked the certificates yet. See the executions of the fleet workflow.';
  const sentence = `A fleet run last checked all certificates at ${minuteOf(lastSelection)}.`;
  return isSelectionLate(lastSelection, checkInterval, now)
    ? `${sentence} That is too long ago. See the executions of the fleet workflow.`
    : sentence;
}

function nextRenewals(states: readonly CertificateState[], now: Date): string {
  const due = states
    .flatMap(({ name, renewalTime, current }) => (renewalTime ? [{ name, renewalTime, current }] : []))
    .toSorted((a, b) => Date.parse(a.renewalTime) - Date.parse(b.renewalTime));
  if (due.length === 0) return 'No renewal is planned, because no certificate was issued yet.';
  const lines = due
    .slice(0, listedRenewals)
    .map(({ name, renewalTime, current }) => `- ${name} at ${minuteOf(renewalTime)}. It ${validity(current, now)}.`);
  return ['The next renewals:', ...lines].join('\n');
}
