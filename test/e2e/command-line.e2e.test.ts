import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CloudWatchClient, DescribeAlarmsCommand, SetAlarmStateCommand } from '@aws-sdk/client-cloudwatch';
import {
  CloudWatchLogsClient,
  DescribeQueryDefinitionsCommand,
  type FilterLogEventsCommandOutput,
  paginateFilterLogEvents,
  type QueryDefinition,
} from '@aws-sdk/client-cloudwatch-logs';
import { DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { DeleteRolePolicyCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import {
  LambdaClient,
  ListEventSourceMappingsCommand,
  ListFunctionsCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateEventSourceMappingCommand,
} from '@aws-sdk/client-lambda';
import {
  CreateScheduleCommand,
  GetScheduleCommand,
  type GetScheduleCommandOutput,
  ListSchedulesCommand,
  SchedulerClient,
  UpdateScheduleCommand,
} from '@aws-sdk/client-scheduler';
import { SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  ListQueuesCommand,
  ReceiveMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Report } from '../../cli/deployment.ts';
import { alarmTexts } from '../../infra/monitoring/alarm-list.ts';
import { type LogEvent, parseQuery } from '../logs-insights.ts';
import { type Deployed, deployed } from './deployed.ts';
import { eventually } from './observed.ts';

const program = join(import.meta.dirname, '..', '..', 'dist', 'cli', 'main.mjs');

let d: Deployed;

beforeAll(async () => {
  d = await deployed(
    {
      zones: ['example.com'],
      certificates: [
        { name: 'www', identifiers: ['example.com', '*.example.com'], acm: ['us-east-1'] },
        { name: 'outside', identifiers: ['www.outside.example.com'] },
      ],
      notifications: { email: ['ops@example.com'] },
    },
    { pebble: { chaos: { validationSleep: false } } },
  );
});
afterAll(() => d?.stop());

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly messages: string;
}

/** Runs the command line as an operator does, in a terminal of 80 columns. */
function run(
  args: readonly string[],
  variables: Readonly<Record<string, string>> = {},
  {
    file = program,
    onOutput = () => {},
  }: { file?: string; onOutput?: (child: ChildProcess, out: string) => void } = {},
): Promise<Ended> {
  const child = spawn(process.execPath, [file, ...args], {
    env: { PATH: process.env.PATH, ...d.local.variables, ...variables },
  });
  const texts = { out: '', messages: '' };
  child.stdout.on('data', (data) => {
    texts.out += data;
    onOutput(child, texts.out);
  });
  child.stderr.on('data', (data) => {
    texts.messages += data;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    // Messages are broken between words.
    child.on('close', (code) => resolve({ code, ...texts, messages: texts.messages.replaceAll(/\s+/g, ' ').trim() }));
  });
}

const widest = (text: string) => Math.max(...text.split('\n').map((line) => line.length));

describe('status', () => {
  test('lists all certificates in 80 columns', async () => {
    const { code, out, messages } = await run(['status']);
    expect(messages).toBe('');
    expect(code).toBe(0);
    expect(out).toMatch(/^Stack Perennial in us-east-1, version \d+\.\d+\.\d+, at .* UTC\n/);
    expect(out).toMatch(/\nwww +█+░* +\d+ (d|h) left +\d{4}-\d\d-\d\d, by (the CA|its dates) +\S+ +ok\n/);
    expect(out).toContain('2 certificates, none needs attention');
    expect(widest(out)).toBeLessThanOrEqual(80);
  });

  test('shows everything about one certificate, also as JSON', async () => {
    const { out } = await run(['status', 'www']);
    const { current } = await d.ledger('www');
    for (const text of ['*.example.com, example.com', current?.serialNumber, 'us-east-1', 'arn:aws:acm:us-east-1:'])
      expect(out).toContain(text);
    const json = JSON.parse((await run(['status', 'www', '--json'])).out) as Report;
    expect(json.certificates).toMatchObject([{ name: 'www', current: { serialNumber: current?.serialNumber } }]);
    expect(JSON.stringify(json)).not.toMatch(/PRIVATE KEY|BEGIN CERTIFICATE/);
  });

  test('suggests the certificate of a similar name', async () => {
    const { code, messages } = await run(['status', 'wwww']);
    expect(messages).toContain('No certificate with the name wwww is configured. Did you mean www?');
    expect(code).toBe(3);
  });
});

describe('explain and renew', () => {
  test('renew follows the renewal state by state, and explain then shows its execution', async () => {
    const before = (await d.ledger('www')).current?.serialNumber;
    const { code, out } = await run(['renew', 'www', '--force', '--watch']);
    expect(code).toBe(0);
    expect(out).toMatch(/^Started the renewal of www\.\n/);
    for (const state of ['Check renewal', 'New order', 'Finalize order', 'Store certificate', 'Announce'])
      expect(out).toMatch(new RegExp(`  \\d\\d:\\d\\d:\\d\\d ${state}\n`));
    expect((await d.ledger('www')).current?.serialNumber).not.toBe(before);

    const explained = await run(['explain', 'www']);
    expect(explained.out).toMatch(/Decision +nothing to do, renewal is due \d{4}-/);
    expect(explained.out).toContain('succeeded');
    expect(explained.out).toContain(out.split('\n')[1]?.trim());
  });

  test('renew without force ends without an order', async () => {
    const before = (await d.ledger('www')).current?.serialNumber;
    const { code, out } = await run(['renew', 'www', '--watch']);
    expect(code).toBe(0);
    expect(out).toContain('Nothing to do');
    expect((await d.ledger('www')).current?.serialNumber).toBe(before);
  });
});

describe('notifications', () => {
  interface Notification {
    readonly Subject: string;
    readonly Message: string;
  }
  let inbox: string;
  /** The deployed schedules. */
  const schedules: GetScheduleCommandOutput[] = [];
  const unread: Notification[] = [];
  const sqs = () => new SQSClient(d.local.clientConfig);

  /** Returns the message to the subscribers with these words. Messages may arrive in any order. */
  const received = (words: string) =>
    eventually(`A notification with "${words}"`, async () => {
      const { Messages: [message] = [] } = await sqs().send(new ReceiveMessageCommand({ QueueUrl: inbox }));
      if (message) {
        await sqs().send(new DeleteMessageCommand({ QueueUrl: inbox, ReceiptHandle: message.ReceiptHandle }));
        unread.push(JSON.parse(message.Body ?? ''));
      }
      const index = unread.findIndex(({ Subject, Message }) => `${Subject}\n${Message}`.includes(words));
      return index < 0 ? undefined : unread.splice(index, 1)[0];
    });

  /** Sets for how long the queue keeps an event. The deployed queue does so for half a minute. */
  async function delayEvents(seconds: number): Promise<void> {
    const { QueueUrls = [] } = await sqs().send(new ListQueuesCommand({}));
    const QueueUrl = QueueUrls.find((url) => /NotificationsQueue/.test(url));
    await sqs().send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { DelaySeconds: String(seconds) } }));
  }

  /** Connects the queue with the function, or disconnects it. Events stay in the queue until then. */
  async function deliverEvents(Enabled: boolean): Promise<void> {
    const lambda = new LambdaClient(d.local.clientConfig);
    const { EventSourceMappings: [{ UUID } = {}] = [] } = await lambda.send(new ListEventSourceMappingsCommand({}));
    await lambda.send(new UpdateEventSourceMappingCommand({ UUID, Enabled }));
  }

  /** Disables the deployed schedules, because the time at which they send their messages may be now. */
  async function disableSchedules(): Promise<void> {
    const scheduler = new SchedulerClient(d.local.clientConfig);
    const { Schedules = [] } = await scheduler.send(new ListSchedulesCommand({}));
    for (const { Name, GroupName } of Schedules.filter((each) => each.Name?.includes('Notifications'))) {
      const schedule = await scheduler.send(new GetScheduleCommand({ Name, GroupName }));
      const { ScheduleExpression, FlexibleTimeWindow, Target } = schedule;
      const same = { Name, GroupName, ScheduleExpression, FlexibleTimeWindow, Target };
      await scheduler.send(new UpdateScheduleCommand({ ...same, State: 'DISABLED' }));
      schedules.push(schedule);
    }
  }

  /** Sends what a deployed schedule sends, by a schedule for now with its group and its target. */
  async function atTimeOf(id: 'Reminder' | 'Digest'): Promise<void> {
    const found = schedules.find(({ Name }) => Name?.includes(`Notifications${id}`));
    expect(found?.State).toBe('ENABLED');
    const { Name, GroupName, FlexibleTimeWindow, Target } = found ?? {};
    await new SchedulerClient(d.local.clientConfig).send(
      new CreateScheduleCommand({
        ...{ Name: `${Name}-now`, GroupName, FlexibleTimeWindow, Target, ActionAfterCompletion: 'DELETE' },
        ScheduleExpression: `at(${new Date().toISOString().slice(0, 19)})`,
      }),
    );
  }

  beforeAll(async () => {
    await disableSchedules();
    const { region, accountId } = d.local.aws;
    const arn = `arn:aws:sqs:${region}:${accountId}:operators`;
    const allow = { Effect: 'Allow', Principal: { Service: 'sns.amazonaws.com' }, Action: 'sqs:SendMessage' };
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [{ ...allow, Resource: arn }] });
    inbox =
      (await sqs().send(new CreateQueueCommand({ QueueName: 'operators', Attributes: { Policy } }))).QueueUrl ?? '';
    await new SNSClient(d.local.clientConfig).send(
      new SubscribeCommand({
        TopicArn: d.outputs.NotificationTopic,
        Protocol: 'sqs',
        Endpoint: arn,
      }),
    );
    await delayEvents(0);
  });

  test('a renewal that fails is a message with the command that explains it, its recovery is another one, and between them a reminder is sent daily', async () => {
    const end = d.local.dns.delegate('example.com', ['ns1.old.example']);
    const watched = await run(['renew', 'outside', '--force', '--watch']);
    expect(watched.code).toBe(1);
    expect(watched.out).toMatch(/Check zones\n +failed: ZoneNotDelegatedError\n/);
    end();
    const failure = await received('[Perennial] certificate outside could not be renewed (ZoneNotDelegatedError)');
    expect(failure.Message).toContain('delegates example.com to ns1.old.example');
    const [, args = ''] = /npx cdk-perennial (explain .*)/.exec(failure.Message) ?? [];
    const { code, out } = await run(args.split(' '));
    expect(code).toBe(1);
    expect(out).toContain('failed in Check zones');
    expect(out).toContain('ZoneNotDelegatedError');

    await new DynamoDBClient(d.local.clientConfig).send(
      new UpdateItemCommand({
        TableName: d.outputs.LedgerTable,
        Key: { id: { S: 'notified#failing#outside' } },
        UpdateExpression: 'SET #at = :yesterday',
        ConditionExpression: 'attribute_exists(#at)',
        ExpressionAttributeNames: { '#at': 'at' },
        ExpressionAttributeValues: { ':yesterday': { S: new Date(Date.now() - 86_400_000).toISOString() } },
      }),
    );
    await atTimeOf('Reminder');
    const reminder = await received('[Perennial] Reminder: 1 certificate still needs attention');
    expect(reminder.Message).toContain('delegates example.com to ns1.old.example');

    // A renewal publishes its success before the ledger has it.
    await deliverEvents(false);
    expect((await run(['renew', 'outside', '--force', '--watch'])).code).toBe(0);
    await deliverEvents(true);
    const { Subject } = await received('certificate outside was renewed again');
    expect(Subject).toBe('[Perennial] Solved: certificate outside was renewed again');
  });

  test('an alarm that goes off is a message with its sentence and its section of the runbook, and sets off the composite alarm', async () => {
    const cloudWatch = new CloudWatchClient(d.local.clientConfig);
    const { needsAttention, ...others } = alarmTexts;
    const alarms = () => cloudWatch.send(new DescribeAlarmsCommand({ AlarmTypes: ['MetricAlarm', 'CompositeAlarm'] }));
    const { MetricAlarms, CompositeAlarms } = await alarms();
    expect(MetricAlarms?.map(({ AlarmName }) => AlarmName).toSorted()).toEqual(
      Object.values(others)
        .map(({ name }) => name)
        .toSorted(),
    );
    expect(CompositeAlarms).toMatchObject([{ AlarmName: needsAttention.name, StateValue: 'OK' }]);

    await cloudWatch.send(
      new SetAlarmStateCommand({ AlarmName: 'Perennial not served', StateValue: 'ALARM', StateReason: 'Test' }),
    );
    expect(JSON.parse((await received('Perennial not served')).Message)).toMatchObject({
      NewStateValue: 'ALARM',
      AlarmDescription: expect.stringMatching(
        /^An endpoint presents another certificate .*See the section "Perennial not served" in RUNBOOK\.md\.$/,
      ),
    });
    expect((await alarms()).CompositeAlarms).toMatchObject([{ StateValue: 'ALARM' }]);
  });

  test('drill sends a message by the alarm and one by the event', async () => {
    const { code, out } = await run(['drill']);
    expect(out).toMatch(
      /OK {2}alarm: A message about the alarm "Perennial changed outside" was sent\..*OK {2}event: /s,
    );
    expect(code).toBe(0);
    expect(JSON.parse((await received('Perennial changed outside')).Message)).toMatchObject({
      AlarmName: 'Perennial changed outside',
    });
    const { Message } = await received('cdk-perennial drill');
    expect(Message).toContain('This is a test by "cdk-perennial drill". Nothing has failed.');
  });

  test('its schedule sends the weekly report, with all certificates and the last fleet run', async () => {
    await atTimeOf('Digest');
    const { Message } = await received('[Perennial] Weekly report: 2 certificates, none needs attention');
    expect(Message).toMatch(/Renewed in the last 7 days: 2 \((www, outside|outside, www)\)\./);
    expect(Message).toMatch(/A fleet run last checked all certificates at \d{4}-\d\d-\d\d \d\d:\d\d UTC\.\n/);
  });
});

