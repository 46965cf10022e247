import { beforeAll, describe, expect, test } from 'vitest';
import { endOf, endsIn } from '../../../../../lambdas/domain/rules/certificate/chain-end.ts';
import {
  type Authority,
  crossSign,
  makeAuthority,
  makeLeaf,
  makePrivateKey,
  pemOf,
} from '../../../../fakes/certificates.ts';

let root: Authority;
let intermediate: Authority;
let leaf: string;
beforeAll(async () => {
  root = await makeAuthority({ name: 'Root\\, with a comma' });
  intermediate = await makeAuthority({ name: 'Intermediate', issuer: root });
  leaf = await makeLeaf(intermediate, { identifiers: ['example.com'], privateKey: makePrivateKey() });
});

describe('a chain ends in', () => {
  test('the root that issued its topmost certificate', () => {
    const chain = leaf + pemOf(intermediate.certificate);
    expect(endsIn(chain, 'Root, with a comma')).toBe(true);
    expect(endOf(chain)).toBe('Root, with a comma');
  });

  test('the root that the CA sent in the chain', () => {
    expect(endsIn(leaf + pemOf(intermediate.certificate) + pemOf(root.certificate), 'Root, with a comma')).toBe(true);
  });

  test('the older root that cross-signed its topmost certificate, and not in the name of that certificate', async () => {
    const [x1, x2, ye] = await Promise.all(
      ['ISRG Root X1', 'ISRG Root X2', 'Root YE'].map((name) => makeAuthority({ name })),
    );
    if (!x1 || !x2 || !ye) throw new Error('three roots were made');
    const ye1 = await makeAuthority({ name: 'YE1', issuer: ye });
    const server = await makeLeaf(ye1, { identifiers: ['example.com'], privateKey: makePrivateKey() });
    const [top, byX2, byX1] = [pemOf(ye1.certificate), pemOf(await crossSign(ye, x2)), pemOf(await crossSign(x2, x1))];
    // The three chains of Let's Encrypt for EC keys, the default one first.
    const chains = [server + top + byX2 + byX1, server + top + byX2, server + top];
    expect(chains.map(endOf)).toEqual(['ISRG Root X1', 'ISRG Root X2', 'Root YE']);
    for (const name of ['ISRG Root X1', 'ISRG Root X2', 'Root YE'])
      expect(chains.filter((chain) => endsIn(chain, name)).map(endOf), name).toEqual([name]);
  });

  test('the issuer of a leaf without a subject', async () => {
    const server = await makeLeaf(root, { identifiers: ['example.com'], privateKey: makePrivateKey(), subject: '' });
    expect([endOf(server), endsIn(server, 'example.com')]).toEqual(['Root, with a comma', false]);
  });

  test('no name further down, and no part of a name', () => {
    const chain = leaf + pemOf(intermediate.certificate) + pemOf(root.certificate);
    for (const name of ['Intermediate', 'example.com', 'Root', 'CN=Root, with a comma', '']) {
      expect(endsIn(chain, name), name).toBe(false);
    }
  });

  test('nothing if it cannot be read', () => {
    for (const pem of ['', '<html>', '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----']) {
      expect(endsIn(pem, 'Root')).toBe(false);
      expect(endOf(pem)).toBe('a certificate without a common name');
    }
  });
});
