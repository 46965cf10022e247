import { ACMClient, ListCertificatesCommand } from '@aws-sdk/client-acm';
import { GetAccountSettingsCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { ListSchedulesCommand, SchedulerClient } from '@aws-sdk/client-scheduler';
import { GetServiceQuotaCommand, ServiceQuotasClient } from '@aws-sdk/client-service-quotas';
import { ListSubscriptionsByTopicCommand, SNSClient } from '@aws-sdk/client-sns';
import { keyTypes } from '../../domain/contract/config.ts';
import type { AcmQuota, OperatorChecks } from '../../domain/ports/operator-checks.ts';
import { clientSettings } from './client.ts';
import { replyOf } from './translate-errors.ts';

/** Pages of 100 schedules or subscriptions, and of 1,000 certificates. */
const mostPages = 20;

/** Key types of ACM, without which ListCertificates lists RSA 2048 only. */
const acmKeyTypes = {
  'P-256': 'EC_prime256v1',
  'P-384': 'EC_secp384r1',
  'RSA-2048': 'RSA_2048',
  'RSA-3072': 'RSA_3072',
  'RSA-4096': 'RSA_4096',
} as const;

/** Codes of Service Quotas, which has them in the addresses of its console. */
const quotaCodes: Readonly<Record<AcmQuota, string>> = { certificates: 'L-D2CB7DE9', yearlyImports: 'L-3808DC70' };

/** Asks AWS with the operator's region and credentials. */
export function createOperatorChecks(operator: {
  readonly region?: string;
  readonly profile?: string;
}): OperatorChecks {
  const settings = { ...clientSettings, ...operator };
  return {
    async scheduleOf(stateMachineArn) {
      const scheduler = new SchedulerClient(settings);
      let token: string | undefined;
      for (let page = 0; page < mostPages; page += 1) {
        const reply = await replyOf(
          { action: 'scheduler:ListSchedules', resource: 'schedules' },
          scheduler.send(new ListSchedulesCommand({ ...(token && { NextToken: token }) })),
        );
        const found = reply.Schedules?.find(({ Target }) => Target?.Arn === stateMachineArn);
        if (found)
          return { name: `${found.GroupName ?? 'default'}/${found.Name ?? ''}`, enabled: found.State !== 'DISABLED' };
        token = reply.NextToken;
        if (!token) break;
      }
      return null;
    },

    async subscriptions(topic) {
      const sns = new SNSClient(settings);
      const pending: string[] = [];
      let confirmed = 0;
      let token: string | undefined;
      for (let page = 0; page < mostPages; page += 1) {
        const reply = await replyOf(
          { action: 'sns:ListSubscriptionsByTopic', resource: `topic ${topic}` },
          sns.send(new ListSubscriptionsByTopicCommand({ TopicArn: topic, ...(token && { NextToken: token }) })),
        );
        for (const { SubscriptionArn = '', Endpoint = '' } of reply.Subscriptions ?? [])
          if (SubscriptionArn.startsWith('arn:')) confirmed += 1;
          else pending.push(Endpoint);
        token = reply.NextToken;
        if (!token) break;
      }
      return { confirmed, pending };
    },

    async concurrency() {
      const { AccountLimit } = await replyOf(
        { action: 'lambda:GetAccountSettings', resource: 'the account' },
        new LambdaClient(settings).send(new GetAccountSettingsCommand({})),
      );
      return AccountLimit?.ConcurrentExecutions ?? 0;
    },

    async importedCertificates(region) {
      const acm = new ACMClient({ ...settings, ...(region && { region }) });
      let count = 0;
      let token: string | undefined;
      for (let page = 0; page < mostPages; page += 1) {
        const reply = await replyOf(
          { action: 'acm:ListCertificates', resource: 'certificates of ACM' },
          acm.send(
            new ListCertificatesCommand({
              MaxItems: 1000,
              Includes: { keyTypes: keyTypes.map((each) => acmKeyTypes[each]) },
              ...(token && { NextToken: token }),
            }),
          ),
        );
        count += reply.CertificateSummaryList?.filter(({ Type }) => Type === 'IMPORTED').length ?? 0;
        token = reply.NextToken;
        if (!token) break;
      }
      return count;
    },

    async acmQuota(quota, region) {
      const reply = await replyOf(
        { action: 'servicequotas:GetServiceQuota', resource: 'quotas of ACM' },
        new ServiceQuotasClient({ ...settings, ...(region && { region }) }).send(
          new GetServiceQuotaCommand({ ServiceCode: 'acm', QuotaCode: quotaCodes[quota] }),
        ),
        { NoSuchResourceException: () => null },
      );
      return reply?.Quota?.Value ?? null;
    },
  };
}
