import { readFileSync } from 'node:fs';
import type { Stack } from 'aws-cdk-lib';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { describe, expect, test } from 'vitest';
import { CertificateRenewal } from '../../../infra/index.ts';
import { notifiedDetailTypes, parseQueueBody } from '../../../lambdas/domain/contract/notification.ts';
import { allows, type Context, simulate, trusts, without } from '../policy-simulator.ts';
import { ofType, type Resource, resolve, type Synthesized, smallConfig, synthesize, withApp } from '../synthesized.ts';

const email = { ...smallConfig, notifications: { email: ['ops@example.com', 'tls@example.com'] } };
const stack = synthesize(email);
const { resources } = stack;

const only = (type: string, of: Synthesized = stack): readonly [string, Resource] => {
  const found = ofType(of.resources, type);
  if (found.length !== 1 || !found[0]) throw new Error(`${found.length} resources of ${type}`);
  return found[0];
};
const [topicId, topic] = only('AWS::SNS::Topic');
const topicArn = `arn:aws:sns:eu-central-1:123456789012:${topicId}`;

/** Returns the warnings and notes of a stack with these notifications. */
function annotations(notifications: (stack: Stack) => object): readonly string[] {
  const found: string[] = [];
  const add = (scope: Stack) => {
    new CertificateRenewal(scope, 'Notified', {
      ...smallConfig,
      secretPrefix: 'others/',
      notifications: notifications(scope),
    });
    for (const { node } of scope.node.findAll())
      found.push(...node.metadata.flatMap(({ type, data }) => (/warning|info/.test(type) ? [`${type} ${data}`] : [])));
  };
  withApp([smallConfig, add], () => undefined);
  return found.filter((each) => each.includes('notifications'));
}

describe('without notifications', () => {
  test('there is no topic, no queue and no function for them', () => {
    for (const type of ['AWS::SNS::Topic', 'AWS::SQS::Queue', 'AWS::Lambda::EventSourceMapping'])
      expect(ofType(synthesize().resources, type), type).toEqual([]);
  });
});

describe('the e-mail addresses', () => {
  test('are subscriptions of a new topic', () => {
    expect(ofType(resources, 'AWS::SNS::Subscription').map(([, { Properties }]) => Properties)).toEqual(
      email.notifications.email.map((Endpoint) => ({ Endpoint, Protocol: 'email', TopicArn: { Ref: topicId } })),
    );
  });

  test('keep their subscriptions when their order changes', () => {
    const reversed = synthesize({ ...email, notifications: { email: email.notifications.email.toReversed() } });
    const ids = (of: Synthesized) => ofType(of.resources, 'AWS::SNS::Subscription').map(([id]) => id);
    expect(ids(reversed).toSorted()).toEqual(ids(stack).toSorted());
  });

  test('can be added to a topic of the app', () => {
    const made: { topic?: Topic } = {};
    const both = synthesize(smallConfig, (scope) => {
      made.topic = new Topic(scope, 'Alerts');
      new CertificateRenewal(scope, 'Notified', {
        ...smallConfig,
        secretPrefix: 'others/',
        notifications: { email: ['ops@example.com'], topic: made.topic },
      });
    });
    const [id] = only('AWS::SNS::Topic', both);
    expect(only('AWS::SNS::Subscription', both)[1].Properties).toMatchObject({ TopicArn: { Ref: id } });
  });
});

