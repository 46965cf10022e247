import { createNotificationLedger } from '../adapters/aws/dynamodb/notification-ledger.ts';
import { clock } from '../adapters/aws/lambda/clock.ts';
import { readConfig } from '../adapters/aws/lambda/deployed-config.ts';
import { createLogger, stepLog } from '../adapters/aws/lambda/step-log.ts';
import { createTopic } from '../adapters/aws/sns/topic.ts';
import { environment, requireVariable } from '../domain/contract/environment.ts';
import { notifyOperators } from './notify-operators.ts';
import { type QueueRecord, readQueue } from './read-queue.ts';

/**
 * Notifies operators. A queue calls it with events of this deployment and with the messages of two schedules. It reads the ledger, and no secret. A
 * batch that fails is delivered again, and after that it is in the dead-letter queue.
 */
export const handler = async (
  { Records }: { readonly Records: readonly QueueRecord[] },
  { awsRequestId }: { readonly awsRequestId: string },
): Promise<{ readonly batchItemFailures: readonly { readonly itemIdentifier: string }[] }> => {
  const logger = createLogger();
  const log = stepLog(logger);
  try {
    const { unreadable, ...input } = readQueue(Records, log);
    const { published } = await notifyOperators(
      { ...input, invocation: awsRequestId },
      {
        config: readConfig(),
        place: {
          stack: requireVariable(process.env, environment.stackTag),
          region: requireVariable(process.env, 'AWS_REGION'),
        },
        ledger: createNotificationLedger({ table: requireVariable(process.env, environment.ledgerTable) }),
        topic: createTopic({ arn: requireVariable(process.env, environment.topic) }),
        clock,
        log,
      },
    );
    log.info('done', { messages: Records.length, published });
    return { batchItemFailures: unreadable.map((itemIdentifier) => ({ itemIdentifier })) };
  } catch (error) {
    logger.error('failed', { ...(error instanceof Error ? { error } : { thrown: String(error) }) });
    throw error;
  }
};
