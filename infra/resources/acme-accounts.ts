import type { Issuer } from '../../lambdas/domain/contract/config.ts';
import { environment, tags } from '../../lambdas/domain/contract/environment.ts';
import type { WorkflowFunction } from '../workflows/workflow-function.ts';
import { grantKey } from './encryption.ts';
import { SecretNamespace } from './secret-namespace.ts';

/** The accounts at the CAs, RFC 8555 §7.1.2: one secret a directory, made by the first order. */
export class AcmeAccounts extends SecretNamespace {
  protected readonly prefixVariable = environment.accountSecretPrefix;
  protected readonly tagKeys = [tags.stack];

  /**
   * Signs as the account. By name and not by tag: a secret that is not there has no tag, and Secrets Manager would refuse where
   * it has to say that there is none.
   */
  grantUse(grantee: WorkflowFunction): void {
    this.grant(grantee, ['secretsmanager:GetSecretValue']);
    grantKey(grantee, this.props.encryptionKey, 'secretsmanager', 'read');
  }

  /** Makes the account where there is none, signs as it, and changes its key. */
  grantRegister(grantee: WorkflowFunction): void {
    this.grantUse(grantee);
    this.grantMake(grantee, ['secretsmanager:PutSecretValue', 'secretsmanager:UpdateSecretVersionStage']);
  }

  /** Reads the external account bindings that an operator stored: of exactly these secrets. RFC 8555 §7.3.4 */
  grantExternalAccountBindings(
    grantee: WorkflowFunction,
    issuers: readonly Pick<Issuer, 'externalAccountBinding'>[],
  ): void {
    const resources = issuers.flatMap(({ externalAccountBinding }) => externalAccountBinding ?? []);
    if (resources.length > 0) grantee.allow({ actions: ['secretsmanager:GetSecretValue'], resources });
  }
}
