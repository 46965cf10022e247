import { InvokeCommand, LambdaClient, type LambdaClientConfig } from '@aws-sdk/client-lambda';
import {
  GetResourcesCommand,
  ResourceGroupsTaggingAPIClient,
  type ResourceTagMapping,
} from '@aws-sdk/client-resource-groups-tagging-api';
import { tags } from '../../../domain/contract/environment.ts';
import { UnexpectedError } from '../../../domain/contract/errors.ts';
import type { ReportOutput } from '../../../domain/contract/report.ts';
import type { Deployments, FoundDeployment } from '../../../domain/ports/deployments.ts';
import { clientSettings } from '../client.ts';
import { replyOf } from '../translate-errors.ts';

/** Pages of 100 functions that are read. One account has few deployments. */
const mostPages = 10;

/** Finds deployments by the tags of their function `report`, and calls it. The settings are those of the operator: region and credentials. */
export function createDeployments(settings: Pick<LambdaClientConfig, 'region' | 'profile'>): Deployments {
  const tagging = new ResourceGroupsTaggingAPIClient({ ...clientSettings, ...settings });
  // A report of 5,000 certificates takes some seconds.
  const lambda = new LambdaClient({
    ...clientSettings,
    ...settings,
    requestHandler: { ...clientSettings.requestHandler, requestTimeout: 65_000 },
  });
  return {
    async list() {
      const found: FoundDeployment[] = [];
      let token: string | undefined;
      for (let page = 0; page < mostPages; page += 1) {
        const reply = await replyOf(
          { action: 'tag:GetResources', resource: 'Lambda functions' },
          tagging.send(
            new GetResourcesCommand({
              ResourceTypeFilters: ['lambda:function'],
              TagFilters: [{ Key: tags.part, Values: ['report'] }],
              ...(token && { PaginationToken: token }),
            }),
          ),
        );
        found.push(...(reply.ResourceTagMappingList ?? []).flatMap(deploymentOf));
        token = reply.PaginationToken;
        if (!token) break;
      }
      return found;
    },

    async report(arn, input) {
      const { FunctionError, Payload } = await replyOf(
        { action: 'lambda:InvokeFunction', resource: `function ${arn}` },
        lambda.send(new InvokeCommand({ FunctionName: arn, Payload: JSON.stringify(input) })),
      );
      const reply = JSON.parse(Payload?.transformToString() || 'null') as ReportOutput & { errorMessage?: string };
      if (FunctionError === undefined) return reply;
      throw new UnexpectedError({
        what: `The function ${arn} failed.`,
        why: reply.errorMessage ?? FunctionError,
        remedy: 'See its log.',
      });
    },
  };
}

function deploymentOf({ ResourceARN, Tags }: ResourceTagMapping): FoundDeployment[] {
  const stack = Tags?.find(({ Key }) => Key === tags.stack)?.Value;
  return ResourceARN && stack ? [{ report: ResourceARN, stack }] : [];
}
