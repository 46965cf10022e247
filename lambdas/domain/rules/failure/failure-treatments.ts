import type * as errors from '../../contract/errors.ts';
import { deleteSecretCommands } from './delete-secret.ts';

export type ErrorName = Exclude<keyof typeof errors, 'PerennialError'>;

/** How one error class is handled. `retry-schedule.ts` applies it. */
export interface Treatment {
  /** The error is a failure of the certificate. The ledger counts it, and it advances the retry schedule. */
  readonly counted: boolean;
  /** The operator cannot fix it, and another issuer may succeed. */
  readonly issuersFault?: boolean;
  /** What the operator has to do. Only the operator can fix the error, so it is retried once a day. */
  readonly action?: (subject: { readonly names: string; readonly link: string | null }) => string;
  /** The first retry runs before the operator is notified. */
  readonly retryFirst?: boolean;
  /** A limit of a CA or of our own, or a CA that is down. A new configuration or a deployment does not end the delay. */
  readonly limit?: true;
  /** The problem document may have a Retry-After. */
  readonly mayHaveRetryAfter?: boolean;
  /** The registered type of the problem document decides, not the class. */
  readonly byProblem?: boolean;
  /** The retry comes after one second. */
  readonly retryAtOnce?: boolean;
  /** No event is published, because it is no failure. */
  readonly unannounced?: true;
  /** This execution does not retry. */
  readonly endsExecution?: boolean;
  /** When the saved order is dropped: always, when it fails again in the same way, or in an emergency. */
  readonly dropsOrder?: 'always' | 'again' | 'emergency';
}

const uncounted: Treatment = { counted: false };
const counted: Treatment = { counted: true };
const issuersFault: Treatment = { counted: true, issuersFault: true };
const forOperator = (action: Treatment['action'] | string): Treatment => ({
  counted: true,
  action: typeof action === 'string' ? () => action : action,
});

const wholeLink =
  'The query of a link may be a token and is not shown here. The action accountLink of the accounts workflow returns the whole link.';

const deleteAccount = deleteSecretCommands('SECRET');

