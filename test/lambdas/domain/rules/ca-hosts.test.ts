import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { privateAddress, urlProblem } from '../../../../lambdas/domain/rules/ca-hosts.ts';
import { isPublic } from '../../../../lambdas/domain/rules/public-addresses.ts';

const directory = { url: 'https://ca.example/directory', isPrivate: false };
const plain = { url: 'http://ca.example/directory', isPrivate: false };

describe('a URL that a CA names', () => {
  test.each([
    ['https://ca.example/order/1', directory],
    ['https://ca.example:8443/order/1', directory],
    ['https://orders.example/1', directory],
    ['http://ca.example/order/1', plain],
    ['https://ca.example/order/1', plain],
    ['https://127.0.0.1:14000/order/1', { url: 'https://127.0.0.1:14000/dir', isPrivate: false }],
    ['https://10.0.0.7/order/1', { url: 'https://ca.internal.example/dir', isPrivate: true }],
  ])('may be %s', (url, from) => expect(urlProblem(url, from)).toBeNull());

  test.each([
    ['http://ca.example/order/1', directory, 'does not use https'],
    ['ftp://ca.example/order/1', plain, 'does not use https'],
    ['file:///etc/passwd', plain, 'does not use https'],
    ['https://user@ca.example/order/1', directory, 'has a user name or a password'],
    ['https://127.0.0.1:9001/2018-06-01/runtime', directory, 'has an address in place of a DNS name'],
    ['https://2130706433/', directory, 'has an address in place of a DNS name'],
    ['https://0x7f.1/', directory, 'has an address in place of a DNS name'],
    ['https://[::1]/', directory, 'has an address in place of a DNS name'],
    ['https://[::ffff:169.254.169.254]/', directory, 'has an address in place of a DNS name'],
    ['https://8.8.8.8/', directory, 'has an address in place of a DNS name'],
    ['http://10.0.0.7/', { url: 'https://ca.internal.example/dir', isPrivate: true }, 'does not use https'],
  ])('may not be %s', (url, from, problem) => expect(urlProblem(url, from)).toBe(problem));

  test('is https on the host of the directory or on a DNS name, whatever the CA sends', () => {
    fc.assert(
      fc.property(fc.oneof(fc.webUrl(), hostileUrl), (url) => {
        if (urlProblem(url, directory) !== null) return;
        const { protocol, hostname } = new URL(url);
        expect(protocol).toBe('https:');
        expect(hostname).toMatch(/[a-z-]/);
        expect(hostname).not.toMatch(/[[\]:]/);
      }),
    );
  });
});

const hostileUrl = fc
  .tuple(
    fc.constantFrom('https', 'http', 'ftp', 'ws'),
    fc.oneof(
      fc.ipV4Extended(),
      fc.ipV4(),
      fc.ipV6().map((address) => `[${address}]`),
      fc.constant('ca.example'),
    ),
    fc.integer({ min: 1, max: 65_535 }),
  )
  .map(([scheme, host, port]) => `${scheme}://${host}:${port}/`)
  .filter((url) => URL.canParse(url));

describe('the addresses of a host', () => {
  test('must all be public, except on the host of the directory and for a private CA', () => {
    expect(privateAddress('orders.example', ['8.8.8.8', '2606:4700::1'], directory, isPublic)).toBeUndefined();
    expect(privateAddress('orders.example', ['8.8.8.8', '127.0.0.1'], directory, isPublic)).toBe('127.0.0.1');
    expect(privateAddress('ca.example', ['10.0.0.7'], directory, isPublic)).toBeUndefined();
    expect(privateAddress('x.example', ['10.0.0.7'], { ...directory, isPrivate: true }, isPublic)).toBeUndefined();
  });

  test('are refused if one of them is private, in any order', () => {
    const address = fc.oneof(fc.ipV4(), fc.ipV6());
    fc.assert(
      fc.property(fc.array(address, { minLength: 1, maxLength: 6 }), (addresses) => {
        const refused = privateAddress('orders.example', addresses, directory, isPublic);
        expect(refused === undefined).toBe(addresses.every(isPublic));
      }),
    );
  });
});
