import type { Construct } from 'constructs';
import { environment } from '../lambdas/domain/contract/environment.ts';
import type { CheckedConfig } from './config/check-config.ts';
import type { RenewalFunctions } from './renewal-functions.ts';
import { AcmDelivery } from './resources/acm-delivery.ts';
import { AcmeAccounts } from './resources/acme-accounts.ts';
import { CertificateSecrets } from './resources/certificate-secrets.ts';
import { ChallengeZones } from './resources/challenge-zones.ts';
import { Ledger, type LedgerProps } from './resources/ledger.ts';
import type { RuntimeTags } from './resources/runtime-tags.ts';
import { executionArn } from './workflows/workflow.ts';
import type { WorkflowFunction } from './workflows/workflow-function.ts';

interface GrantProps extends LedgerProps {
  /** Value of the tag `perennial:stack`. */
  readonly stackTag: string;
  readonly runtimeTags: RuntimeTags;
}

/** Creates the resources, and grants each function access to those that it uses. */
export function grantResources(
  scope: Construct,
  { fleet, check, order, challenge, certificate, delivery, report }: RenewalFunctions,
  { deployed, bindingKeys, secretPrefix, accountSecretPrefix, rootServers }: CheckedConfig,
  { stackTag, runtimeTags, encryptionKey, removalPolicy }: GrantProps,
): Ledger {
  runtimeTags.pass(fleet, check, order, certificate, delivery);

  const ledger = new Ledger(scope, 'Ledger', { encryptionKey, removalPolicy });
  ledger.grantFleet(fleet);
  ledger.grantCheck(check);
  ledger.grantOrder(order);
  ledger.grantCertificate(certificate);
  ledger.grantDelivery(delivery);
  ledger.grantReadInBatches(report);

  const zones = new ChallengeZones(scope, 'ChallengeZones', deployed.hostedZones);
  zones.grantChallenges(challenge);
  if (rootServers.length > 0) challenge.addEnvironment(environment.rootServers, rootServers.join());

  const secrets = new CertificateSecrets(scope, 'CertificateSecrets', {
    prefix: secretPrefix,
    stackTag,
    tags: runtimeTags,
    encryptionKey,
  });
  for (const reader of [check, fleet]) secrets.grantDescribe(reader);
  secrets.grantWrite(certificate);
  secrets.grantShare(certificate, deployed.certificates);
  secrets.grantRead(delivery);

  const accounts = new AcmeAccounts(scope, 'AcmeAccounts', {
    prefix: accountSecretPrefix,
    stackTag,
    tags: runtimeTags,
    encryptionKey,
  });
  accounts.grantRegister(order);
  accounts.grantExternalAccountBindings(order, deployed.issuers, bindingKeys);
  accounts.grantUse(certificate);

  const regions = [...new Set(deployed.certificates.flatMap((each) => each.regions))];
  const acm = new AcmDelivery(scope, 'AcmDelivery', { regions, stackTag, tags: runtimeTags });
  acm.grantImport(delivery);
  acm.grantRead(fleet);
  return ledger;
}

/**
 * Allows checking whether the execution that holds a lease is still running. Renewals, revocations and fleet runs take leases. The workflows are
 * given by name, because they are created after their functions.
 */
export function grantExecutions(
  scope: Construct,
  grantee: WorkflowFunction,
  stateMachineNames: readonly string[],
): void {
  grantee.allow(
    {
      actions: ['states:DescribeExecution'],
      resources: stateMachineNames.map((stateMachineName) => executionArn(scope, stateMachineName, '*')),
    },
    'Executions of the workflows of this stack only. Their names are not known.',
  );
}
