import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isPublic } from '../../../../lambdas/domain/rules/public-addresses.ts';

describe('an address', () => {
  test.each(['8.8.8.8', '1.1.1.1', '2606:4700::1111', '2a00:1450:4001::1'])('is public: %s', (address) =>
    expect(isPublic(address)).toBe(true),
  );
  test.each([
    '127.0.0.1',
    '10.1.2.3',
    '172.31.255.255',
    '192.168.0.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '255.255.255.255',
    '::1',
    '::',
    'fe80::1',
    'fd00:ec2::254',
    '::ffff:8.8.8.8',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    'localhost',
    '',
  ])('is not public: %s', (address) => expect(isPublic(address)).toBe(false));

  test('is never public in a loopback, private or link-local range', () => {
    const octet = fc.integer({ min: 0, max: 255 });
    const network = fc.constantFrom(
      '127',
      '10',
      '0',
      '192.168',
      '169.254',
      '172.16',
      '172.31',
      '100.127',
      '224',
      '255',
    );
    fc.assert(
      fc.property(network, octet, octet, octet, (start, ...rest) => {
        const address = [...start.split('.'), ...rest].slice(0, 4).join('.');
        expect(isPublic(address)).toBe(false);
        expect(isPublic(`::ffff:${address}`)).toBe(false);
      }),
    );
  });
});
