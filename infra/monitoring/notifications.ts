import { Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { Match, Rule } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { EventSourceMapping, type IFunction } from 'aws-cdk-lib/aws-lambda';
import { Schedule, ScheduleExpression, ScheduleGroup, ScheduleTargetInput } from 'aws-cdk-lib/aws-scheduler';
import { SqsSendMessage } from 'aws-cdk-lib/aws-scheduler-targets';
import { type ITopic, Subscription, SubscriptionProtocol, Topic } from 'aws-cdk-lib/aws-sns';
import { type IQueue, Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { environment } from '../../lambdas/domain/contract/environment.ts';
import { eventSource } from '../../lambdas/domain/contract/events.ts';
import { notifiedDetailTypes, scheduleMessage } from '../../lambdas/domain/contract/notification.ts';
import type { CheckedNotifications } from '../config/notifications.ts';
import type { Ledger } from '../resources/ledger.ts';
import { executionArn } from '../workflows/workflow.ts';
import { WorkflowFunction } from '../workflows/workflow-function.ts';
import { letAlarmsPublish } from './alarm-topic.ts';

/** The parts of the notifications of a `CertificateRenewal`. */
export interface NotificationParts {
  /** The topic. CloudWatch alarms of this account may publish to it. */
  readonly topic: ITopic;
  /** The function that decides what to publish. */
  readonly function: IFunction;
  /** The queue of events that the function could not handle. It should be empty. */
  readonly deadLetters: IQueue;
}

export interface NotificationsProps extends CheckedNotifications {
  /** Names of the workflows whose events are sent on. */
  readonly workflows: readonly string[];
  readonly ledger: Ledger;
  /** Contents of the files beside the bundle. */
  readonly files: Readonly<Record<string, string>>;
  /** Value of the tag `perennial:stack`, by which the command line finds the deployment. */
  readonly stackTag: string;
  readonly encryptionKey: IKey | undefined;
}

/**
 * Timeout of the function. It waits for its turn for two and a half minutes. Reading the items of 100,000 certificates takes a minute, and writing
 * those of 5,000 problems takes another.
 */
const timeout = Duration.minutes(5);

/** Time for which an event stays in the queue at least. Step Functions publishes an event a moment before it records the result in the ledger. */
const delay = Duration.seconds(30);

/**
 * Times in UTC. On Mondays the digest takes the place of the reminder. A week begins with SUN, and AWS documents no range beyond its end.
 * https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
 */
const schedules = {
  reminder: ScheduleExpression.cron({ minute: '0', hour: '8', weekDay: 'SUN,TUE-SAT' }),
  digest: ScheduleExpression.cron({ minute: '0', hour: '8', weekDay: 'MON' }),
} as const;

/**
 * Notifies operators of what they have to fix. The events of this deployment and the messages of two schedules get into a queue, and the function
 * `notification` decides by the ledger what to publish. So many events within a minute are one message.
 */
export class Notifications extends Construct implements NotificationParts {
  readonly topic: ITopic;
  readonly function: IFunction;
  readonly deadLetters: Queue;
  readonly workflowFunction: WorkflowFunction;
  readonly scheduleGroup: ScheduleGroup;
  readonly rule: Rule;
  private readonly queue: Queue;

  constructor(scope: Construct, id: string, props: NotificationsProps) {
    super(scope, id);
    const { email, encryptionKey, ledger, files, stackTag, workflows } = props;
    this.topic = props.topic ?? this.newTopic(encryptionKey);
    letAlarmsPublish(this, this.topic);
    for (const address of email) this.subscribe(address);

    this.deadLetters = new Queue(this, 'DeadLetters', { enforceSSL: true, retentionPeriod: Duration.days(14) });
    Validations.of(this.deadLetters).acknowledge({
      id: 'Serverless-SQSRedrivePolicy',
      reason: 'This is the dead-letter queue.',
    });
    this.queue = new Queue(this, 'Queue', {
      enforceSSL: true,
      deliveryDelay: delay,
      // AWS recommends six times the timeout of the function. https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
      visibilityTimeout: Duration.seconds(6 * timeout.toSeconds()),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: 5 },
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const notification = new WorkflowFunction(this, 'Notification', {
      folder: 'notification',
      timeout,
      description: 'Notifies operators of what they have to fix',
      files,
    });
    this.workflowFunction = notification;
    this.function = notification.function;
    notification.addEnvironment(environment.stackTag, stackTag);
    ledger.grantNotifications(notification);
    this.grantPublish(notification);
    this.callWithQueue(notification);
    this.rule = this.sendEvents(workflows);
    // By default the group stays when the stack is deleted or its first deployment fails. Its name would then block the next deployment.
    this.scheduleGroup = new ScheduleGroup(this, 'Schedules', { removalPolicy: RemovalPolicy.DESTROY });
    this.sendSchedules(this.scheduleGroup);
  }

  /** Without a customer's key the topic is not encrypted, because CloudWatch alarms cannot use the key of SNS that AWS manages. */
  private newTopic(encryptionKey: IKey | undefined): Topic {
    return new Topic(this, 'Topic', {
      displayName: 'Perennial',
      enforceSSL: true,
      ...(encryptionKey && { masterKey: encryptionKey }),
    });
  }

  /** The id is the address, so that another order of the addresses does not replace subscriptions, which would have to be confirmed again. */
  private subscribe(address: string): void {
    const subscription = new Subscription(this, `Email ${address}`, {
      topic: this.topic,
      protocol: SubscriptionProtocol.EMAIL,
      endpoint: address,
    });
    Validations.of(subscription).acknowledge({
      id: 'Serverless-SNSRedrivePolicy',
      reason: 'SNS retries an e-mail, and the daily reminder repeats what is still open.',
    });
  }

  private grantPublish(notification: WorkflowFunction): void {
    notification.addEnvironment(environment.topic, this.topic.topicArn);
    notification.allow({ actions: ['sns:Publish'], resources: [this.topic.topicArn] });
    const { masterKey } = this.topic;
    if (!masterKey) return;
    // https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
    notification.allow({
      actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
      resources: [masterKey.keyArn],
      conditions: { StringEquals: { 'kms:ViaService': `sns.${Stack.of(this).region}.amazonaws.com` } },
    });
  }

  private callWithQueue(notification: WorkflowFunction): void {
    const { queueArn } = this.queue;
    notification.allow({
      actions: ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'],
      resources: [queueArn],
    });
    const mapping = new EventSourceMapping(this, 'Mapping', {
      target: notification.function,
      eventSourceArn: queueArn,
      batchSize: 1000,
      maxBatchingWindow: Duration.minutes(1),
      // The least that Lambda allows. The function itself lets one invocation work at a time.
      maxConcurrency: 2,
      reportBatchItemFailures: true,
    });
    Validations.of(mapping).acknowledge({
      id: 'Serverless-LambdaEventSourceMappingDestination',
      reason: 'The queue has a dead-letter queue. Lambda has no destination of its own for a queue.',
    });
  }

  /** The executions in the events tell those of this deployment from those of others in this account and region. */
  private sendEvents(workflows: readonly string[]): Rule {
    return new Rule(this, 'Rule', {
      description: 'Sends the events of this deployment to the notifications',
      eventPattern: {
        source: [eventSource],
        detailType: [...notifiedDetailTypes],
        detail: { execution: Match.anyOf(...workflows.map((name) => Match.prefix(executionArn(this, name, '')))) },
      },
      targets: [new SqsQueue(this.queue, { deadLetterQueue: this.deadLetters })],
    });
  }

  private sendSchedules(group: ScheduleGroup): void {
    const role = new Role(this, 'ScheduleRole', {
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
        conditions: {
          StringEquals: { 'aws:SourceAccount': Stack.of(this).account, 'aws:SourceArn': group.scheduleGroupArn },
        },
      }),
    });
    for (const [name, schedule] of Object.entries(schedules) as [keyof typeof schedules, ScheduleExpression][])
      new Schedule(this, name === 'digest' ? 'Digest' : 'Reminder', {
        description: `Asks for the ${name} of the notifications`,
        schedule,
        scheduleGroup: group,
        target: new SqsSendMessage(this.queue, {
          role,
          input: ScheduleTargetInput.fromObject(scheduleMessage(name)),
          // A report that is hours late is of no use.
          maxEventAge: Duration.hours(6),
          retryAttempts: 10,
        }),
      });
  }
}
