import type { CertificateFacts, ServedCertificate } from './certificate-facts.ts';
import type { ImportCertificateOutput } from './steps.ts';

/** Source of every event of ours, on the account's default event bus. */
export const eventSource = 'perennial';

/** Detail types, by what has happened. */
export const detailTypes = {
  renewed: 'Certificate Renewed',
  renewalFailed: 'Certificate Renewal Failed',
  notServed: 'Certificate Not Served',
} as const;
export type DetailType = (typeof detailTypes)[keyof typeof detailTypes];

interface EventDetail {
  /** Name of the certificate. */
  readonly certificate: string;
  /** ARN of the execution that tells it. */
  readonly execution: string;
}

/** A certificate is stored and delivered: after a renewal, and when a delivery was made up for. */
export interface CertificateRenewed extends EventDetail {
  /** Why it was renewed or delivered, in words. */
  readonly reason: string;
  readonly current: CertificateFacts;
  /** One for each region that has it: where some refuse it, that comes as `Certificate Renewal Failed` besides. */
  readonly deliveries: readonly ImportCertificateOutput[];
}

/** An attempt failed. */
export interface CertificateRenewalFailed extends EventDetail {
  /** 1 for the first of an execution. */
  readonly attempt: number;
  /** Why a renewal was tried, in words. */
  readonly reason: string;
  /** Name of the error, such as `ChallengeFailedError`. */
  readonly error: string;
  /** A sentence, with the CA's own problem where there is one. */
  readonly cause: string;
  /** RFC 8555 §6.7 */
  readonly problemType: string | null;
  /** The identifier that the problem is about. */
  readonly identifier: string | null;
  /** What a person has to do; `null`: nothing, it is tried again. */
  readonly action: string | null;
  /** RFC 3339. */
  readonly nextTry: string | null;
}

/** Renewed, and servers still show another certificate. */
export interface CertificateNotServed extends EventDetail {
  readonly current: CertificateFacts;
  readonly endpoints: readonly ServedCertificate[];
  /** What a person has to do. */
  readonly action: string;
}

export interface DetailOf {
  readonly 'Certificate Renewed': CertificateRenewed;
  readonly 'Certificate Renewal Failed': CertificateRenewalFailed;
  readonly 'Certificate Not Served': CertificateNotServed;
}

/** One of our events; `detailType` says which detail it has. */
export type PerennialEvent = {
  readonly [Type in DetailType]: { readonly detailType: Type; readonly detail: DetailOf[Type] };
}[DetailType];

const isText = (value: unknown): boolean => typeof value === 'string';
const isTextOrNull = (value: unknown): boolean => value === null || isText(value);
const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);

/** What each member of a detail has to be. */
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
    nextTry: isTextOrNull,
  },
  'Certificate Not Served': {
    certificate: isText,
    execution: isText,
    current: isObject,
    endpoints: Array.isArray,
    action: isText,
  },
};

/**
 * An event as EventBridge hands it to a Lambda function or a queue: checked, typed. Members that are not known stay.
 *
 * @throws Error when it is not one of ours, or not whole
 */
export function parseEvent(event: unknown): PerennialEvent {
  const { source, 'detail-type': detailType, detail } = isObject(event) ? (event as Record<string, unknown>) : {};
  if (source !== eventSource || !isDetailType(detailType)) {
    throw new Error(`Expected an event of ${eventSource}, and found ${String(detailType)} of ${String(source)}.`);
  }
  const given = isObject(detail) ? (detail as Record<string, unknown>) : {};
  const wrong = Object.entries(members[detailType]).flatMap(([name, isRight]) => (isRight(given[name]) ? [] : name));
  if (wrong.length > 0) throw new Error(`In the detail of ${detailType}, not as expected: ${wrong.join(', ')}.`);
  return { detailType, detail } as PerennialEvent;
}

const isDetailType = (value: unknown): value is DetailType =>
  Object.values(detailTypes).some((known) => known === value);