describe('the logs', () => {
  const logs = () => new CloudWatchLogsClient(d.local.clientConfig);
  let definitions: readonly QueryDefinition[];
  let lines: readonly LogEvent[];

  beforeAll(async () => {
    expect(await d.fleet()).toMatchObject({ status: 'SUCCEEDED' });
    ({ queryDefinitions: definitions = [] } = await logs().send(new DescribeQueryDefinitionsCommand({})));
    const pages: FilterLogEventsCommandOutput[] = [];
    for (const logGroupName of definitions[0]?.logGroupNames ?? [])
      for await (const page of paginateFilterLogEvents({ client: logs() }, { logGroupName })) pages.push(page);
    // The local AWS writes the lines of Lambda itself as text.
    lines = pages
      .flat()
      .flatMap(({ events = [] }) =>
        events.flatMap(({ message = '' }) => (message.startsWith('{') ? [JSON.parse(message) as LogEvent] : [])),
      );
  });

  test('have the lines that the saved queries search for', () => {
    const found = (name: string, example = '', replacement = '') => {
      const { queryString = '' } = definitions.find((each) => each.name?.endsWith(`/${name}`)) ?? {};
      return lines.filter(parseQuery(queryString.replaceAll(example, replacement)).matches);
    };
    const steps = found('By certificate').map(({ step }) => step);
    expect(steps).toEqual(expect.arrayContaining(['checkZones', 'newOrder', 'storeCertificate', 'importCertificate']));
    const [failed] = found('Failures');
    expect(failed).toMatchObject({ certificate: 'outside', error: { name: 'ZoneNotDelegatedError' } });
    const ofExecution = found(
      'By execution',
      'arn:aws:states:REGION:ACCOUNT:execution:NAME',
      String(failed?.execution),
    );
    expect(ofExecution.map(({ step }) => step)).toEqual(expect.arrayContaining(['checkRenewal', 'recordFailure']));
    const order = lines.findLast((line) => line.order)?.order;
    const ofOrder = found('By order', 'https://ca.example/order/1', String(order)).map(({ step }) => step);
    expect(ofOrder).toEqual(expect.arrayContaining(['finalizeOrder', 'storeCertificate']));
    expect(found('Refusals of the CA')).toEqual([]);
  });

  test('have each metric of fleet runs that an alarm watches, with its dimension', async () => {
    const { MetricAlarms = [] } = await new CloudWatchClient(d.local.clientConfig).send(new DescribeAlarmsCommand({}));
    const watched = MetricAlarms.flatMap(({ Metrics = [], ...alarm }) => [
      alarm,
      ...Metrics.flatMap(({ MetricStat }) => MetricStat?.Metric ?? []),
    ]).filter(({ Namespace }) => Namespace === 'Perennial');
    expect(new Set(watched.map(({ MetricName }) => MetricName)).size).toBe(9);
    for (const { MetricName = '', Dimensions = [] } of watched) {
      const [{ Name = '', Value } = {}, ...others] = Dimensions;
      expect(others).toEqual([]);
      const line = lines.find((each) => MetricName in each && each[Name] === Value) as { _aws?: object } | undefined;
      expect(line?._aws, MetricName).toMatchObject({
        CloudWatchMetrics: [
          {
            Namespace: 'Perennial',
            Dimensions: [[Name]],
            Metrics: expect.arrayContaining([expect.objectContaining({ Name: MetricName })]),
          },
        ],
      });
    }
  });
});

