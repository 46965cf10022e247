import { BlockList, isIP } from 'node:net';

type Range = readonly [network: string, prefix: number];

/** IPv4 ranges that are not globally reachable, multicast or reserved. https://www.iana.org/assignments/iana-ipv4-special-registry, RFC 6890, RFC 5771 */
const special4: readonly Range[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
];
/** The only IPv6 range that is assigned for global unicast. https://www.iana.org/assignments/ipv6-unicast-address-assignments */
const global6: Range = ['2000::', 3];
/** IPv6 ranges inside `global6` for protocols (Teredo), documentation and 6to4. https://www.iana.org/assignments/iana-ipv6-special-registry */
const special6: readonly Range[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
];

const special = new BlockList();
for (const [network, prefix] of special4) special.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of special6) special.addSubnet(network, prefix, 'ipv6');
const assigned = new BlockList();
assigned.addSubnet(...global6, 'ipv6');

/** Tells whether an address, written without brackets, is a unicast address of the public Internet. */
export function isPublic(host: string): boolean {
  const family = isIP(host);
  if (family === 4) return !special.check(host, 'ipv4');
  return family === 6 && assigned.check(host, 'ipv6') && !special.check(host, 'ipv6');
}
