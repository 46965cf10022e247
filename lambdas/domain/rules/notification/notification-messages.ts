import type { DeploymentPlace, FailedAccountRequest, NotificationMessage } from '../../contract/notification.ts';
import { printable } from '../../contract/printable-text.ts';
import { type ErrorName, treatments } from '../failure/failure-treatments.ts';
import { counted } from '../wording.ts';
import type { NotificationDecision, ProblemGroup, SolvedGroup } from './decide-notification.ts';
import { type DigestFacts, digestMessage } from './digest-message.ts';
import { commandLine, messageOf, quote, validity } from './message.ts';
import { namesOf, problemParagraphs, problemPhrase, sentenceOf, solvedPhrase } from './problem-text.ts';

/** Groups that one message describes. */
const shownGroups = 20;

const line = '----------';

/** Returns the messages of a decision. There is at most one of each sort, except that each failed request has its own. */
export function notificationMessages(
  { urgent, open, digest, solved, requests }: NotificationDecision,
  facts: DigestFacts,
  place: DeploymentPlace,
  now: Date,
): readonly NotificationMessage[] {
  const reminder = digest ? [] : open;
  return [
    ...requests.map((request) => requestMessage(request, place)),
    ...(urgent.length > 0 ? [messageOf(subjectOf(urgent), problemsIn(urgent, place, now), place)] : []),
    ...(reminder.length > 0 ? [reminderMessage(reminder, place, now)] : []),
    ...(solved.length > 0 ? [solvedMessage(solved, place, now)] : []),
    ...(digest ? [digestMessage(facts, problemsOfDigest(open, place, now), place, now)] : []),
  ];
}

const problemsOfDigest = (open: readonly ProblemGroup[], place: DeploymentPlace, now: Date) => ({
  certificates: certificatesIn(open),
  phrases: open.slice(0, shownGroups).map(problemPhrase),
  details: problemsIn(open, place, now),
});

function subjectOf(groups: readonly ProblemGroup[]): string {
  const [first, ...others] = groups;
  if (!first) return '';
  return others.length > 0 ? `${certificatesNeed(groups)} attention` : problemPhrase(first);
}

const certificatesIn = (groups: readonly ProblemGroup[]): number =>
  new Set(groups.flatMap((group) => group.map(({ state }) => state.name))).size;

const certificatesNeed = (groups: readonly ProblemGroup[], adverb = ''): string =>
  counted(certificatesIn(groups), `certificate ${adverb}needs`, `certificates ${adverb}need`);

function problemsIn(groups: readonly ProblemGroup[], place: DeploymentPlace, now: Date): readonly string[] {
  const shown = groups
    .slice(0, shownGroups)
    .flatMap((group, index) => [...(index > 0 ? [line] : []), ...problemParagraphs(group, place, now)]);
  const rest = groups.slice(shownGroups);
  if (rest.length === 0) return shown;
  const sentence = `${counted(rest.length, 'more cause is', 'more causes are')} left out here, of ${counted(certificatesIn(rest), 'certificate')}. To see all certificates, run:`;
  return [...shown, line, `${sentence}\n${commandLine('status', place)}`];
}

function reminderMessage(groups: readonly ProblemGroup[], place: DeploymentPlace, now: Date): NotificationMessage {
  const still = `${certificatesNeed(groups, 'still ')} attention`;
  const first = `This is the daily reminder. ${sentenceOf(still)}`;
  return messageOf(`Reminder: ${still}`, [first, ...problemsIn(groups, place, now)], place);
}

function solvedMessage(groups: readonly SolvedGroup[], place: DeploymentPlace, now: Date): NotificationMessage {
  const [first] = groups;
  const all = new Set(groups.flatMap(({ states }) => states.map(({ name }) => name))).size;
  const subject =
    groups.length === 1 && first
      ? solvedPhrase(first.kind, first.states)
      : `${counted(all, 'certificate has', 'certificates have')} recovered`;
  const paragraphs = groups.map(({ kind, states }) => {
    const [state] = states;
    const sentence = sentenceOf(solvedPhrase(kind, states));
    return states.length === 1 && state
      ? `${sentence} It ${validity(state.current, now)}. Nothing is left to do.`
      : `${sentence} These are ${namesOf(states)}. Nothing is left to do.`;
  });
  return messageOf(
    `Solved: ${subject}`,
    [...paragraphs, `To see all certificates, run:\n${commandLine('status', place)}`],
    place,
  );
}

function requestMessage(request: FailedAccountRequest, place: DeploymentPlace): NotificationMessage {
  const { error, cause } = request;
  // The command `drill` publishes it, to see that a message arrives.
  if (request.action === 'drill') return messageOf('Test: this message arrived', [quote(cause)], place);
  const short = (text: string) => printable(text, 60);
  const action = short(request.action);
  const of = request.certificate ?? request.issuer;
  const what = `The request ${action}${of === null ? '' : ` of ${short(of)}`} to the accounts workflow failed with ${short(error)}.`;
  const fix = treatments[error as ErrorName]?.action?.({ names: 'the identifier', link: null });
  const again =
    action === 'register'
      ? 'The next order registers the account too.'
      : `${fix === undefined ? 'Start' : 'After that, start'} the request again, because nothing retries it.`;
  return messageOf(
    `Request ${action} failed (${short(error)})`,
    [what, `What was found:\n  ${quote(cause)}`, `What to do:\n  ${quote([fix, again].filter(Boolean).join(' '))}`],
    place,
  );
}