describe('commands for operators', () => {
  const issuerName = async () =>
    (JSON.parse((await run(['status', '--json'])).out) as Report).deployment.issuers[0]?.name ?? '';

  test('pause and resume run the accounts workflow, and status shows the pause', async () => {
    const paused = await run(['pause', 'www', '--until', '2099-01-31']);
    expect(paused.code).toBe(0);
    expect(paused.out).toContain('Set pause');
    expect(paused.out).toContain('Renewals of www are paused until 2099-01-31 00:00 UTC');
    expect((await run(['status'])).out.replaceAll(/\s+/g, ' ')).toContain('paused until 2099-01-31 00:00');
    const resumed = await run(['resume', 'www', '--json']);
    expect(JSON.parse(resumed.out)).toMatchObject({ status: 'SUCCEEDED', output: { pausedUntil: null } });
  });

  test('rollover and revoke need a terminal or --yes', async () => {
    const issuer = await issuerName();
    const refused = await run(['rollover', issuer]);
    expect(refused).toMatchObject({ code: 2, out: '' });
    expect(refused.messages).toContain('There is no terminal to ask. Give --yes to confirm.');
    const { code, out } = await run(['rollover', issuer, '--yes']);
    expect(code).toBe(0);
    for (const state of ['Hold fleet lease', 'Roll over key', 'Free fleet lease']) expect(out).toContain(state);
    expect(widest(out.replaceAll(/https:\S+/g, ''))).toBeLessThanOrEqual(80);
  });

  test('revoke replaces the certificate by one with another serial number', async () => {
    const revoked = (await d.ledger('outside')).current?.serialNumber ?? '';
    const { code, out } = await run(['revoke', 'outside', '--reason', 'superseded', '--yes']);
    expect(out.replaceAll(/\s+/g, ' ')).toContain(
      `Revoked the serial number ${revoked}. A renewal replaces it. "npx cdk-perennial explain outside" shows it.`,
    );
    expect(code).toBe(0);
    const replaced = await eventually('The replacement', async () => {
      const { certificates } = JSON.parse((await run(['status', 'outside', '--json'])).out) as Report;
      const [{ current, lease } = { current: null, lease: null }] = certificates;
      return current && current.serialNumber !== revoked && !lease ? current.serialNumber : undefined;
    });
    expect((await run(['explain', 'outside'])).out).toMatch(new RegExp(`serial ${replaced}[^]*outside-revoked-`));
  });

  test('deactivate ends the account, whose key can then not be changed', async () => {
    const issuer = await issuerName();
    const { code, out } = await run(['deactivate', issuer, '--yes']);
    const [, account] = /The account (\S+) is deactivated\./.exec(out.replaceAll(/\s+/g, ' ')) ?? [];
    expect(account).toMatch(/^https:/);
    expect(code).toBe(0);
    expect((await run(['doctor'])).out.replaceAll(/\s+/g, ' ')).toContain(`OK accounts: deactivated at ${issuer}, `);

    const rollover = await run(['rollover', issuer, '--yes']);
    expect(rollover.out).toContain('AccountDoesNotExistError');
    expect(rollover.out).not.toContain('has a new key');
    expect(rollover.code).toBe(1);
  });

  test('plan finds nothing to change right after the deployment of its cloud assembly', async () => {
    const [assembly = ''] = globSync('cdk.out-*', { cwd: d.local.folder });
    const { code, out } = await run(['plan', '--cdk-out', join(d.local.folder, assembly)]);
    expect(out).toContain('No certificate changes.');
    expect(out.replaceAll(/\s+/g, ' ')).toContain('OK ACM in us-east-1: 1 of 2,500 imported certificates, about 12 of');
    expect(code).toBe(0);
  });

  test('doctor checks what renewals need', async () => {
    const { out, messages } = await run(['doctor']);
    expect(messages).toBe('');
    expect(out).toMatch(/^OK {2}credentials: accepted in account \d+\nOK {2}stack: Perennial in us-east-1/);
    for (const check of [
      'fleet',
      'accounts',
      'zones of www, outside',
      'permissions of challenge',
      'ACM in us-east-1',
      'clock',
    ])
      expect(out).toContain(`\nOK  ${check}: `);
    expect(out).not.toMatch(/^(FIX|\?)/m);
    expect(widest(out)).toBeLessThanOrEqual(80);
  });

  test('doctor names a call that a policy denies to the role of a function', async () => {
    const { deployment } = JSON.parse((await run(['status', '--json'])).out) as Report;
    const iam = new IAMClient(d.local.clientConfig);
    const policy = { RoleName: deployment.roles.delivery.split('/').at(-1), PolicyName: 'outside' };
    const Statement = [{ Effect: 'Deny', Action: 'acm:ImportCertificate', Resource: '*' }];
    const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement });
    await iam.send(new PutRolePolicyCommand({ ...policy, PolicyDocument }));
    try {
      const { code, out } = await run(['doctor', '--json']);
      expect(JSON.parse(out)).toEqual(
        expect.arrayContaining([
          expect.objectContaining({ check: 'permissions of challenge', result: 'ok' }),
          expect.objectContaining({ check: 'permissions of certificate', result: 'ok' }),
          expect.objectContaining({
            ...{ check: 'permissions of delivery', result: 'fix' },
            text: expect.stringMatching(/may not call acm:ImportCertificate on arn:\S+, because a policy denies it\./),
          }),
        ]),
      );
      expect(code).toBe(1);
    } finally {
      await iam.send(new DeleteRolePolicyCommand(policy));
    }
  });
});

