import { Annotations, Stack, Token } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';

const cloudWatch = 'cloudwatch.amazonaws.com';

/**
 * Lets CloudWatch alarms of this account publish to the topic, and use its KMS key. Without the key an alarm changes its state and no message arrives. A
 * topic or a key of another app cannot be changed, so a warning says what its policy has to allow.
 * https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services
 */
export function letAlarmsPublish(scope: Construct, topic: ITopic): void {
  const { account } = Stack.of(scope);
  const ofThisAccount = { StringEquals: { 'aws:SourceAccount': account } };
  const publish = topic.addToResourcePolicy(
    new PolicyStatement({
      sid: 'CloudWatchAlarms',
      principals: [new ServicePrincipal(cloudWatch)],
      actions: ['sns:Publish'],
      resources: [topic.topicArn],
      conditions: ofThisAccount,
    }),
  );
  if (!publish.statementAdded)
    Annotations.of(scope).addInfoV2(
      'perennial:topicPolicy',
      `notifications.topic: the topic is not part of this app. Its policy has to let alarms of this account publish, as the default policy does, and otherwise has to allow ${cloudWatch} the action sns:Publish. If it is encrypted with a KMS key, the key policy has to allow ${cloudWatch} the actions kms:Decrypt and kms:GenerateDataKey*.`,
    );
  const { masterKey } = topic;
  if (!masterKey) return;
  const statement = (id: string) => ({
    Sid: 'CloudWatchAlarms',
    Effect: 'Allow',
    Principal: { Service: cloudWatch },
    Action: ['kms:Decrypt', 'kms:GenerateDataKey*'],
    Resource: '*',
    Condition: { StringEquals: { 'aws:SourceAccount': id } },
  });
  const use = masterKey.addToResourcePolicy(PolicyStatement.fromJson(statement(account)));
  if (!use.statementAdded)
    Annotations.of(scope).addWarningV2(
      'perennial:topicKeyPolicy',
      `notifications: the KMS key of the topic is not part of this app, and without its permission no alarm arrives. Add this statement to its policy: ${JSON.stringify(statement(Token.isUnresolved(account) ? 'the id of this account' : account))}`,
    );
}
