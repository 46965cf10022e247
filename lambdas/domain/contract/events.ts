import type { CertificateFacts, LeftoverValue, OutsideChange, ServedCertificate } from './certificate-facts.ts';
import type { ImportCertificateOutput } from './steps.ts';

/** The `source` of all events. They are published on the default event bus of the account and region. */
export const eventSource = 'perennial';

/** The `detail-type` of each event. */
export const detailTypes = {
  renewed: 'Certificate Renewed',
  renewalFailed: 'Certificate Renewal Failed',
  notServed: 'Certificate Not Served',
  cleanUpFailed: 'Certificate Clean-Up Failed',
  changedOutside: 'Certificate Changed Outside Perennial',
  expiring: 'Certificate Expiring',
  renewalPostponed: 'Certificate Renewal Postponed',
  accountRequestFailed: 'Certificate Account Request Failed',
} as const;

/** Any of the detail types. */
export type DetailType = (typeof detailTypes)[keyof typeof detailTypes];

interface EventDetail {
  /** Name of the certificate in the configuration. */
  readonly certificate: string;
  /** ARN of the execution that published the event. */
  readonly execution: string;
}

/**
 * Detail of `Certificate Renewed`: a certificate was stored and delivered. The event may be published twice for one version of the secret.
 */
export interface CertificateRenewed extends EventDetail {
  /** Why the certificate was renewed or delivered, as a phrase. */
  readonly reason: string;
  /** The certificate that is now current. */
  readonly current: CertificateFacts;
  /** One entry for each region whose ACM has the certificate. Regions that failed are in the event `Certificate Renewal Failed`. */
  readonly deliveries: readonly ImportCertificateOutput[];
}

/** Detail of `Certificate Renewal Failed`: an attempt failed. */
export interface CertificateRenewalFailed extends EventDetail {
  /** Number of the attempt in this execution, from 1. */
  readonly attempt: number;
  /** Why the renewal was attempted, as a phrase. It is empty if *Check renewal*, which decides this, has failed. */
  readonly reason: string;
  /** Name of the error, such as `ChallengeFailedError`. */
  readonly error: string;
  /** What failed and why, with the problem that the CA reported. */
  readonly cause: string;
  /** Type of the problem that the CA reported (RFC 8555 §6.7), or `null`. */
  readonly problemType: string | null;
  /** The identifier that the problem is about, or `null`. */
  readonly identifier: string | null;
  /** What the operator has to do, or `null` if nothing: the renewal is retried. */
  readonly action: string | null;
  /** Time of the next attempt, in RFC 3339 and UTC. It is `null` if the renewal is not retried. */
  readonly nextAttempt: string | null;
}

/** Detail of `Certificate Not Served`: endpoints present another certificate, or cannot be reached, half an hour after the delivery or later. */
export interface CertificateNotServed extends EventDetail {
  /** The certificate that the endpoints should present. */
  readonly current: CertificateFacts;
  /** What each endpoint presents. */
  readonly endpoints: readonly ServedCertificate[];
  /** What the operator has to do. */
  readonly action: string;
}

/** Detail of `Certificate Clean-Up Failed`: TXT values of earlier challenges could not be removed from DNS. */
export interface CertificateCleanUpFailed extends EventDetail {
  /** The values, 50 at most. Others are reported another day. */
  readonly values: readonly LeftoverValue[];
  /** What the operator has to do. */
  readonly action: string;
}

/**
 * Detail of `Certificate Changed Outside Perennial`: the daily comparison found that the secret or an import is not as Perennial left it. The event is
 * published at most once a day for each certificate, until nothing differs.
 */
export interface CertificateChangedOutside extends EventDetail {
  /** Everything that differs. */
  readonly changes: readonly OutsideChange[];
}

/**
 * Detail of `Certificate Expiring`: less than 20 % of the lifetime is left, in the secret or in a region of ACM, or a certificate was not issued within
 * a day. The event is published at most once a day for each certificate.
 */
export interface CertificateExpiring extends EventDetail {
  /** ARN of the secret or of the import that expires first. `null` if no certificate was issued. */
  readonly resource: string | null;
  /** Time at which it expires, in RFC 3339 and UTC. `null` if no certificate was issued. */
  readonly notAfter: string | null;
  /** Percentage of its lifetime that is left, from 0 to 20. */
  readonly lifetimeLeft: number;
  /** Name of the error of the last attempt, or `null` if it did not fail. */
  readonly error: string | null;
  /** What the operator has to do. */
  readonly action: string;
}

/**
 * Detail of `Certificate Renewal Postponed`: fleet runs have left a due renewal to the next run for a day, because its CA allows no more orders. The
 * event is published at most once a day for each certificate.
 */
export interface CertificateRenewalPostponed extends EventDetail {
  /** Time of the first fleet run that postponed it, in RFC 3339 and UTC. */
  readonly since: string;
  /** URL of the ACME directory whose limit on new orders postpones it. */
  readonly directoryUrl: string;
  /** Time at which the certificate expires, in RFC 3339 and UTC. `null` if none was issued. */
  readonly notAfter: string | null;
  /** What the operator has to do. */
  readonly action: string;
}

