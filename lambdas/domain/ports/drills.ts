import type { CertificateAccountRequestFailed } from '../contract/events.ts';

/** What `drill` does with the operator's own credentials. */
export interface Drills {
  /** Returns the names of alarms that publish to this topic. */
  alarmsOf(topic: string): Promise<readonly string[]>;
  /** Sets an alarm to ALARM. CloudWatch sets its real state again at the next evaluation. */
  setAlarm(name: string, reason: string): Promise<void>;
  /** Publishes an event as the accounts workflow does after a request that failed. */
  publish(detail: CertificateAccountRequestFailed): Promise<void>;
}
