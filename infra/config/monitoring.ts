import { z } from 'zod';
import { readFields, readValue, unread } from './fields.ts';
import type { Report } from './mistakes.ts';
import type { AlarmsConfig } from './monitoring-config.ts';

/** The thresholds as they were checked. `undefined` is the default. */
export interface CheckedMonitoring {
  readonly alarms: Readonly<Partial<Record<keyof AlarmsConfig, number | false | undefined>>>;
}

/** Reads the threshold of an alarm, a whole number between these, or `false`. */
const threshold = (what: string, least: number, most: number) => {
  const error = `false, or a whole number of ${what} from ${least} to ${most}`;
  return z.union([z.literal(false), z.int({ error }).min(least, { error }).max(most, { error })], { error }).optional();
};

const count = (what: string) => threshold(what, 1, 1_000_000);

/** CloudWatch evaluates alarms on periods of an hour over a week at most. */
const hoursOfWeek = 7 * 24;

const alarmFields: Readonly<Record<keyof AlarmsConfig, z.ZodType<number | false | undefined>>> = {
  needsAttention: z.literal(false, { error: 'false, or nothing' }).optional(),
  fleetDoesNotRun: threshold('hours', 1, hoursOfWeek),
  fleetFails: count('executions'),
  renewalsFail: count('executions and certificates'),
  lifetimeRunsOut: threshold('percent', 1, 99),
  leaseTooOld: threshold('hours', 1, hoursOfWeek),
  renewalsPostponed: count('certificates'),
  notServed: count('certificates'),
  changedOutside: count('certificates'),
  txtValuesNotRemoved: count('TXT values'),
  functionErrors: count('errors'),
  functionThrottles: count('throttled calls'),
  functionDuration: threshold('percent', 1, 99),
  functionMemory: threshold('percent', 1, 99),
  plumbing: count('failures'),
};

const synonyms = {
  expiry: 'lifetimeRunsOut',
  expires: 'lifetimeRunsOut',
  memory: 'functionMemory',
  duration: 'functionDuration',
};
const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);
const monitoringField = z.custom(isObject, {
  error: 'false, or an object such as { alarms: { notServed: false } }',
});

/** Reads `monitoring`. `false` switches everything off. Mistakes are reported, and the fields with them have their defaults. */
export function readMonitoring(value: unknown, report: Report): CheckedMonitoring | false {
  if (value === false) return false;
  if (value === undefined || readValue(monitoringField, value, 'monitoring', report) === undefined)
    return { alarms: {} };
  const kind = { subject: 'monitoring', fields: { alarms: unread } };
  const alarms = readFields(kind, value, 'monitoring', report)?.alarms;
  if (alarms === undefined) return { alarms: {} };
  const ofAlarms = { subject: 'alarms', fields: alarmFields, synonyms };
  return { alarms: readFields(ofAlarms, alarms, 'monitoring.alarms', report) ?? {} };
}
