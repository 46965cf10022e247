import type { AlarmsConfig } from '../config/monitoring-config.ts';

/** Key of an alarm in `monitoring.alarms` and in `alarms` of the construct. */
export type AlarmId = keyof AlarmsConfig;

/** The sentences of an alarm. An operator reads them in its message. */
export interface AlarmText {
  /** Name of the alarm, and the title of its section in RUNBOOK.md. */
  readonly name: string;
  /** The problem, in one or two sentences. */
  readonly wrong: string;
  /** The first step of the operator. */
  readonly remedy: string;
}

/** The alarms, in the order of RUNBOOK.md. */
export const alarmTexts: Readonly<Record<AlarmId, AlarmText>> = {
  needsAttention: {
    name: 'Perennial needs attention',
    wrong: 'At least one other alarm of Perennial has gone off.',
    remedy: 'Look in CloudWatch which alarm it is, and read its section.',
  },
  fleetDoesNotRun: {
    name: 'Perennial fleet does not run',
    wrong: 'No fleet run has selected the due certificates in time. No certificate is checked or renewed.',
    remedy:
      'Find out with "npx cdk-perennial doctor" whether the schedule is missing or a run makes no progress, and start the fleet workflow by hand.',
  },
  fleetFails: {
    name: 'Perennial fleet fails',
    wrong: 'An execution of the fleet workflow has failed, timed out, was aborted or was throttled.',
    remedy: 'See with "npx cdk-perennial doctor" how the last run has ended, and read the error and the cause.',
  },
  renewalsFail: {
    name: 'Perennial renewals fail',
    wrong:
      'An execution of the renewal workflow or of the accounts workflow has failed, timed out or was aborted, or a certificate has been failing for a day. The current certificates stay in use.',
    remedy: 'See with "npx cdk-perennial status" which certificate fails, and do what the cause says.',
  },
  lifetimeRunsOut: {
    name: 'Perennial lifetime runs out',
    wrong:
      'A certificate in Secrets Manager or in ACM has less of its lifetime left than it should, or was not issued within a day.',
    remedy: 'See with "npx cdk-perennial status" which certificate it is, and renew it.',
  },
  leaseTooOld: {
    name: 'Perennial lease too old',
    wrong: 'An execution has worked on one certificate for too long. No other execution can renew this certificate.',
    remedy:
      'See with "npx cdk-perennial status" which certificate it is, and stop its execution if that makes no progress.',
  },
  renewalsPostponed: {
    name: 'Perennial renewals postponed',
    wrong: 'For a day, fleet runs have left due certificates to the next run, because of the limits of a CA.',
    remedy:
      'See with "npx cdk-perennial status" which ones, compare their number with the limits of the CA, and ask it for higher ones.',
  },
  notServed: {
    name: 'Perennial not served',
    wrong: 'An endpoint presents another certificate than the stored one, or cannot be reached.',
    remedy:
      'See with "npx cdk-perennial status" which certificate it is, and with its name added what each endpoint presents. Reload or repair that server.',
  },
  changedOutside: {
    name: 'Perennial changed outside',
    wrong: 'The daily comparison found a secret or an import that another writer has changed, or could not compare it.',
    remedy: 'See with "npx cdk-perennial status" what has changed and what to do, and find out who made the change.',
  },
  txtValuesNotRemoved: {
    name: 'Perennial TXT values not removed',
    wrong: 'For a day, TXT values of earlier challenges have been in DNS that could not be removed.',
    remedy:
      'See with "npx cdk-perennial status" which certificate it is. Fix the access to the hosted zone, or remove the values that the event "Certificate Clean-Up Failed" lists.',
  },
  functionErrors: {
    name: 'Perennial function errors',
    wrong: 'Functions have failed in each ten minutes of an hour.',
    remedy: 'Find the errors with the saved query "Failures" of CloudWatch Logs.',
  },
  functionThrottles: {
    name: 'Perennial function throttles',
    wrong: 'Lambda has throttled functions in each ten minutes of an hour, so renewals take longer or fail.',
    remedy: 'Raise the concurrency limit of the account, or set a lower pace.',
  },
  functionDuration: {
    name: 'Perennial function duration',
    wrong: 'A call of a function took nearly as long as its timeout.',
    remedy: 'Find the function in the graph of the alarm, and read its log.',
  },
  functionMemory: {
    name: 'Perennial function memory',
    wrong: 'A call of a function used nearly all of its memory.',
    remedy: 'Ask the logs how much memory each function has used, and divide the certificates among stacks.',
  },
  plumbing: {
    name: 'Perennial plumbing',
    wrong:
      'A schedule or a rule could not start its target, an event could not be published, or a notification could not be handled.',
    remedy: 'Find the metric in the graph of the alarm, and check the permissions of that part.',
  },
};
