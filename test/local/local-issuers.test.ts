import { expect, test } from 'vitest';
import { acmAcmeEndpoint, letsEncrypt, letsEncryptStaging } from '../../infra/config/issuers.ts';
import { withLocalIssuers } from '../../local/demo/local-issuers.ts';

interface Config {
  readonly issuer: {
    readonly name: string;
    readonly challenges: readonly string[];
    readonly termsOfServiceAgreed: boolean;
  };
  readonly fallbackIssuers?: unknown;
  readonly secretPrefix?: string;
  readonly certificates: readonly { readonly name: string; readonly issuer?: { readonly name: string } }[];
}

test('the local issuers replace every issuer, so that no agreement to terms is needed, and remove fallback issuers', () => {
  const { issuer, fallbackIssuers, secretPrefix, certificates } = withLocalIssuers({
    issuer: letsEncryptStaging({ termsOfServiceAgreed: false }),
    fallbackIssuers: [letsEncrypt({ termsOfServiceAgreed: false })],
    secretPrefix: 'tls/',
    certificates: [
      { name: 'a', fallbackIssuers: [] },
      { name: 'b', issuer: letsEncrypt({ termsOfServiceAgreed: false }) },
    ],
  }) as Config;
  expect(issuer).toMatchObject({ name: 'local-dns-01', challenges: ['dns-01'] });
  expect({ fallbackIssuers, secretPrefix }).toEqual({ secretPrefix: 'tls/' });
  expect(certificates).toEqual([
    { name: 'a' },
    { name: 'b', issuer: expect.objectContaining({ name: 'local-dns-01' }) },
  ]);
});

test('the local issuer of an issuer without challenges has none either, because its names need no hosted zone', () => {
  const issuer = acmAcmeEndpoint({ directoryUrl: 'https://acm.example/directory', externalAccountBinding: 'arn' });
  expect(withLocalIssuers({ issuer, certificates: [] })).toMatchObject({ issuer: { challenges: [] } });
});

test.each([undefined, null, 7, 'text', []])(
  'the invalid config %j is not changed, so that the check rejects it',
  (config) => {
    expect(withLocalIssuers(config)).toBe(config);
  },
);