describe('the events', () => {
  test('of this deployment get into the queue, and those of other deployments do not', () => {
    const rule = ofType(resources, 'AWS::Events::Rule').find(([id]) => id.includes('Notifications'));
    const pattern = resolve(rule?.[1].Properties.EventPattern, resources);
    const executions = 'arn:aws:states:eu-central-1:123456789012:execution:Perennial-Certificates-';
    expect(pattern).toEqual({
      source: ['perennial'],
      'detail-type': [...notifiedDetailTypes],
      detail: {
        execution: ['renewal', 'accounts', 'fleet'].map((name) => ({
          prefix: expect.stringMatching(`^${executions}[0-9A-F]*-?${name}:$`),
        })),
      },
    });
    expect(notifiedDetailTypes).toContain('Certificate Account Request Failed');
  });

  test('wait half a minute, and up to a thousand within a minute are one invocation', () => {
    const [, queue] = ofType(resources, 'AWS::SQS::Queue').find(([id]) => id.includes('NotificationsQueue')) ?? [];
    expect(queue?.Properties).toMatchObject({
      DelaySeconds: 30,
      VisibilityTimeout: 1800,
      RedrivePolicy: { maxReceiveCount: 5 },
    });
    expect(only('AWS::Lambda::EventSourceMapping')[1].Properties).toMatchObject({
      BatchSize: 1000,
      MaximumBatchingWindowInSeconds: 60,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      ScalingConfig: { MaximumConcurrency: 2 },
    });
  });

  test('that cannot be delivered or handled get into the dead-letter queue', () => {
    const [deadLetters] =
      ofType(resources, 'AWS::SQS::Queue').find(([id]) => id.includes('NotificationsDeadLetters')) ?? [];
    const arn = { 'Fn::GetAtt': [deadLetters, 'Arn'] };
    const rule = ofType(resources, 'AWS::Events::Rule').find(([id]) => id.includes('Notifications'));
    expect(rule?.[1].Properties.Targets).toMatchObject([{ DeadLetterConfig: { Arn: arn } }]);
  });
});

describe('the schedules', () => {
  test('ask for a digest on Mondays and for a reminder on other days, in words that the function understands', () => {
    const asked = ofType(resources, 'AWS::Scheduler::Schedule').flatMap(([id, { Properties }]) => {
      const { Input } = Properties.Target as { readonly Input?: string };
      return id.includes('Notifications') ? [[Properties.ScheduleExpression, parseQueueBody(Input ?? '')]] : [];
    });
    expect(asked).toEqual([
      ['cron(0 8 ? * SUN,TUE-SAT *)', { schedule: 'reminder' }],
      ['cron(0 8 ? * MON *)', { schedule: 'digest' }],
    ]);
  });

  test('may only send messages to the queue', async () => {
    const [queue = ''] = ofType(resources, 'AWS::SQS::Queue').find(([id]) => id.includes('NotificationsQueue')) ?? [];
    const may = (action: string, id: string) =>
      allows('NotificationsScheduleRole', `sqs:${action}`, queueArn(id), {}, stack);
    expect(await may('SendMessage', queue)).toBe(true);
    expect(await may('ReceiveMessage', queue)).toBe(false);
    expect(await may('SendMessage', 'Another')).toBe(false);
  });
});

test('the role of the schedules trusts EventBridge Scheduler for its own schedule group only', async () => {
  const [group = ''] =
    ofType(resources, 'AWS::Scheduler::ScheduleGroup').find(([id]) => id.includes('Notifications')) ?? [];
  const arn = `arn:aws:scheduler:eu-central-1:123456789012:schedule-group/${group}`;
  const keys = { 'aws:SourceAccount': '123456789012', 'aws:SourceArn': arn };
  const letsIn = (given: Context) => trusts('NotificationsScheduleRole', 'scheduler.amazonaws.com', given, stack);
  expect(await letsIn(keys)).toBe(true);
  expect(await letsIn({ ...keys, 'aws:SourceAccount': '999999999999' })).toBe(false);
  expect(await letsIn({ ...keys, 'aws:SourceArn': `${arn}-other` })).toBe(false);
  for (const key of Object.keys(keys)) expect(await letsIn(without(keys, key)), key).toBe(false);
});

const queueArn = (id: string): string => `arn:aws:sqs:eu-central-1:123456789012:${id}`;

const topicOf = (id: string): string => `arn:aws:sns:eu-central-1:123456789012:${id}`;

