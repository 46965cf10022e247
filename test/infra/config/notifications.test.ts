import { App, Stack } from 'aws-cdk-lib';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { describe, expect, test } from 'vitest';
import { checkConfig } from '../../../infra/config/check-config.ts';
import { encryptionKey } from '../../../infra/config/encryption-key.ts';
import { type Expected, expectMistakes } from '../mistakes.ts';
import { base, token } from './configs.ts';

const ofFile = (notifications: unknown) => checkConfig({ ...base, notifications });
const stack = new Stack(new App(), 'Stack', { env: { region: 'eu-west-1', account: '111122223333' } });
const ofConstruct = (notifications: unknown) =>
  checkConfig({ ...base, notifications }, { encryptionKey, stack: { scope: stack, others: [] } });

test('without notifications no one is notified', () => {
  expect(checkConfig(base).notifications).toBeUndefined();
});

test('addresses keep their names, and their domains are normalised', () => {
  expect(ofFile({ email: ['Ops@Example.COM.', 'tls@bücher.example'] }).notifications).toEqual({
    email: ['Ops@example.com', 'tls@xn--bcher-kva.example'],
    topic: undefined,
  });
});

describe('the config file', () => {
  const cases: readonly (readonly [notifications: unknown, expected: readonly Expected[]])[] = [
    ['ops@example.com', [['notifications', 'found "ops@example.com"', 'email']]],
    [{}, [['notifications.email', 'missing', 'a list of e-mail addresses']]],
    [{ email: [] }, [['notifications.email', 'found an empty list', 'at least one e-mail address']]],
    [{ email: 'ops@example.com' }, [['notifications.email', 'a list of e-mail addresses']]],
    [{ email: ['ops'] }, [['notifications.email[0]', 'found "ops"', 'one e-mail address']]],
    [{ email: ['a@b.example, c@d.example'] }, [['notifications.email[0]', 'one e-mail address']]],
    [{ email: ['a@*.example'] }, [['notifications.email[0]', 'one e-mail address']]],
    [{ email: [token] }, [['notifications.email[0]', 'found a CDK token']]],
    [
      { email: ['ops@example.com', 'x', 'OPS@example.com'] },
      [
        ['notifications.email[1]', 'found "x"'],
        ['notifications.email[2]', 'duplicate', 'also notifications.email[0]', 'unique'],
      ],
    ],
    [{ emails: ['ops@example.com'] }, [['notifications.emails', 'unknown key', 'email'], ['notifications.email']]],
    [{ email: ['ops@example.com'], topic: 'arn' }, [['notifications.topic', 'unknown key', 'email']]],
  ];

  test.each(cases)('rejects %j', (notifications, expected) => {
    expectMistakes(() => ofFile(notifications), ...expected);
  });

  test('suggests the field for words of other tools', () => {
    expectMistakes(() => checkConfig({ ...base, alerts: {} }), ['alerts', 'unknown key', 'notifications']);
  });
});

describe('the construct', () => {
  test('takes a topic without addresses', () => {
    const topic = new Topic(stack, 'Alerts');
    expect(ofConstruct({ topic }).notifications).toEqual({ email: [], topic });
  });

  test('rejects notifications with neither a topic nor an address', () => {
    expectMistakes(() => ofConstruct({}), ['notifications', 'neither an e-mail address nor a topic']);
    expectMistakes(() => ofConstruct({ email: [] }), ['notifications.email', 'at least one e-mail address']);
  });

  test.each([
    ['a text', 'arn:aws:sns:eu-west-1:111122223333:Alerts', 'a topic such as'],
    ['a FIFO topic', new Topic(stack, 'Fifo', { fifo: true }), 'a standard topic'],
    ['another region', Topic.fromTopicArn(stack, 'Far', 'arn:aws:sns:us-east-1:111122223333:Far'), 'eu-west-1'],
  ])('rejects %s', (_, topic, allowed) => {
    expectMistakes(() => ofConstruct({ topic }), ['notifications.topic', allowed]);
  });
});