/** Detail of `Certificate Account Request Failed`: a request of the accounts workflow failed. */
export interface CertificateAccountRequestFailed {
  /** The input of the execution, as the caller gave it. It may be anything. */
  readonly request: unknown;
  /** ARN of the execution that published the event. */
  readonly execution: string;
  /** Name of the error, such as `RenewalsInProgressError`. */
  readonly error: string;
  /** What failed and why, with the problem that the CA reported. */
  readonly cause: string;
  /** The issuers where a registration failed, each with the name of the error there. Empty for the other requests. */
  readonly issuers: readonly { readonly issuer: string; readonly error: string }[];
}

/** The type of the detail for each detail type. */
export interface DetailOf {
  readonly 'Certificate Renewed': CertificateRenewed;
  readonly 'Certificate Renewal Failed': CertificateRenewalFailed;
  readonly 'Certificate Not Served': CertificateNotServed;
  readonly 'Certificate Clean-Up Failed': CertificateCleanUpFailed;
  readonly 'Certificate Changed Outside Perennial': CertificateChangedOutside;
  readonly 'Certificate Expiring': CertificateExpiring;
  readonly 'Certificate Renewal Postponed': CertificateRenewalPostponed;
  readonly 'Certificate Account Request Failed': CertificateAccountRequestFailed;
}

/** An event that `parseEvent` has read. `detailType` determines the type of `detail`. */
export type PerennialEvent = {
  readonly [Type in DetailType]: { readonly detailType: Type; readonly detail: DetailOf[Type] };
}[DetailType];

const isText = (value: unknown): boolean => typeof value === 'string';
const isTextOrNull = (value: unknown): boolean => value === null || isText(value);
const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Returns for each member of a detail whether its value is valid. */
const members: {
  readonly [Type in DetailType]: Readonly<Record<keyof DetailOf[Type], (value: unknown) => boolean>>;
} = {
  'Certificate Renewed': {
    certificate: isText,
    execution: isText,
    reason: isText,
    current: isObject,
    deliveries: Array.isArray,
  },
  'Certificate Renewal Failed': {
    certificate: isText,
    execution: isText,
    attempt: Number.isInteger,
    reason: isText,
    error: isText,
    cause: isText,
    problemType: isTextOrNull,
    identifier: isTextOrNull,
    action: isTextOrNull,
    nextAttempt: isTextOrNull,
  },
  'Certificate Not Served': {
    certificate: isText,
    execution: isText,
    current: isObject,
    endpoints: Array.isArray,
    action: isText,
  },
  'Certificate Clean-Up Failed': {
    certificate: isText,
    execution: isText,
    values: Array.isArray,
    action: isText,
  },
  'Certificate Changed Outside Perennial': {
    certificate: isText,
    execution: isText,
    changes: Array.isArray,
  },
  'Certificate Expiring': {
    certificate: isText,
    execution: isText,
    resource: isTextOrNull,
    notAfter: isTextOrNull,
    lifetimeLeft: Number.isFinite,
    error: isTextOrNull,
    action: isText,
  },
  'Certificate Renewal Postponed': {
    certificate: isText,
    execution: isText,
    since: isText,
    directoryUrl: isText,
    notAfter: isTextOrNull,
    action: isText,
  },
  'Certificate Account Request Failed': {
    request: (value) => value !== undefined,
    execution: isText,
    error: isText,
    cause: isText,
    issuers: Array.isArray,
  },
};

/**
 * Parses and checks an event as EventBridge sends it to a Lambda function or a queue. Unknown members of the detail are kept.
 *
 * @throws Error if the event has another source or another detail type, or if a member of the detail is missing or invalid
 *
 * @example
 * export async function handler(event: unknown) {
 *   const { detailType, detail } = parseEvent(event);
 *   if (detailType === 'Certificate Renewed') await reload(detail.current.secretArn);
 * }
 */
export function parseEvent(event: unknown): PerennialEvent {
  const { source, 'detail-type': detailType, detail } = isObject(event) ? (event as Record<string, unknown>) : {};
  if (source !== eventSource || !isDetailType(detailType)) {
    throw new Error(`Expected an event of ${eventSource}, but found ${String(detailType)} of ${String(source)}.`);
  }
  const given = isObject(detail) ? (detail as Record<string, unknown>) : {};
  const wrong = Object.entries(members[detailType]).flatMap(([name, isRight]) => (isRight(given[name]) ? [] : name));
  if (wrong.length > 0)
    throw new Error(`The detail of ${detailType} has missing or invalid members: ${wrong.join(', ')}.`);
  return { detailType, detail } as PerennialEvent;
}

const isDetailType = (value: unknown): value is DetailType =>
  Object.values(detailTypes).some((known) => known === value);
