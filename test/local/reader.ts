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

/** Account of the readers. */
export const otherAccount = '111122223333';

const policy = (...Statement: object[]) => JSON.stringify({ Version: '2012-10-17', Statement });
const roleArn = (name: string) => `arn:aws:iam::${otherAccount}:role/${name}`;

/** Creates a role in another account that allows every action on secrets. @returns its ARN, and the credentials of a session */
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