describe('an unusual end', () => {
  test('of the pipe is no failure', async () => {
    const { code, messages } = await run(['status', 'www'], {}, { onOutput: (child) => child.stdout?.destroy() });
    expect({ code, messages }).toEqual({ code: 0, messages: '' });
  });

  test('by Ctrl-C leaves the renewal running', async () => {
    const execution = /executions\/details\/(\S+)\n/;
    const proceed = await d.local.aws.holdState('Check renewal');
    let interrupted = false;
    const onOutput = (child: ChildProcess, text: string) => {
      if (!interrupted && execution.test(text)) interrupted = child.kill('SIGINT');
    };
    const { code, out, messages } = await run(['renew', 'www', '--watch'], {}, { onOutput });
    await proceed();
    expect(code).toBe(130);
    expect(messages).toContain('Interrupted. The started execution continues.');
    expect(await d.ended(execution.exec(out)?.[1] ?? '')).toMatchObject({ status: 'SUCCEEDED' });
  });
});

test('an older deployed version is noted', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'perennial-cli-'));
  try {
    cpSync(join(program, '..'), folder, { recursive: true });
    const file = join(folder, 'command-line.mjs');
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll(`"${version}"`, '"99.0.0"'));
    const { code, messages } = await run(['status'], {}, { file: join(folder, 'main.mjs') });
    expect(messages).toContain('older than this command line (99.0.0)');
    expect(code).toBe(0);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

