import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, expect, test } from 'vitest';
import { createTopic } from '../../../../../lambdas/adapters/aws/sns/topic.ts';
import { awsError } from '../aws-error.ts';

const arn = 'arn:aws:sns:us-east-1:123456789012:Alerts';
const sns = mockClient(SNSClient);
const topic = createTopic({ arn, client: new SNSClient({ region: 'us-east-1' }) });

beforeEach(() => {
  sns.reset();
});

test('publishes subject and body', async () => {
  sns.on(PublishCommand).resolves({});
  await topic.publish({ subject: 'A subject', body: 'A body.' });
  expect(sns.commandCalls(PublishCommand).map(({ args }) => args[0].input)).toEqual([
    { TopicArn: arn, Subject: 'A subject', Message: 'A body.' },
  ]);
});

test('a denied call is an error that names the topic', async () => {
  sns.on(PublishCommand).rejects(awsError('AuthorizationError'));
  await expect(topic.publish({ subject: 's', body: 'b' })).rejects.toThrow(`sns:Publish on topic ${arn}`);
});