describe('the function', () => {
  const [table] = only('AWS::DynamoDB::Table');
  const ledger = (action: string, keys: Context = {}) =>
    allows(
      'NotificationsNotificationRole',
      `dynamodb:${action}`,
      `arn:aws:dynamodb:eu-central-1:123456789012:table/${table}`,
      keys,
      stack,
    );
  const may = (action: string, resource: string, keys: Context = {}) =>
    allows('NotificationsNotificationRole', action, resource, keys, stack);

  test('may read all items of the ledger, and update those of notifications only', async () => {
    expect(await ledger('Scan')).toBe(true);
    const update = (...items: string[]) => ledger('UpdateItem', { 'dynamodb:LeadingKeys': items });
    expect(await update('notified#failing#www')).toBe(true);
    for (const item of ['certificate#www', 'fleet', 'set#0123', 'account#https://ca.test/directory', 'notified'])
      expect(await update(item), item).toBe(false);
    expect(await update('notified#turn', 'certificate#www')).toBe(false);
    expect(await ledger('UpdateItem')).toBe(false);
    for (const action of ['PutItem', 'DeleteItem', 'GetItem', 'BatchGetItem', 'Query'])
      expect(await ledger(action, { 'dynamodb:LeadingKeys': ['notified#turn'] }), action).toBe(false);
  });

  test('may publish to its topic and to no other', async () => {
    expect(await may('sns:Publish', topicArn)).toBe(true);
    expect(await may('sns:Publish', topicOf('Another'))).toBe(false);
    for (const action of ['sns:Subscribe', 'sns:DeleteTopic', 'sns:SetTopicAttributes'])
      expect(await may(action, topicArn), action).toBe(false);
  });

  test('may take messages from its queue, and neither send nor purge', async () => {
    const [queue = ''] = ofType(resources, 'AWS::SQS::Queue').find(([id]) => id.includes('NotificationsQueue')) ?? [];
    for (const action of ['ReceiveMessage', 'DeleteMessage', 'GetQueueAttributes'])
      expect(await may(`sqs:${action}`, queueArn(queue)), action).toBe(true);
    for (const action of ['SendMessage', 'PurgeQueue', 'SetQueueAttributes'])
      expect(await may(`sqs:${action}`, queueArn(queue)), action).toBe(false);
  });

  test('may not read secrets or call workflows', async () => {
    const secret = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:certificates/www-AbCdEf';
    const tag = { 'aws:ResourceTag/perennial:stack': 'Perennial' };
    expect(await may('secretsmanager:GetSecretValue', secret, tag)).toBe(false);
    const machine = 'arn:aws:states:eu-central-1:123456789012:stateMachine:Perennial-Certificates-renewal';
    expect(await may('states:StartExecution', machine)).toBe(false);
  });

  test('knows the topic, the ledger, the configuration and the name of the deployment', () => {
    const [, { Properties }] = ofType(resources, 'AWS::Lambda::Function').find(([id]) =>
      id.includes('NotificationsNotification'),
    ) as [string, Resource];
    const { Variables } = Properties.Environment as { readonly Variables: Record<string, unknown> };
    const names = Object.keys(Variables).filter((name) => !/^(POWERTOOLS|AWS)_/.test(name));
    expect(names.toSorted()).toEqual(['CONFIG_TOKENS', 'LEDGER_TABLE', 'STACK_TAG', 'TOPIC']);
    const [, files] = Object.entries(stack.files).find(([id]) => id.includes('NotificationsNotification')) ?? [];
    expect(files?.toSorted()).toEqual(['config.json', 'index.mjs']);
  });
});

describe('the policy of the topic', () => {
  const publishes = async (service: string, keys: Context) => {
    const [, policy] = only('AWS::SNS::TopicPolicy', stack);
    return simulate({
      request: {
        principal: service,
        action: 'sns:Publish',
        resource: { resource: topicArn, accountId: '123456789012' },
        contextVariables: { 'aws:SecureTransport': 'true', ...keys },
      },
      identityPolicies: [],
      resourcePolicy: resolve(policy.Properties.PolicyDocument, resources),
      serviceControlPolicies: [],
      resourceControlPolicies: [],
    });
  };

  test('lets CloudWatch alarms of this account publish', async () => {
    const keys = { 'aws:SourceAccount': '123456789012' };
    expect(await publishes('cloudwatch.amazonaws.com', keys)).toBe(true);
    expect(await publishes('cloudwatch.amazonaws.com', { 'aws:SourceAccount': '999999999999' })).toBe(false);
    expect(await publishes('cloudwatch.amazonaws.com', without(keys, 'aws:SourceAccount'))).toBe(false);
    expect(await publishes('events.amazonaws.com', keys)).toBe(false);
  });

  test('refuses requests without TLS', async () => {
    const keys = { 'aws:SourceAccount': '123456789012', 'aws:SecureTransport': 'false' };
    expect(await publishes('cloudwatch.amazonaws.com', keys)).toBe(false);
  });
});