describe('a problem is a sentence', () => {
  test('with two stacks in the region', async () => {
    const lambda = new LambdaClient(d.local.clientConfig);
    const { Functions = [] } = await lambda.send(new ListFunctionsCommand({}));
    const other = Functions.find(({ FunctionName }) => FunctionName?.includes('Check'))?.FunctionArn ?? '';
    const before = { 'perennial:stack': 'Perennial' };
    await lambda.send(
      new TagResourceCommand({ Resource: other, Tags: { 'perennial:part': 'report', 'perennial:stack': 'Second' } }),
    );
    try {
      const { code, messages } = await run(['status']);
      expect(messages).toContain('There are 2 stacks with Perennial: Perennial, Second. Choose one with --stack.');
      expect(code).toBe(3);
      expect((await run(['status', '--stack', 'Perennial'])).code).toBe(0);
    } finally {
      await lambda.send(new UntagResourceCommand({ Resource: other, TagKeys: ['perennial:part'] }));
      await lambda.send(new TagResourceCommand({ Resource: other, Tags: before }));
    }
  });

  test('without a deployment in the region', async () => {
    const { code, messages } = await run(['status', '--region', 'eu-north-1']);
    expect(messages).toContain('No stack with Perennial was found in eu-north-1.');
    expect(code).toBe(3);
  });

  test('with the name of a stack that has no Perennial', async () => {
    const { code, messages } = await run(['status', '--stack', 'Other']);
    expect(messages).toContain('The stack Other has no Perennial. These stacks have it: Perennial.');
    expect(code).toBe(3);
  });

  test('without credentials', async () => {
    const none = {
      AWS_ACCESS_KEY_ID: '',
      AWS_SECRET_ACCESS_KEY: '',
      AWS_EC2_METADATA_DISABLED: 'true',
      // No folder can be made below a device, so no process leaves files here.
      HOME: '/dev/null',
    };
    const { code, messages } = await run(['status'], none);
    expect(messages).toContain('No AWS credentials were found.');
    expect(code).toBe(4);
  });

  test('if AWS cannot be reached', async () => {
    const { code, messages } = await run(['status'], { AWS_ENDPOINT_URL: 'http://127.0.0.1:1' });
    expect(messages).toContain('AWS does not answer.');
    expect(code).toBe(4);
  });
});
