/**
 * Thresholds of the alarms. A whole number replaces the default threshold, and `false` switches an alarm off. RUNBOOK.md has a section for each alarm.
 */
export interface AlarmsConfig {
  /** The alarm that goes off if any other alarm does. It has no threshold and no action. */
  readonly needsAttention?: false;
  /** Hours in which no fleet run selects due certificates. @default two check intervals and an hour */
  readonly fleetDoesNotRun?: false | number;
  /** Executions of the fleet workflow that failed, timed out, were aborted or were throttled, within a check interval and an hour. @default 1 */
  readonly fleetFails?: false | number;
  /**
   * Executions of the renewal and accounts workflows that failed, timed out or were aborted, within a check interval and an hour, and certificates
   * that have failed for a day.
   *
   * @default 1
   */
  readonly renewalsFail?: false | number;
  /** Percent of its lifetime that a certificate has left. The alarm goes off below it. @default 20 */
  readonly lifetimeRunsOut?: false | number;
  /** Hours for which an execution holds the lease of a certificate. The alarm goes off above it. @default 3 */
  readonly leaseTooOld?: false | number;
  /** Certificates that every run of a day has postponed at least. @default 1 */
  readonly renewalsPostponed?: false | number;
  /** Certificates with an endpoint that does not present them. @default 1 */
  readonly notServed?: false | number;
  /** Certificates that the comparisons of a day found changed or could not compare. @default 1 */
  readonly changedOutside?: false | number;
  /** TXT values that every run of a day has found at least. @default 1 */
  readonly txtValuesNotRemoved?: false | number;
  /** Errors of functions in each ten minutes of an hour. @default 1 */
  readonly functionErrors?: false | number;
  /** Throttled calls of functions in each ten minutes of an hour. @default 1 */
  readonly functionThrottles?: false | number;
  /** Percent of the timeout that a call of a function may take. @default 90 */
  readonly functionDuration?: false | number;
  /** Percent of the memory that a call of a function may use. @default 80 */
  readonly functionMemory?: false | number;
  /** Failures of schedules, rules, events and notifications within a check interval and an hour. @default 1 */
  readonly plumbing?: false | number;
}

/** The alarms and saved queries of a deployment. */
export interface MonitoringConfig {
  /**
   * Thresholds of the alarms.
   *
   * @default every alarm with its default threshold
   */
  readonly alarms?: AlarmsConfig;
}
