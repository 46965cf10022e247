import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Issuer } from '../../lambdas/domain/contract/config.ts';
import { environment, tags } from '../../lambdas/domain/contract/environment.ts';
import type { WorkflowFunction } from '../workflows/workflow-function.ts';
import { grantKeyForSecrets } from './key-grants.ts';
import { SecretNamespace } from './secret-namespace.ts';
import { taggedByStack } from './stack-tag.ts';

/** The secrets of the accounts at the CAs, RFC 8555 §7.1.2. There is one secret for each directory, and the first order creates it. */
export class AcmeAccounts extends SecretNamespace {
  protected readonly prefixVariable = environment.accountSecretPrefix;
  protected readonly tagKeys = [tags.stack];

  /**
   * Allows signing with the key of the account. The value can be read only if the secret has the tag of this stack. The functions describe the secret
   * first, without a condition, because Secrets Manager would deny a missing secret instead of reporting that it does not exist.
   */
  grantUse(grantee: WorkflowFunction): void {
    this.grant(grantee, ['secretsmanager:DescribeSecret']);
    this.grant(grantee, ['secretsmanager:GetSecretValue'], taggedByStack('aws:ResourceTag', this.props.stackTag));
    grantKeyForSecrets(grantee, this.props.encryptionKey, 'read', [this.arn]);
  }

  /** Allows registering an account, signing with its key, and changing the key. */
  grantRegister(grantee: WorkflowFunction): void {
    this.grantUse(grantee);
    this.grantCreate(grantee, ['secretsmanager:PutSecretValue', 'secretsmanager:UpdateSecretVersionStage']);
  }

  /**
   * Allows reading the secrets with external account bindings that the operator stored, and no other secrets, and decrypting them with
   * their keys and with the key of the stack's secrets.
   * RFC 8555 §7.3.4
   */
  grantExternalAccountBindings(
    grantee: WorkflowFunction,
    issuers: readonly Pick<Issuer, 'externalAccountBinding'>[],
    keys: ReadonlySet<IKey>,
  ): void {
    const resources = issuers.flatMap(({ externalAccountBinding }) => externalAccountBinding ?? []);
    const actions = ['secretsmanager:GetSecretValue', 'secretsmanager:DescribeSecret'];
    if (resources.length > 0) grantee.allow({ actions, resources });
    const { encryptionKey } = this.props;
    for (const key of new Set([...keys, ...(encryptionKey ? [encryptionKey] : [])]))
      grantKeyForSecrets(grantee, key, 'read', resources);
  }
}