describe('a KMS key of the app', () => {
  const encrypted = synthesize(
    email,
    () => undefined,
    (scope) => new Key(scope, 'Key', { enableKeyRotation: true }),
  );
  const [keyId, key] = only('AWS::KMS::Key', encrypted);
  const keyArn = 'arn:aws:kms:eu-central-1:123456789012:key/0123';

  test('encrypts the topic', () => {
    expect(topic.Properties.KmsMasterKeyId).toBeUndefined();
    expect(only('AWS::SNS::Topic', encrypted)[1].Properties.KmsMasterKeyId).toEqual({ 'Fn::GetAtt': [keyId, 'Arn'] });
  });

  test('can be used by CloudWatch alarms of this account', async () => {
    const use = (action: string, account?: string) =>
      simulate({
        request: {
          principal: 'cloudwatch.amazonaws.com',
          action,
          resource: { resource: keyArn, accountId: '123456789012' },
          contextVariables: account === undefined ? {} : { 'aws:SourceAccount': account },
        },
        identityPolicies: [],
        resourcePolicy: resolve(key.Properties.KeyPolicy, encrypted.resources),
        serviceControlPolicies: [],
        resourceControlPolicies: [],
      });
    for (const action of ['kms:Decrypt', 'kms:GenerateDataKey', 'kms:GenerateDataKeyWithoutPlaintext']) {
      expect(await use(action, '123456789012'), action).toBe(true);
      expect(await use(action, '999999999999'), action).toBe(false);
      expect(await use(action), action).toBe(false);
    }
    expect(await use('kms:Encrypt', '123456789012')).toBe(false);
  });

  test('can be used by the function through SNS and DynamoDB only', async () => {
    const via = (service?: string) =>
      allows(
        'NotificationsNotificationRole',
        'kms:GenerateDataKey',
        String(resolve({ 'Fn::GetAtt': [keyId, 'Arn'] }, encrypted.resources)),
        service === undefined ? {} : { 'kms:ViaService': `${service}.eu-central-1.amazonaws.com` },
        encrypted,
      );
    expect(await via('sns')).toBe(true);
    expect(await via('dynamodb')).toBe(true);
    expect(await via('secretsmanager')).toBe(false);
    expect(await via()).toBe(false);
  });

  test('needs no warning', () => {
    expect(
      annotations((scope) => ({ topic: new Topic(scope, 'Alerts', { masterKey: new Key(scope, 'Own') }) })),
    ).toEqual([]);
  });
});

describe('what the app cannot change', () => {
  const imported = 'arn:aws:kms:eu-central-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef';

  test('is a warning for an imported key, with the statement that the page shows for its policy', () => {
    const found = annotations((scope) => ({
      topic: new Topic(scope, 'Alerts', { masterKey: Key.fromKeyArn(scope, 'Imported', imported) }),
    }));
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(/^aws:cdk:warning notifications: the KMS key of the topic is not part of this app/);
    const page = readFileSync('docs/notifications.md', 'utf8');
    const [, shown = ''] = /```json\n(.*?)\n```/s.exec(page) ?? [];
    const [, printed = ''] = /Add this statement to its policy: (\{.*\}) \[ack/.exec(found[0] ?? '') ?? [];
    const { Sid, ...statement } = JSON.parse(printed.replace('the id of this account', '111122223333')) as {
      Sid: string;
    };
    expect(statement).toEqual(JSON.parse(shown));
    expect(Sid).toBe('CloudWatchAlarms');
    expect(found[0]).toContain('[ack: perennial:topicKeyPolicy]');
  });

  test('is a note for an imported topic', () => {
    const arn = 'arn:aws:sns:eu-central-1:123456789012:Alerts';
    const found = annotations((scope) => ({ topic: Topic.fromTopicArn(scope, 'Alerts', arn) }));
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(/^aws:cdk:info notifications\.topic: the topic is not part of this app/);
  });
});
