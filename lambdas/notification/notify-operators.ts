import type { DeployedConfig } from '../domain/contract/config.ts';
import { ThrottledError } from '../domain/contract/errors.ts';
import type { DeploymentPlace, NotificationInput } from '../domain/contract/notification.ts';
import type { NotificationLedger } from '../domain/ports/notification-ledger.ts';
import type { Clock, StepLog } from '../domain/ports/runtime.ts';
import type { Topic } from '../domain/ports/topic.ts';
import { decideNotification } from '../domain/rules/notification/decide-notification.ts';
import { notificationMessages } from '../domain/rules/notification/notification-messages.ts';
import { readFleetState } from './read-fleet-state.ts';

export interface NotifyOperatorsPorts {
  readonly config: DeployedConfig;
  readonly place: DeploymentPlace;
  readonly ledger: NotificationLedger;
  readonly topic: Topic;
  readonly clock: Clock;
  readonly log: StepLog;
}

/** Time for which an invocation has the turn, in ms. It is the timeout of the function. */
const turnTime = 300_000;

/** Time before the turn is asked for again, in ms. */
const turnWait = 5_000;

/**
 * Time after which an invocation stops waiting for its turn, in ms. Lambda polls the queue with several connections, so two batches of one minute are
 * usual. A batch that gives up is delivered again after half an hour. The turn of another invocation lasts a minute for 100,000 certificates.
 */
const longestTurnWait = 150_000;

/** Items that are written at the same time. */
const parallelWrites = 20;

/**
 * Finds out what operators have to know, publishes it, and then records of what they were notified. Only one invocation works at a time, because two
 * would write about the same problems.
 *
 * The messages are published before they are recorded. So a second run may publish a message twice, and none is lost.
 */
export async function notifyOperators(
  input: NotificationInput & { readonly invocation: string },
  ports: NotifyOperatorsPorts,
): Promise<{ readonly published: number }> {
  const { ledger } = ports;
  const { invocation } = input;
  await takeTurn(invocation, ports);
  try {
    return await notify(input, ports);
  } finally {
    await ledger.endTurn(invocation);
  }
}

async function notify(input: NotificationInput, ports: NotifyOperatorsPorts): Promise<{ readonly published: number }> {
  const { config, place, ledger, topic, clock, log } = ports;
  const now = clock.now();
  const { states, notified, lastSelection } = await readFleetState(ports);
  const decision = decideNotification(input, states, notified, now);
  const facts = { states, lastSelection, checkInterval: config.checkInterval };
  const messages = notificationMessages(decision, facts, place, now);
  for (const message of messages) {
    await topic.publish(message);
    log.info('published', { subject: message.subject });
  }
  // The item of a solved problem is removed long after a second run of this step.
  const expires = new Date(now.getTime() + 86_400_000);
  await inParallel(decision.forget, (each) => ledger.forget(each, expires));
  await inParallel(decision.record, (each) => ledger.record(each));
  return { published: messages.length };
}

async function takeTurn(invocation: string, { ledger, clock }: NotifyOperatorsPorts): Promise<void> {
  const take = () => {
    const now = clock.now();
    return ledger.takeTurn(invocation, now, new Date(now.getTime() + turnTime));
  };
  const deadline = clock.now().getTime() + longestTurnWait;
  while (!(await take())) {
    if (clock.now().getTime() >= deadline) throw alreadyRuns();
    await clock.sleep(turnWait);
  }
}

const alreadyRuns = () =>
  new ThrottledError({
    what: 'The function notification already runs.',
    remedy: 'The queue delivers the events again.',
    action: 'dynamodb:UpdateItem',
    resource: 'item notified#turn',
  });

async function inParallel<Item>(items: readonly Item[], write: (item: Item) => Promise<void>): Promise<void> {
  for (let start = 0; start < items.length; start += parallelWrites)
    await Promise.all(items.slice(start, start + parallelWrites).map(write));
}