/** The treatment of every error class. A new class does not compile without one. */
export const treatments: Readonly<Record<ErrorName, Treatment>> = {
  InvalidInputError: forOperator('Start the renewal with an input such as {"certificate": "www"}.'),
  UnknownCertificateError: forOperator('Check the name, or deploy the configuration that has the certificate.'),
  UnknownIssuerError: forOperator('Check the name, or deploy the configuration that has the issuer.'),
  SecretNotOwnedError: forOperator(
    'Find out who created the secret. Delete it with the command in the message, or give the certificate another name.',
  ),
  SecretDeletedError: forOperator('Restore the secret, or take the certificate out of the configuration.'),
  SecretReplicaError: forOperator('End the replication of the secret to this region with the command in the message.'),
  UnreadableSecretError: forOperator(
    'Start the renewal with force, which stores a new certificate. For the secret of an account, run the command in the message.',
  ),

  // The retry time comes from the ledger, not from the CA.
  IssueCapError: { counted: true, limit: true, mayHaveRetryAfter: true },
  ValidationLimitError: { counted: true, limit: true, mayHaveRetryAfter: true },
  SameNamesTimeoutError: counted,
  LeaseLostError: { ...uncounted, endsExecution: true },
  // The restart rule starts a new execution.
  FunctionsReplacedError: { ...uncounted, endsExecution: true, unannounced: true },

  AcmeProblemError: { ...issuersFault, byProblem: true },
  RateLimitedError: { ...issuersFault, limit: true, mayHaveRetryAfter: true },
  CaUnavailableError: { ...issuersFault, limit: true, mayHaveRetryAfter: true },
  CaBusyError: { ...issuersFault, limit: true, mayHaveRetryAfter: true },
  MalformedError: issuersFault,
  UnauthorizedError: issuersFault,
  OrderNotReadyError: issuersFault,
  AlreadyReplacedError: issuersFault,
  NoDnsChallengeError: issuersFault,
  ChallengeFailedError: { ...issuersFault, byProblem: true },
  OrderInvalidError: { ...issuersFault, byProblem: true, mayHaveRetryAfter: true },
  // A stuck order may live longer than a certificate of six days, because Let's Encrypt's orders live for seven.
  OrderTimeoutError: { ...issuersFault, dropsOrder: 'emergency' },
  CertificateMismatchError: { ...issuersFault, dropsOrder: 'again' },

  CaaError: forOperator(
    ({ names }) => `Change the CAA records of ${names}, or of its parent domain, so that they allow this CA.`,
  ),
  RejectedIdentifierError: forOperator(
    ({ names }) => `Remove ${names} from the certificate, or ask the CA for its reason.`,
  ),
  UnsupportedIdentifierError: forOperator(
    ({ names }) => `Remove ${names} from the certificate. This CA does not support the identifier type.`,
  ),
  BadCsrError: forOperator('Choose a key type and identifiers that this CA issues for.'),
  UserActionRequiredError: forOperator(
    ({ link }) =>
      `Do what the CA asks for${link ? ` at ${link}` : ''}. Usually the operator has to agree to new terms. ${wholeLink}`,
  ),
  InvalidProfileError: forOperator('Choose a profile that the CA offers, or none.'),
  ExternalAccountRequiredError: forOperator('Give the issuer the ARN of a secret with its external account binding.'),
  ExternalAccountBindingError: forOperator(
    'Put a valid and unused binding into the secret of the issuer. Some CAs accept each binding once.',
  ),
  ContactRefusedError: forOperator(
    'Give the issuer a contact that the CA accepts, which is an e-mail address that receives mail, and deploy.',
  ),
  TermsNotAgreedError: forOperator('Read the terms of service of the CA and set termsOfServiceAgreed.'),
  AccountDoesNotExistError: forOperator(
    `Delete the account secret of this directory with ${deleteAccount}. A new account is then registered.`,
  ),
  AccountNotValidError: forOperator(
    `Find out who deactivated or revoked the account. Then delete its secret with ${deleteAccount}. A new account is then registered.`,
  ),
  AccountKeyUnknownError: forOperator(
    'Find out who changed the account secret, and restore its earlier version. If you stored the key, do what the message says.',
  ),
  AccountPausedError: {
    ...forOperator(
      ({ link }) =>
        `Fix the cause of the failed validations, then end the pause${link ? ` at ${link}` : ' at the link of the CA'}. ${wholeLink} ` +
        `As another way, delete the account secret with ${deleteAccount}. A new account is not paused.`,
    ),
    limit: true,
  },
  KeyRolloverUnsupportedError: forOperator(
    `Delete the account secret with ${deleteAccount} to register a new account. This CA does not change account keys.`,
  ),
  RenewalsInProgressError: { ...uncounted, endsExecution: true },

  ZoneNotFoundError: forOperator('Configure the hosted zone of the identifier, and delegate it at the parent domain.'),
  ZoneNotDelegatedError: forOperator(
    'Correct the NS records as the message says, or configure the hosted zone that is in use.',
  ),
  ChallengeAliasError: forOperator(
    'Correct the CNAME as the message says, or configure the hosted zone of its target.',
  ),
  // Changes of a role and its policies take some seconds to reach all of IAM, as for AccessDeniedError.
  RoleNotAssumedError: {
    ...forOperator(
      'Check that the role exists and trusts the role of the challenge function with the configured external id.',
    ),
    retryFirst: true,
  },
  RecordSetRefusedError: forOperator(
    'Remove the record set that is in place of the TXT record, or delegate its name with a CNAME.',
  ),
  DnsLookupError: counted,
  RecordSetContentionError: counted,
  PropagationTimeoutError: counted,

  OrderSharedError: { ...uncounted, retryAtOnce: true, dropsOrder: 'always' },
  // The order would give a certificate with a compromised key. A new order gets a new key.
  CompromisedKeyError: { ...uncounted, retryAtOnce: true, dropsOrder: 'always' },
  UnrevokedCertificateError: forOperator(
    'Look for the certificate in a certificate transparency log, and revoke it with its key.',
  ),
  StagedKeyMissingError: { ...counted, dropsOrder: 'always' },
  // Sharing the secret is separate from the renewal, so the renewal is not delayed and the issuer is not changed.
  SecretAccessError: {
    ...forOperator('Correct readers or replicas of the certificate, or the KMS key that they need.'),
    counted: false,
  },
  ImportRefusedError: forOperator(
    'Fix what the message names (the key type, the issuer or a tag policy), or remove the ACM region.',
  ),
  ImportLimitError: forOperator('Delete certificates that are not in use, or ask AWS for a higher ACM quota.'),

  // The steps have retried in place for two hours. The next fleet run continues.
  ThrottledError: { ...uncounted, endsExecution: true, unannounced: true },
  AccessDeniedError: {
    ...forOperator(
      'Allow the call that the message names in the role, permissions boundary, SCP, resource policy or key policy.',
    ),
    retryFirst: true,
  },
  AwsRefusedError: { ...forOperator('Do what the message says.'), retryFirst: true },
  RegionUnavailableError: forOperator(
    'Enable the region in the account, or remove it from the configuration of the certificate.',
  ),
  StepTimedOutError: counted,
  UnexpectedError: counted,
  FleetCheckError: counted,
};
