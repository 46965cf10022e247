import { beforeAll, describe, expect, test } from 'vitest';
import { endOf, endsIn } from '../../../../../lambdas/domain/rules/certificate/chain-end.ts';
import { type Authority, makeAuthority, makeLeaf, makePrivateKey, pemOf } from '../../../../fakes/certificates.ts';

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

  test('its topmost certificate, if that is not the root', () => {
    expect(endsIn(leaf + pemOf(intermediate.certificate), 'Intermediate')).toBe(true);
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
