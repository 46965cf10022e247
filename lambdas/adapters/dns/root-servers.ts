/**
 * Addresses that may be queried when DNS names them. Any owner of a domain can put any address into DNS, so `internet` allows port 53 of
 * public addresses only. `laboratory` allows every address, and names of servers may have a port (`127.0.0.1:5301`).
 */
export type Reach = 'internet' | 'laboratory';

/**
 * IPv4 addresses of a.root-servers.net to m.root-servers.net. https://www.iana.org/domains/root/servers. The last change was b in November
 * 2023. If an address changes, a query takes one second longer, because the next server is queried.
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

/** The reach for these root servers. Other root servers than the Internet's belong to a private DNS with its own addresses and ports. */
export const reachFrom = (rootServers: readonly string[]): Reach =>
  rootServers.every((server) => internet.includes(server)) ? 'internet' : 'laboratory';

/** Reads root servers from a variable (`address:port`, separated by commas). Returns those of the Internet if it is not set. */
export function rootServersOf(variable: string | undefined): readonly string[] {
  const configured = (variable ?? '').split(',').flatMap((server) => server.trim() || []);
  return configured.length > 0 ? configured : internet;
}
