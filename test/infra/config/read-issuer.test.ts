import { rootCertificates } from 'node:tls';
import { Stack } from 'aws-cdk-lib';
import { HostedZone } from 'aws-cdk-lib/aws-route53';
import { describe, expect, test } from 'vitest';
import { checkConfig } from '../../../infra/config/check-config.ts';
import {
  acmAcmeEndpoint,
  acmeDirectory,
  actalis,
  googleTrustServices,
  googleTrustServicesStaging,
  letsEncrypt,
  letsEncryptStaging,
  sslCom,
  zeroSsl,
} from '../../../infra/config/issuers.ts';
import { type Expected, expectMistakes, mistakesOf } from '../mistakes.ts';
import { base, binding, issuer, other, token, withCertificates, withIssuer, withWww, www } from './configs.ts';

type Row = readonly [what: string, config: unknown, ...expected: readonly Expected[]];
const letsEncryptTerms = 'https://letsencrypt.org/repository/';

const fields: readonly Row[] = [
  ['a function that was not called', { ...base, issuer: letsEncrypt }, ['issuer', 'a function', 'letsEncrypt({']],
  ...[{}, { directoryUrl: 'https://ca.example/directory', termsOfServiceAgreed: true }].map(
    (options): Row => [
      `the options ${JSON.stringify(options)} without a function`,
      { ...base, issuer: options },
      ['issuer', 'an object that no issuer function made', 'acmeDirectory({'],
    ],
  ),
  [
    'a construct, without naming its private members',
    withWww({ issuer: new HostedZone(new Stack(), 'Zone', { zoneName: 'example.com' }) }),
    ['certificates[0].issuer', 'a construct', 'an object with name, directoryUrl'],
  ],
  [
    'an unknown key of plain data',
    withIssuer({ contacts: [] }),
    ['issuer.contacts', 'did you mean "contact"?', 'name, directoryUrl'],
  ],
  [
    'a directory over http',
    withIssuer({ directoryUrl: 'http://ca.example/directory' }),
    ['issuer.directoryUrl', '"http://ca.example/directory"', 'https:'],
  ],
  [
    'a directory that is not a URL',
    { ...base, issuer: acmeDirectory({ directoryUrl: 'ca.example' }) },
    ['issuer.directoryUrl', '"ca.example"', 'https:'],
  ],
  ['a token as directory', withIssuer({ directoryUrl: token }), ['issuer.directoryUrl', 'CDK token', 'known at synth']],
  ...['ops', 'a@example.com,b@example.com', 'mailto:a@example.com?subject=b'].map(
    (contact): Row => [
      `the contact ${contact}`,
      withIssuer({ contact: [contact] }),
      ['issuer.contact[0]', `"${contact}"`, 'one e-mail address'],
    ],
  ),
  ...['/etc/root.pem', '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----'].map(
    (root): Row => [`the root ${root}`, withIssuer({ trustedRoots: [root] }), ['issuer.trustedRoots[0]', 'PEM']],
  ),
  [
    'a private key as a root',
    withIssuer({ trustedRoots: [`${rootCertificates[0]}\n-----BEGIN PRIVATE KEY-----\nMIGH`] }),
    ['issuer.trustedRoots[0]', 'found a private key', 'PEM'],
  ],
  ...[0, 1.5, 5001].map(
    (burst): Row => [
      `a limit of ${burst} orders at once`,
      withIssuer({ newOrders: { burst, everySeconds: 36 } }),
      ['issuer.newOrders.burst', `found ${burst}`, 'a whole number from 1 to 5000'],
    ],
  ),
  ...[0, 7.2, 86_401].map(
    (everySeconds): Row => [
      `one more order every ${everySeconds} s`,
      withIssuer({ newOrders: { burst: 250, everySeconds } }),
      ['issuer.newOrders.everySeconds', `found ${everySeconds}`, 'a whole number from 1 to 86400'],
    ],
  ),
  [
    'a limit on orders without a time',
    withIssuer({ newOrders: { burst: 250 } }),
    ['issuer.newOrders.everySeconds', 'missing', 'a whole number'],
  ],
  [
    'a limit on orders with another unit',
    withIssuer({ newOrders: { burst: 250, everySeconds: 36, everyHours: 3 } }),
    ['issuer.newOrders.everyHours', 'unknown key', 'newOrders takes burst, everySeconds'],
  ],
  ...[googleTrustServices, googleTrustServicesStaging].flatMap((from): readonly Row[] => [
    [
      `${from.name} without a contact`,
      // @ts-expect-error The compiler rejects it too.
      { ...base, issuer: from({ termsOfServiceAgreed: true, externalAccountBinding: binding }) },
      ['issuer.contact', 'an empty list', 'at least one e-mail address', 'refuses an account without a contact'],
    ],
    [
      `${from.name} with an empty list of contacts`,
      { ...base, issuer: from({ termsOfServiceAgreed: true, externalAccountBinding: binding, contact: [] }) },
      ['issuer.contact', 'an empty list', 'at least one e-mail address'],
    ],
  ]),
  [
    'plain data of a CA that requires a contact',
    withIssuer({ contactRequired: true, contact: undefined }),
    ['issuer.contact', 'missing', 'at least one e-mail address'],
  ],
  ...[undefined, 250, [250, 36]].map(
    (newOrders): Row => [
      `the limit on orders ${JSON.stringify(newOrders)}`,
      withIssuer({ newOrders }),
      ['issuer.newOrders', newOrders === undefined ? 'missing' : 'found', '{ burst, everySeconds }, or null'],
    ],
  ),
  ...[['http-01'], 'dns-01', 'none'].map(
    (challenges): Row => [
      `the challenges ${JSON.stringify(challenges)}`,
      withIssuer({ challenges }),
      ['issuer.challenges', Array.isArray(challenges) ? 'a list' : `"${challenges}"`, "['dns-01'], or []"],
    ],
  ),
  ...['', 'zerossl', binding.slice(0, -7), 'arn:aws:ssm:eu-west-1:111122223333:parameter/zerossl'].map(
    (externalAccountBinding): Row => [
      `the binding ${externalAccountBinding}`,
      withIssuer({ externalAccountBinding }),
      ['issuer.externalAccountBinding', JSON.stringify(externalAccountBinding), 'the complete ARN of a secret'],
    ],
  ),
  [
    'a missing binding',
    withIssuer({ externalAccountBinding: undefined }),
    ['issuer.externalAccountBinding', 'missing', 'the complete ARN of a secret'],
  ],
  [
    'a preferred chain without a name',
    withIssuer({ preferredChain: '' }),
    ['issuer.preferredChain', '""', 'common name of a root'],
  ],
  ...[0, 201, 1.5].map(
    (replyTimeout): Row => [
      `a reply timeout of ${replyTimeout} s`,
      withIssuer({ replyTimeout }),
      ['issuer.replyTimeout', `found ${replyTimeout}`, 'whole seconds from 1 to 200'],
    ],
  ),
];

