import * as z from 'zod/mini';
import type { CertificateFacts, ServedCertificate } from './certificate-facts.ts';
import type { HostedZone, Issuer, KeyType } from './config.ts';
import { InvalidInputError } from './errors.ts';
import type { RenewalAction } from './steps.ts';

// The function `report` answers the command line with these objects. None of them holds a private key, a token or a PEM block.

/** The parts of a deployment that the command line calls. */
export interface Deployment {
  /** Version of the package that was deployed. */
  readonly version: string;
  /** Name of the outermost stack, which is the value of the tag `perennial:stack`. */
  readonly stack: string;
  readonly region: string;
  readonly account: string;
  /** ARNs of the workflows. */
  readonly stateMachines: { readonly fleet: string; readonly renewal: string; readonly accounts: string };
  /** ARNs of the roles of functions whose calls other policies of the account may deny. */
  readonly roles: { readonly challenge: string; readonly certificate: string; readonly delivery: string };
  /** Names of the log groups of the functions and workflows. */
  readonly logGroups: readonly string[];
  /** Prefix of the names of the secrets, such as `certificates/`. */
  readonly secretPrefix: string;
  /** Longest time between two fleet runs, in seconds. */
  readonly checkInterval: number;
  readonly issuers: readonly Pick<Issuer, 'name' | 'directoryUrl' | 'staging' | 'challenges' | 'newOrders'>[];
  readonly hostedZones: readonly HostedZone[];
  /** Root name servers as `address:port`. Empty for those of the Internet. */
  readonly rootServers: readonly string[];
  /** ARN of the topic of the notifications. `null` if there are none. */
  readonly topic: string | null;
}

export interface ReportInput {
  /** Names of the certificates to report. `null` for all. */
  readonly names: readonly string[] | null;
  /** Number of certificates to skip, which is `next` of the page before. 0 for the first page. */
  readonly from: number;
}

const reportInput = z.strictObject({
  names: z._default(z.nullable(z.array(z.string())), null),
  from: z._default(z.int().check(z.nonnegative()), 0),
});

/** Parses the event of the function `report`. Throws `InvalidInputError` for anything else than names and a position. */
export function parseReportInput(event: unknown): ReportInput {
  const result = reportInput.safeParse(event);
  if (result.success) return result.data;
  throw new InvalidInputError({
    what: 'The event of the function report is invalid.',
    remedy: 'Give {"names": ["www"]}, or {"names": null, "from": 0} for all certificates.',
  });
}

/** One page of the report. A reply of Lambda has at most 6 MB. */
export interface ReportOutput {
  readonly deployment: Deployment;
  /** Time of the report, in RFC 3339. */
  readonly at: string;
  /** Time at which a fleet run last selected due certificates, in RFC 3339. `null` if none did. */
  readonly lastSelection: string | null;
  readonly certificates: readonly CertificateReport[];
  /** Requested names that are not configured, and for each the most similar name that is. `null` if none is similar. */
  readonly unknown: readonly { readonly name: string; readonly similar: string | null }[];
  /** Where the next page begins. `null` at the end. */
  readonly next: number | null;
}

/** What an operator has to know about one certificate. */
export interface CertificateReport {
  readonly name: string;
  readonly identifiers: readonly string[];
  /** Target of the CNAME at `_acme-challenge.<name>`, by name. Absent if it is looked up. */
  readonly challengeAliases?: Readonly<Record<string, string>>;
  readonly keyType: KeyType;
  /** Name of the configured issuer. */
  readonly issuer: string;
  readonly profile: string | null;
  /** The certificate in use. `null` if none was issued. */
  readonly current: CertificateFacts | null;
  /** What the next run of the renewal workflow would do, by the ledger alone, and why. */
  readonly action: RenewalAction;
  readonly reason: string;
  /** Time at which the renewal is due, in RFC 3339. `null` if no certificate was issued. */
  readonly renewalTime: string | null;
  /** The window that the CA suggests. RFC 9773 §4.2. `null` if it suggests none. */
  readonly window: { readonly start: string; readonly end: string; readonly explanationUrl: string | null } | null;
  /** The failures since the last success. */
  readonly failure: ReportedFailure | null;
  /** No attempt is made before this time, in RFC 3339. */
  readonly notBefore: string | null;
  /** Time until which the operator has paused renewals, in RFC 3339. `null` if there is no pause. */
  readonly pausedUntil: string | null;
  /** The execution that works on the certificate, and the time at which it began. */
  readonly lease: { readonly execution: string; readonly since: string | null } | null;
  readonly deliveries: readonly ReportedDelivery[];
  /** What each endpoint presents, by the last check of the current certificate. */
  readonly served: readonly ServedCertificate[];
  /** Number of TXT values that are or may be in DNS. */
  readonly leftovers: number;
  /** What an operator has to look at, as sentences. Empty if nothing. */
  readonly attention: readonly string[];
}

export interface ReportedFailure {
  readonly error: string;
  readonly cause: string;
  readonly count: number;
  /** Time of the last failure, in RFC 3339. */
  readonly last: string;
}

export interface ReportedDelivery {
  readonly region: string;
  /** ARN in ACM. `null` if the certificate was not imported into this region. */
  readonly arn: string | null;
  /** Whether ACM has the current version. */
  readonly current: boolean;
}
