import { isIP, isIPv4, isIPv6 } from 'node:net';
import { RemovalPolicy } from 'aws-cdk-lib';
import { z } from 'zod';
import { encryptionKeyArn } from './encryption-key.ts';
import { list, text, unread } from './fields.ts';
import { pace } from './pace.ts';
import { schedule } from './schedule.ts';
import { secretPrefix } from './secret-prefix.ts';
import { elsewhere } from './synonyms.ts';

/** The fields of a config file. */
export const configFields = {
  issuer: unread,
  fallbackIssuers: list('a list of issuers').default([]),
  hostedZones: list('a list of hosted zones').default([]),
  certificates: list('a list of certificates').min(1, { error: 'at least one certificate' }),
  secretPrefix,
  schedule,
  pace,
  notifications: unread,
  monitoring: unread,
  encryptionKey: encryptionKeyArn,
  tags: unread,
  rootServers: list('a list of addresses such as "192.0.2.53" or "192.0.2.53:5353"').default([]),
};

/** Reads `removalPolicy` of a construct. */
export const removalPolicy = z
  .enum([RemovalPolicy.RETAIN, RemovalPolicy.DESTROY], { error: 'RemovalPolicy.RETAIN or RemovalPolicy.DESTROY' })
  .optional();

const alarmsBelong = 'alarms are in monitoring, such as monitoring: { alarms: { lifetimeRunsOut: 10 } }';
const namesBelong = 'names are the identifiers of a certificate, such as { name: "www", identifiers: ["example.com"] }';

/** Names that a caller may try for a field, with the right name or a sentence. */
export const configSynonyms = {
  ...elsewhere,
  alarm: alarmsBelong,
  alarms: alarmsBelong,
  domain: namesBelong,
  domains: namesBelong,
  domainname: namesBelong,
  identifiers: namesBelong,
  names: namesBelong,
  alerts: 'notifications',
  kmskey: 'encryptionKey',
  notification: 'notifications',
  notify: 'notifications',
  prefix: 'secretPrefix',
  zones: 'hostedZones',
};

const address = 'an address such as "192.0.2.53" or "[2001:db8::53]:5353"';
/** Returns whether a text is an IP address, or one with a port. An IPv6 address with a port is in brackets. */
function isServer(value: string): boolean {
  const [, v4 = '', v6 = '', port] = /^(?:([\d.]+)|\[(.+)\]):(\d{1,5})$/.exec(value) ?? [];
  return isIP(value) !== 0 || ((isIPv4(v4) || isIPv6(v6)) && Number(port) >= 1 && Number(port) <= 65_535);
}

/** Reads one of `rootServers`. */
export const rootServer = text(/./, address).refine(isServer, { error: address });