const bound = { termsOfServiceAgreed: false, externalAccountBinding: binding, contact: ['tls@example.com'] };
const terms: readonly Row[] = [
  [
    "Let's Encrypt's terms that are not agreed to",
    { ...base, issuer: letsEncryptStaging({ termsOfServiceAgreed: false }) },
    ['issuer.termsOfServiceAgreed', 'found false', letsEncryptTerms, 'set true'],
  ],
  [
    'terms that are not mentioned',
    withIssuer({ termsOfServiceAgreed: undefined }),
    ['issuer.termsOfServiceAgreed', 'missing', letsEncryptTerms, 'set true'],
  ],
  ...[googleTrustServices(bound), googleTrustServicesStaging(bound), zeroSsl(bound), sslCom(bound), actalis(bound)].map(
    (unagreed): Row => [
      `the terms of ${unagreed.name}, which its directory names`,
      { ...base, issuer: unagreed },
      ['issuer.termsOfServiceAgreed', 'found false', unagreed.directoryUrl, 'set true'],
    ],
  ),
  [
    'a fallback issuer whose terms are not agreed to',
    {
      ...base,
      fallbackIssuers: [{ ...other, termsOfService: 'https://ca.example/terms', termsOfServiceAgreed: false }],
    },
    ['fallbackIssuers[0].termsOfServiceAgreed', 'found false', 'https://ca.example/terms'],
  ],
  [
    'a fallback issuer with unknown terms that are not agreed to',
    { ...base, fallbackIssuers: [{ ...other, termsOfServiceAgreed: false }] },
    ['fallbackIssuers[0].termsOfServiceAgreed', 'found false', 'account'],
  ],
];

