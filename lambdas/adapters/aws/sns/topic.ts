import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import type { Topic } from '../../../domain/ports/topic.ts';
import { clientSettings, keptWarm } from '../client.ts';
import { replyOf } from '../translate-errors.ts';

const warmClient = keptWarm(() => new SNSClient(clientSettings));

/** The SNS topic of operators. */
export function createTopic({
  arn,
  client = warmClient(),
}: {
  readonly arn: string;
  readonly client?: SNSClient;
}): Topic {
  return {
    async publish({ subject, body }) {
      await replyOf(
        { action: 'sns:Publish', resource: `topic ${arn}` },
        client.send(new PublishCommand({ TopicArn: arn, Subject: subject, Message: body })),
      );
    },
  };
}
