import type { Reach } from './allowed-addresses.ts';

/**
 * IPv4 addresses of a.root-servers.net to m.root-servers.net. https://www.iana.org/domains/root/servers, where b changed last, in
 * November 2023. One that is moved one day costs a second: the next is asked.
 */
const internet = [
  '198.41.0.4',
  '170.247.170.2',
  '192.33.4.12',
  '199.7.91.13',
  '192.203.230.10',
  '192.5.5.241',
  '192.112.36.4',
  '198.97.190.53',
  '192.36.148.17',
  '192.58.128.30',
  '193.0.14.129',
  '199.7.83.42',
  '202.12.27.33',
];

/** Whoever begins at other root servers than the Internet's has a DNS of their own, with addresses and ports of their own. */
export const reachFrom = (rootServers: readonly string[]): Reach =>
  rootServers.every((server) => internet.includes(server)) ? 'internet' : 'laboratory';

/** Those of a variable (`address:port`, separated by commas); the Internet's when it is not set. */
export function rootServersOf(variable: string | undefined): readonly string[] {
  const told = (variable ?? '').split(',').flatMap((server) => server.trim() || []);
  return told.length > 0 ? told : internet;
}
