import type { DeploymentPlace, ProblemKind } from '../../contract/notification.ts';
import { counted, minuteOf } from '../wording.ts';
import type { CertificateState } from './certificate-state.ts';
import type { ProblemGroup } from './decide-notification.ts';
import { commandLine, quote, validity } from './message.ts';
import type { Problem } from './problems.ts';

/** The predicate of each problem, for one certificate and for several. */
const happened: Readonly<Record<ProblemKind, readonly [one: string, several: string]>> = {
  failing: ['could not be renewed', 'could not be renewed'],
  expiring: ['expires soon', 'expire soon'],
  notServed: ['is not served', 'are not served'],
  changedOutside: ['was changed outside Perennial', 'were changed outside Perennial'],
  leftovers: ['has left TXT values in DNS', 'have left TXT values in DNS'],
  sharing: ['could not be shared as configured', 'could not be shared as configured'],
};

/** The predicate of each solved problem. */
const solved: Readonly<Record<ProblemKind, readonly [one: string, several: string]>> = {
  failing: ['was renewed again', 'were renewed again'],
  expiring: ['is no longer about to expire', 'are no longer about to expire'],
  notServed: ['is served again', 'are served again'],
  changedOutside: ['is as Perennial stored it again', 'are as Perennial stored them again'],
  leftovers: ['has no TXT values left in DNS', 'have no TXT values left in DNS'],
  sharing: ['is shared as configured again', 'are shared as configured again'],
};

/** Certificates that one list names. */
const listed = 50;

const subjectOf = (states: readonly CertificateState[]): string =>
  states.length === 1 ? `certificate ${states[0]?.name}` : counted(states.length, 'certificate');

const phrase = (kind: ProblemKind, states: readonly CertificateState[], words = happened): string =>
  `${subjectOf(states)} ${words[kind][states.length === 1 ? 0 : 1]}`;

const statesOf = (group: ProblemGroup): readonly CertificateState[] => group.map(({ state }) => state);

/** Returns the problem as a phrase for a subject, such as `certificate www could not be renewed (CaaError)`. */
export function problemPhrase(group: ProblemGroup): string {
  const [{ kind, error }] = group;
  return `${phrase(kind, statesOf(group))}${kind === error ? '' : ` (${error})`}`;
}

/** Returns the solved problem as a phrase for a subject. */
export const solvedPhrase = (kind: ProblemKind, states: readonly CertificateState[]): string =>
  phrase(kind, states, solved);

/** Returns what happened, to which certificates, what to do, when the next attempt is, and how long the certificates are valid. */
export function problemParagraphs(group: ProblemGroup, place: DeploymentPlace, now: Date): readonly string[] {
  const [first] = group;
  const { kind, error, detail, action } = first;
  const states = statesOf(group);
  const isOne = group.length === 1;
  const example = first.state.name;
  const sentence = sentenceOf(phrase(kind, states));
  const cause = kind === error ? '' : isOne ? failures(first) : ` The last attempt of each has failed with ${error}.`;
  return [
    `${sentence}${cause}`,
    `${isOne ? 'What was found' : kind === error ? `What was found for ${example}` : `The error of ${example}`}:\n  ${quote(detail)}`,
    action === null
      ? `What to do:\n  ${nothing}`
      : `${isOne ? 'What to do' : `What to do for ${example}, and likewise for the others`}:\n  ${quote(action)}`,
    isOne ? [nextAttempt(first, now), currentOf(first.state, now)].filter(Boolean).join(' ') : list(group, now),
    ...(kind === 'failing' && action !== null
      ? [
          `To try again at once after that, run${isOne ? '' : ' for each of them'}:\n${commandLine(`renew ${example} --force`, place)}`,
        ]
      : []),
    ...(kind === 'notServed'
      ? [
          `To check again at once after that, run${isOne ? '' : ' for each of them'}:\n${commandLine(`renew ${example} --watch`, place)}`,
        ]
      : []),
    `To look closer, run:\n${commandLine(`explain ${example}`, place)}`,
  ];
}

const nothing =
  'Nothing now, because Perennial tries again by itself. If it does not succeed, a reminder follows each day.';

function failures({ kind, error, state }: Problem): string {
  const { count = 1 } = state.failure ?? {};
  if (kind !== 'failing' || count === 1) return ` The error is ${error}.`;
  return ` ${counted(count, 'attempt')} in a row have failed, the last one with ${error}.`;
}

/** Returns a sentence, or nothing for problems that no attempt of Perennial solves. */
function nextAttempt({ kind, state }: Problem, now: Date): string {
  if (kind !== 'failing' && kind !== 'sharing') return '';
  const { notBefore, pausedUntil } = state;
  if (pausedUntil) return `The renewals are paused until ${minuteOf(pausedUntil)}, except in an emergency.`;
  return notBefore && Date.parse(notBefore) > now.getTime()
    ? `The next attempt is at ${minuteOf(notBefore)}.`
    : 'The next attempt is in the next fleet run.';
}

const currentOf = ({ current, name }: CertificateState, now: Date): string =>
  current ? `The current certificate ${validity(current, now)}.` : `Certificate ${name} has never been issued.`;

function list(group: ProblemGroup, now: Date): string {
  const lines = group.slice(0, listed).map((problem) => {
    const { state } = problem;
    const next = nextAttempt(problem, now);
    return `- ${state.name} ${validity(state.current, now)}.${next ? ` ${next}` : ''}`;
  });
  const more = group.length - lines.length;
  return ['The certificates, those that expire first:', ...lines, ...(more > 0 ? [`- ${more} more.`] : [])].join('\n');
}

/** Returns a list of names, as a part of a sentence. */
export function namesOf(states: readonly CertificateState[]): string {
  const names = states.slice(0, listed).map(({ name }) => name);
  const more = states.length - names.length;
  return `${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

export const sentenceOf = (words: string): string => `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
