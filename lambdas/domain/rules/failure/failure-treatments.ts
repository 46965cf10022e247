import type * as errors from '../../contract/errors.ts';

export type ErrorName = Exclude<keyof typeof errors, 'PerennialError'>;

/** How one class of error is met. `rules/retry-ladder.ts` acts on it. */
export interface Treatment {
  /** A failure of the certificate: kept, and a rung of its ladder. */
  readonly counted: boolean;
  /** Not the operator's to mend, and another issuer may do better. */
  readonly issuersFault?: boolean;
  /** Only a person can mend it: what to do. It is tried once a day. */
  readonly action?: (subject: { readonly names: string; readonly link: string | null }) => string;
  /** The first rung is tried before a person is called. */
  readonly firstRung?: boolean;
  /** Its problem may say when it is worth trying again. */
  readonly told?: boolean;
  /** The registered type of its problem says more than its class. */
  readonly byProblem?: boolean;
  /** Tried again in a second. */
  readonly atOnce?: boolean;
  /** Not tried again by this execution. */
  readonly ends?: boolean;
  /** The saved order leads nowhere: at once, when it failed so again, or when there is no time left to wait for it. */
  readonly orderUseless?: 'always' | 'again' | 'emergency';
}

const uncounted: Treatment = { counted: false };
const ours: Treatment = { counted: true };
const issuers: Treatment = { counted: true, issuersFault: true };
const person = (action: Treatment['action'] | string): Treatment => ({
  counted: true,
  action: typeof action === 'string' ? () => action : action,
});

/** Every class, so that a new one does not compile until somebody has said what it means. */
export const treatments: Readonly<Record<ErrorName, Treatment>> = {
  InvalidInputError: person('Start the renewal with an input such as {"certificate": "www"}.'),
  UnknownCertificateError: person('Check the name, or deploy the configuration that has the certificate.'),
  UnknownIssuerError: person('Check the name, or deploy the configuration that has the issuer.'),
  SecretNotOursError: person('Rename or delete the secret, or give the certificate another name.'),
  SecretDeletedError: person('Restore the secret, or take the certificate out of the configuration.'),
  UnreadableSecretError: person(
    "Put the secret's current version right, or delete the secret: the certificate is then issued anew.",
  ),

  // Told a time by our own memory, not by the CA.
  IssueCapError: { counted: true, told: true },
  ValidationLimitError: { counted: true, told: true },
  LeaseLostError: { ...uncounted, ends: true },

  AcmeProblemError: { ...issuers, byProblem: true },
  RateLimitedError: { ...issuers, told: true },
  CaUnavailableError: { ...issuers, told: true },
  MalformedError: issuers,
  UnauthorizedError: issuers,
  OrderNotReadyError: issuers,
  AlreadyReplacedError: issuers,
  NoDnsChallengeError: issuers,
  ChallengeFailedError: { ...issuers, byProblem: true },
  OrderInvalidError: { ...issuers, byProblem: true, told: true },
  // Stuck for ever it may outlive a certificate of six days: Let's Encrypt's orders live for seven.
  OrderTimeoutError: { ...issuers, orderUseless: 'emergency' },
  CertificateMismatchError: { ...issuers, orderUseless: 'again' },

  CaaError: person(
    ({ names }) =>
      `See that the CAA records of ${names}, or of the domain above it, allow this CA: add a record for it, or take away the one that stops it.`,
  ),
  RejectedIdentifierError: person(({ names }) => `Take ${names} out of the certificate, or ask the CA why it refuses.`),
  UnsupportedIdentifierError: person(({ names }) => `Take ${names} out of the certificate: this CA has no such type.`),
  BadCsrError: person('Choose a key type and identifiers that this CA issues for.'),
  UserActionRequiredError: person(
    ({ link }) => `Do what the CA asks for${link ? ` at ${link}` : ''}, as a rule agree to its changed terms.`,
  ),
  InvalidProfileError: person('Choose a profile that the CA offers, or none.'),
  ExternalAccountRequiredError: person('Give the issuer the ARN of a secret with its external account binding.'),
  ExternalAccountBindingError: person(
    'Put a binding that is valid and unused into the secret of the issuer; some CAs take each one once.',
  ),
  TermsNotAgreedError: person('Read the terms of service of the CA and set termsOfServiceAgreed.'),
  AccountDoesNotExistError: person('Delete the account secret of this directory: a new account is then made.'),
  AccountPausedError: person(
    ({ link }) =>
      `Mend why the proofs failed, then end the pause${link ? ` at ${link}` : " at the link in the CA's answer"}. The link's token is ` +
      'left out here, and the CA sends it whole with each refused order; with the account secret deleted, a new account begins unpaused.',
  ),
  KeyRolloverUnsupportedError: person(
    'Delete the account secret to begin with a new account: this CA changes no keys.',
  ),
  RenewalsInProgressError: { ...uncounted, ends: true },

  ZoneNotFoundError: person('Configure the hosted zone of the identifier, and delegate it at the parent domain.'),
  ZoneNotDelegatedError: person(
    'Put the NS records right as the message says, or configure the hosted zone that is in use.',
  ),
  ChallengeAliasError: person(
    'Put the CNAME right as the message says, or configure the hosted zone that it leads into.',
  ),
  // As for AccessDeniedError: a role and its policies need some seconds before they hold everywhere.
  RoleNotAssumedError: {
    ...person(
      "See that the role exists and trusts the challenge function's role, with the external id that is configured.",
    ),
    firstRung: true,
  },
  RecordSetRefusedError: person('Remove what stands in the place of the TXT record, or delegate its name elsewhere.'),
  DnsLookupError: ours,
  RecordSetContentionError: ours,
  PropagationTimeoutError: ours,

  OrderSharedError: { ...uncounted, atOnce: true, orderUseless: 'always' },
  // Its order leads to a certificate that nobody may trust; a new order gets a new key.
  CompromisedKeyError: { ...uncounted, atOnce: true, orderUseless: 'always' },
  StagedKeyMissingError: { ...ours, orderUseless: 'always' },
  // Who may read the secret has nothing to do with the renewal: that is not held back, and no other issuer is asked.
  SecretAccessError: {
    ...person('Correct readers or replicas of the certificate, or the KMS key that they need.'),
    counted: false,
  },
  ImportRefusedError: person(
    'Mend what the message names (the key type, the issuer, a tag policy), or deliver to no ACM region.',
  ),
  ImportLimitError: person('Delete certificates that are not in use, or ask AWS for a higher ACM quota.'),

  ThrottledError: uncounted,
  AccessDeniedError: {
    ...person(
      'Allow the call that the message names: role, permissions boundary, organization, resource or key policy.',
    ),
    firstRung: true,
  },
  StepTimedOutError: ours,
  UnexpectedError: ours,
  FleetCheckError: ours,
};
