import { CfnOutput, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { CertificateRenewal } from './certificate-renewal.ts';

/** Adds the outputs that an operator needs to a stack. The construct itself makes none, because their ids could be those of the user's constructs. */
export function addOutputs(scope: Construct, renewal: CertificateRenewal): void {
  const outputs = {
    FleetArn: renewal.fleet.stateMachineArn,
    RenewalArn: renewal.renewal.stateMachineArn,
    AccountsArn: renewal.accounts.stateMachineArn,
    StartRenewal: `aws stepfunctions start-execution --state-machine-arn ${renewal.renewal.stateMachineArn} --region ${Stack.of(renewal).region} --name ${renewal.certificateNames[0]}-$(date +%s) --input '{"certificate":"${renewal.certificateNames[0]}"}'`,
    ChallengeRoleArn: renewal.challengeRole.roleArn,
    Caa: renewal.caa,
    LedgerTable: renewal.ledgerTable.tableName,
    SecretPrefix: renewal.secretPrefix,
    ...(renewal.notifications && { NotificationTopic: renewal.notifications.topic.topicArn }),
    ...Object.fromEntries(
      Object.entries(renewal.logGroups).map(([part, { logGroupName }]) => [`${upperFirst(part)}Logs`, logGroupName]),
    ),
  };
  for (const [id, value] of Object.entries(outputs)) new CfnOutput(scope, id, { value });
}

const upperFirst = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);
