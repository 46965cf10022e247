/** What `doctor` and `plan` ask AWS with the operator's own credentials. */
export interface OperatorChecks {
  /** Returns the schedule that starts this workflow, or `null` if there is none. */
  scheduleOf(stateMachineArn: string): Promise<{ readonly name: string; readonly enabled: boolean } | null>;
  /** Returns how many subscriptions of a topic are confirmed, and the endpoints of those that are not. */
  subscriptions(topic: string): Promise<{ readonly confirmed: number; readonly pending: readonly string[] }>;
  /** Returns how many functions the account may run at once in this region. */
  concurrency(): Promise<number>;
  /** Returns the number of imported certificates in ACM of a region, by default that of the credentials. */
  importedCertificates(region: string | undefined): Promise<number>;
  /** Returns a quota of the account in a region. `null` if Service Quotas does not know it. */
  acmQuota(quota: AcmQuota, region: string | undefined): Promise<number | null>;
}

/** Quotas of ACM: imported certificates at the same time, and imports in 365 days. */
export type AcmQuota = 'certificates' | 'yearlyImports';
