import { Duration, Stack } from 'aws-cdk-lib';
import { environment } from '../lambdas/domain/contract/environment.ts';
import type { CheckedConfig } from './config/check-config.ts';
import { defaultSecretPrefix } from './config/secret-prefix.ts';
import { serializeConfig } from './config/serialize-config.ts';
import { Alarms, type AlarmsProps } from './monitoring/alarms.ts';
import { Notifications, type NotificationsProps } from './monitoring/notifications.ts';
import type { RenewalMetrics } from './monitoring/renewal-metrics.ts';

/** Creates the notifications, if they are configured. Their function reads the configuration as the functions of the workflows do. */
export function makeNotifications(
  scope: RenewalMetrics,
  { deployed, tokens, notifications }: CheckedConfig,
  props: Pick<NotificationsProps, 'ledger' | 'encryptionKey' | 'workflows' | 'stackTag'>,
): Notifications | undefined {
  if (!notifications) return undefined;
  const files = { 'config.json': serializeConfig(deployed).json };
  const made = new Notifications(scope, 'Notifications', { ...notifications, ...props, files });
  made.workflowFunction.addEnvironment(environment.configTokens, Stack.of(scope).toJsonString(tokens));
  return made;
}

/** What the alarms watch. The parts of the notifications are added to it. */
interface AlarmParts extends Pick<AlarmsProps, 'workflows' | 'functions' | 'scheduleGroups' | 'rules'> {
  readonly notifications: Notifications | undefined;
}

/** Creates the alarms, unless monitoring is switched off. */
export function makeAlarms(
  scope: RenewalMetrics,
  { monitoring, deployed, secretPrefix }: CheckedConfig,
  { notifications, ...parts }: AlarmParts,
): Alarms['alarms'] {
  if (!monitoring) return {};
  const interval = Duration.seconds(deployed.checkInterval);
  // A name is unique in an account and region, and so is the prefix.
  const nameSuffix = secretPrefix === defaultSecretPrefix ? '' : ` (${scope.deploymentName})`;
  const watched = notifications && {
    functions: [...parts.functions, notifications.workflowFunction],
    scheduleGroups: [...parts.scheduleGroups, notifications.scheduleGroup],
    rules: [...parts.rules, notifications.rule],
    deadLetters: [notifications.deadLetters],
    topic: notifications.topic,
  };
  const props = { ...monitoring, ...parts, metrics: scope, interval, nameSuffix };
  return new Alarms(scope, 'Alarms', { ...props, deadLetters: [], ...watched }).alarms;
}
