import {
  CreateRoleCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  IAMClient,
  PutRolePolicyCommand,
} from '@aws-sdk/client-iam';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { inAccount } from '../../local/deploy.ts';
import type { LocalEnvironment } from '../../local/environment.ts';
import { allow } from './stack.ts';

/** Of the readers. */
export const otherAccount = '111122223333';

const policy = (...Statement: object[]) => JSON.stringify({ Version: '2012-10-17', Statement });
const roleArn = (name: string) => `arn:aws:iam::${otherAccount}:role/${name}`;

/** A role of another account that may read every secret as far as that account goes, and credentials of a session of it. */
export async function newReader(local: LocalEnvironment, RoleName: string) {
  const { clientConfig } = inAccount(local, otherAccount);
  const trust = {
    Effect: 'Allow',
    Principal: { AWS: `arn:aws:iam::${otherAccount}:root` },
    Action: 'sts:AssumeRole',
  };
  const iam = new IAMClient(clientConfig);
  await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: policy(trust) }));
  const PolicyDocument = policy(allow('secretsmanager:*'));
  await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'p', PolicyDocument }));
  const { Credentials: given } = await new STSClient(clientConfig).send(
    new AssumeRoleCommand({ RoleArn: roleArn(RoleName), RoleSessionName: 'test' }),
  );
  const credentials = {
    accessKeyId: given?.AccessKeyId ?? '',
    secretAccessKey: given?.SecretAccessKey ?? '',
    sessionToken: given?.SessionToken ?? '',
  };
  return { arn: roleArn(RoleName), credentials };
}

export async function deleteReader(local: LocalEnvironment, RoleName: string): Promise<void> {
  const iam = new IAMClient(inAccount(local, otherAccount).clientConfig);
  await iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName: 'p' }));
  await iam.send(new DeleteRoleCommand({ RoleName }));
}