/** Options as a caller in JavaScript may give them. */
const options: readonly Row[] = [
  [
    'the option email of letsEncrypt',
    { ...base, issuer: letsEncrypt({ termsOfServiceAgreed: true, email: 'a@example.com' } as never) },
    ['issuer.email', 'did you mean "contact"?', 'letsEncrypt takes termsOfServiceAgreed, contact, preferredChain'],
  ],
  [
    'a setting of other issuers in letsEncrypt',
    { ...base, issuer: letsEncrypt({ termsOfServiceAgreed: true, keyRollover: false } as never) },
    ['issuer.keyRollover', 'unknown key', 'letsEncrypt takes termsOfServiceAgreed, contact, preferredChain'],
  ],
  [
    'a misspelled option of acmeDirectory',
    { ...base, issuer: acmeDirectory({ directoryUrl: 'https://ca.example/', trustedRoot: [] } as never) },
    ['issuer.trustedRoot', 'did you mean "trustedRoots"?', 'acmeDirectory takes directoryUrl'],
  ],
  [
    'an unknown algorithm of sslCom',
    { ...base, issuer: sslCom({ ...bound, termsOfServiceAgreed: true, keys: 'DSA' as never }) },
    ['issuer.keys', '"DSA"', "'RSA' or 'ECC'"],
  ],
  [
    'a missing binding of zeroSsl',
    { ...base, issuer: zeroSsl({ termsOfServiceAgreed: true } as never) },
    ['issuer.externalAccountBinding', 'missing', 'the complete ARN of a secret'],
  ],
];

const several: readonly Row[] = [
  [
    'two directories with one name',
    withWww({ issuer: { ...other, name: 'letsencrypt-staging' } }),
    ['certificates[0].issuer.name', 'duplicate', '"letsencrypt-staging"', 'issuer'],
  ],
  [
    'different settings for one directory',
    withWww({ issuer: { ...issuer, contact: ['ops@example.com'] } }),
    ['certificates[0].issuer', 'settings differ', 'same settings'],
  ],
  [
    'fallback issuers that are not a list',
    { ...base, fallbackIssuers: other },
    ['fallbackIssuers', 'an object', 'a list of issuers'],
  ],
  [
    'its directory as fallback',
    { ...base, fallbackIssuers: [other, issuer] },
    ['fallbackIssuers[1]', 'same directory as issuer', 'once'],
  ],
  [
    'a fallback issuer that is listed twice',
    withWww({ fallbackIssuers: [other, other] }),
    ['certificates[0].fallbackIssuers[1]', 'same directory as certificates[0].fallbackIssuers[0]', 'once'],
  ],
  [
    'a trusted fallback for a staging issuer',
    { ...base, fallbackIssuers: [letsEncrypt({ termsOfServiceAgreed: true })] },
    ['fallbackIssuers[0]', 'not a staging directory', 'unlike issuer', 'all staging'],
  ],
  [
    'a staging fallback for a trusted issuer',
    withWww({ issuer: letsEncrypt({ termsOfServiceAgreed: true }), fallbackIssuers: [other] }),
    ['certificates[0].fallbackIssuers[0]', 'staging directory', 'unlike certificates[0].issuer', 'all staging'],
  ],
  [
    'a fallback function that was not called',
    { ...base, fallbackIssuers: [letsEncrypt] },
    ['fallbackIssuers[0]', 'a function', 'letsEncrypt({'],
  ],
];

describe('an issuer is rejected for', () => {
  test.each([...fields, ...terms, ...options, ...several])('%s', (_, config, ...expected) => {
    expectMistakes(() => checkConfig(config), ...(expected as Expected[]));
  });
});

const functions = { letsEncrypt, googleTrustServices, zeroSsl, sslCom, actalis, acmAcmeEndpoint, acmeDirectory };
test.each(Object.entries(functions))('%s without options is a mistake, not an exception', (_, make) => {
  const lines = mistakesOf(() => checkConfig({ ...base, issuer: (make as () => object)() }));
  expect(lines.length).toBeGreaterThan(0);
  for (const line of lines) expect(line).toMatch(/^issuer/);
});

test('the trusted roots of an issuer belong to its directory only', () => {
  const [first = '', second = ''] = rootCertificates;
  const one = acmeDirectory({
    directoryUrl: 'https://one.example/directory',
    trustedRoots: [`${first}\n${second}\n`],
  });
  const two = acmeDirectory({ directoryUrl: 'https://two.example/directory', trustedRoots: [first] });
  const { trustedRoots } = checkConfig({
    ...withCertificates(www, { ...www, name: 'two', identifiers: ['two.example.com'], issuer: two }),
    issuer: one,
  });
  expect(trustedRoots).toEqual({
    'https://one.example/directory': `${first}\n${second}`,
    'https://two.example/directory': first,
  });
});

test('the same directory with other trusted roots is a mistake', () => {
  const [first = '', second = ''] = rootCertificates;
  const directoryUrl = 'https://one.example/directory';
  const one = acmeDirectory({ directoryUrl, trustedRoots: [first] });
  const other = acmeDirectory({ directoryUrl, trustedRoots: [second] });
  expectMistakes(
    () =>
      checkConfig({
        ...withCertificates(www, { ...www, name: 'two', identifiers: ['two.example.com'], issuer: other }),
        issuer: one,
      }),
    ['certificates[1].issuer', 'settings differ'],
  );
});
