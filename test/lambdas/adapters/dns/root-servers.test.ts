import { isIPv4 } from 'node:net';
import { describe, expect, test } from 'vitest';
import { reachFrom, rootServersOf } from '../../../../lambdas/adapters/dns/root-servers.ts';

describe('root servers', () => {
  test('are the thirteen of the Internet by default', () => {
    for (const variable of [undefined, '', ' ']) {
      const servers = rootServersOf(variable);
      expect(new Set(servers.filter((server) => isIPv4(server))).size).toBe(13);
    }
  });

  test('are those in the variable', () => {
    expect(rootServersOf('127.0.0.1:5301, [::1]:5301,192.0.2.53')).toEqual([
      '127.0.0.1:5301',
      '[::1]:5301',
      '192.0.2.53',
    ]);
  });
});

test.each([
  ['internet', undefined],
  ['internet', '198.41.0.4'],
  ['laboratory', '127.0.0.1:5301'],
  ['laboratory', '198.41.0.4,10.0.0.53'],
  ['laboratory', '198.41.0.4:5301'],
])(
  'what DNS says may lead into a network of one’s own only where a root server is one’s own: %s for %s',
  (reach, variable) => {
    expect(reachFrom(rootServersOf(variable))).toBe(reach);
  },
);
