import { Stack, Tags } from 'aws-cdk-lib';
import { environment, tags } from '../lambdas/domain/contract/environment.ts';
import type { Deployment } from '../lambdas/domain/contract/report.ts';
import type { CertificateRenewal } from './certificate-renewal.ts';
import type { RenewalFunctions } from './renewal-functions.ts';

/**
 * Gives the function `report` the description of this deployment that it returns to the command line. Tags the functions and the workflows, so that
 * the command line finds them.
 */
export function describeDeployment(
  renewal: CertificateRenewal,
  { report, challenge, certificate, delivery }: RenewalFunctions,
  rootServers: readonly string[],
): void {
  const { account, region } = Stack.of(renewal);
  // The function knows the rest from its bundle and its configuration.
  const deployment: Omit<Deployment, 'version' | 'checkInterval' | 'issuers' | 'hostedZones'> = {
    stack: renewal.ownershipTag,
    account,
    region,
    stateMachines: {
      fleet: renewal.fleet.stateMachineArn,
      renewal: renewal.renewal.stateMachineArn,
      accounts: renewal.accounts.stateMachineArn,
    },
    logGroups: Object.values(renewal.logGroups).map(({ logGroupName }) => logGroupName),
    secretPrefix: renewal.secretPrefix,
    rootServers,
    topic: renewal.notifications?.topic.topicArn ?? null,
    roles: {
      challenge: challenge.role.roleArn,
      certificate: certificate.role.roleArn,
      delivery: delivery.role.roleArn,
    },
  };
  report.addEnvironment(environment.deployment, Stack.of(renewal).toJsonString(deployment));
  Tags.of(report.function).add(tags.part, 'report');
  const tagged = { includeResourceTypes: ['AWS::Lambda::Function', 'AWS::StepFunctions::StateMachine'] };
  Tags.of(renewal).add(tags.stack, renewal.ownershipTag, tagged);
  // A tag has at most 256 characters, and a prefix may have 401.
  Tags.of(renewal).add(tags.secrets, renewal.secretPrefix.slice(0, 256), tagged);
}
