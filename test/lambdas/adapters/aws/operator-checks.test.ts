import { ACMClient, ListCertificatesCommand } from '@aws-sdk/client-acm';
import { GetAccountSettingsCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { ListSchedulesCommand, SchedulerClient } from '@aws-sdk/client-scheduler';
import { GetServiceQuotaCommand, ServiceQuotasClient } from '@aws-sdk/client-service-quotas';
import { ListSubscriptionsByTopicCommand, SNSClient } from '@aws-sdk/client-sns';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, test } from 'vitest';
import { createOperatorChecks } from '../../../../lambdas/adapters/aws/operator-checks.ts';
import { awsError } from './aws-error.ts';

const [acm, lambda, quotas, scheduler, sns] = [
  mockClient(ACMClient),
  mockClient(LambdaClient),
  mockClient(ServiceQuotasClient),
  mockClient(SchedulerClient),
  mockClient(SNSClient),
] as const;
const checks = createOperatorChecks({ region: 'eu-west-1' });

beforeEach(() => {
  for (const each of [acm, lambda, quotas, scheduler, sns]) each.reset();
});

describe('the schedule of a workflow', () => {
  const schedule = { GroupName: 'group', Name: 'fleet', Target: { Arn: 'arn:fleet' } };

  test.each(['ENABLED', 'DISABLED'] as const)('is found on a later page, with its state %s', async (State) => {
    scheduler
      .on(ListSchedulesCommand)
      .resolvesOnce({ Schedules: [{ ...schedule, Target: { Arn: 'arn:other' } }], NextToken: '1' })
      .resolvesOnce({ Schedules: [{ ...schedule, State }] });
    expect(await checks.scheduleOf('arn:fleet')).toEqual({ name: 'group/fleet', enabled: State === 'ENABLED' });
  });

  test('is null if there is none, and a denied call names its action', async () => {
    scheduler.on(ListSchedulesCommand).resolvesOnce({ Schedules: [] });
    expect(await checks.scheduleOf('arn:fleet')).toBeNull();
    scheduler.on(ListSchedulesCommand).rejects(awsError('AccessDeniedException'));
    await expect(checks.scheduleOf('arn:fleet')).rejects.toMatchObject({
      fields: { action: 'scheduler:ListSchedules' },
    });
  });
});

test('subscriptions of a topic are confirmed or pending, on all pages', async () => {
  sns
    .on(ListSubscriptionsByTopicCommand)
    .resolvesOnce({ Subscriptions: [{ SubscriptionArn: 'arn:aws:sns:1', Endpoint: 'a@example.com' }], NextToken: '1' })
    .resolvesOnce({ Subscriptions: [{ SubscriptionArn: 'PendingConfirmation', Endpoint: 'b@example.com' }] });
  expect(await checks.subscriptions('arn:topic')).toEqual({ confirmed: 1, pending: ['b@example.com'] });
});

test('the concurrency is that of the account', async () => {
  lambda.on(GetAccountSettingsCommand).resolves({ AccountLimit: { ConcurrentExecutions: 10 } });
  expect(await checks.concurrency()).toBe(10);
});

test('imported certificates of ACM are counted over all pages and key types', async () => {
  acm
    .on(ListCertificatesCommand)
    .resolvesOnce({ CertificateSummaryList: [{ Type: 'IMPORTED' }, { Type: 'AMAZON_ISSUED' }], NextToken: '1' })
    .resolvesOnce({ CertificateSummaryList: [{ Type: 'IMPORTED' }] });
  expect(await checks.importedCertificates('us-east-1')).toBe(2);
  expect(acm.commandCalls(ListCertificatesCommand)[0]?.args[0].input.Includes?.keyTypes).toHaveLength(5);
});

describe('a quota of ACM', () => {
  test('is that of the account', async () => {
    quotas
      .on(GetServiceQuotaCommand, { ServiceCode: 'acm', QuotaCode: 'L-3808DC70' })
      .resolves({ Quota: { Value: 20 } });
    expect(await checks.acmQuota('yearlyImports', 'us-east-1')).toBe(20);
  });

  test('is null if Service Quotas does not know it, and a denied call names its action', async () => {
    quotas.on(GetServiceQuotaCommand).rejects(awsError('NoSuchResourceException'));
    expect(await checks.acmQuota('certificates', undefined)).toBeNull();
    quotas.on(GetServiceQuotaCommand).rejects(awsError('AccessDeniedException'));
    await expect(checks.acmQuota('certificates', undefined)).rejects.toMatchObject({
      fields: { action: 'servicequotas:GetServiceQuota' },
    });
  });
});
