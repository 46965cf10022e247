import { rootCertificates } from 'node:tls';
import { Lazy, Stack } from 'aws-cdk-lib';
import { HostedZone } from 'aws-cdk-lib/aws-route53';
import { RegionInfo } from 'aws-cdk-lib/region-info';
import { describe, expect, test } from 'vitest';
import exampleConfig from '../../../certificates.ts';
import { ConfigError, checkConfig, serializeConfig } from '../../../infra/config/check-config.ts';
import { acmeDirectory, letsEncrypt, letsEncryptStaging } from '../../../infra/config/issuers.ts';
import { resolveTokens } from '../../../lambdas/domain/rules/certificate/certificate-spec.ts';

const issuer = letsEncryptStaging({ termsOfServiceAgreed: true });
const hostedZones = [
  { id: 'Z0000000001', name: 'example.com' },
  { id: 'Z0000000002', name: 'example.net' },
];
const www = { name: 'www', identifiers: ['www.example.com'] };
const base = { issuer, hostedZones, certificates: [www] };
const other = acmeDirectory({
  directoryUrl: 'https://ca.example/directory',
  staging: true,
  termsOfServiceAgreed: true,
});
const binding = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:acme/zerossl-AbCdEf';
const token = Lazy.string({ produce: () => 'known at deploy only' });

const aConstruct = new HostedZone(new Stack(), 'Zone', { zoneName: 'example.com' });

/** In the order of the alphabet, as they are noted on the secret. */
const regionNames = RegionInfo.regions.map(({ name }) => name).sort();
const manyRegions = regionNames.slice(0, 20);
const manyNames = (count: number) => Array.from({ length: count }, (_, index) => `n${index}.example.com`);
const withCertificates = (...certificates: readonly unknown[]) => ({ ...base, certificates });
const withWww = (change: object) => withCertificates({ ...www, ...change });
const withIssuer = (change: object) => ({ ...base, issuer: { ...issuer, ...change } });
const withZones = (...zones: readonly unknown[]) => ({ ...base, hostedZones: [...hostedZones, ...zones] });

function mistakesOf(config: unknown): readonly string[] {
  try {
    checkConfig(config);
  } catch (error) {
    if (error instanceof ConfigError) return error.mistakes;
    throw error;
  }
  return [];
}

const aName = 'a DNS name such as "www.example.com" or "*.example.com"';
const aToken = 'found a CDK token, allowed: a value known at synth (only ids of hosted zones and ARNs may be tokens)';
const certificateKeys =
  'name, identifiers, acm, keyType, profile, issuer, fallbackIssuers, reuseKey, ignoreIssueCap, challengeAlias, endpoints, readers, replicas';
const configKeys = 'issuer, fallbackIssuers, hostedZones, certificates, secretPrefix, schedule, rootServers';
const issuerKeys =
  'name, directoryUrl, termsOfService, termsOfServiceAgreed, contact, challenges, staging, firstIssuancesPerRun, trustedRoots, externalAccountBinding, preferredChain, replyTimeout, keyRollover, publiclyTrusted';
const zoneKeys = 'id, name, roleArn, externalId, challengesOnly';
const anIssuer = 'letsEncryptStaging(...) first, then letsEncrypt(...), or acmeDirectory(...)';
const anAddress = 'one e-mail address, with or without mailto:, without headers (RFC 8555 §7.3)';
const aZoneId = 'the id of a Route 53 hosted zone, a Z and up to 31 capitals and digits, without /hostedzone/';
const roots = 'the text of one or more PEM certificates (not a path)';
const firstIssuances = 'a whole number from 1 on, or null for no limit';

const identifierMistakes: readonly (readonly [string, string])[] = [
  ['nowhere.example.org', 'which lies in no hosted zone, allowed: names in example.com, example.net'],
  ['192.0.2.1', `which is an IP address, which DNS-01 cannot prove (RFC 8738 §7), allowed: ${aName}`],
  ['a.*.example.com', `which has a wildcard elsewhere than as its whole first label, allowed: ${aName}`],
  ['a_b.example.com', `which has the label "a_b", not of letters, digits and inner hyphens only, allowed: ${aName}`],
];

const mistakes: readonly (readonly [what: string, config: unknown, lines: string | readonly string[]])[] = [
  ['no config', undefined, [`config: found nothing, allowed: an object with ${configKeys}`]],
  [
    'an empty config',
    {},
    ['certificates: found nothing, allowed: a list of certificates', `issuer: found nothing, allowed: ${anIssuer}`],
  ],
  ['no certificates', withCertificates(), 'certificates: found an empty list, allowed: at least one certificate'],
  [
    'a certificate that is none',
    withCertificates('www'),
    `certificates[0]: found "www", allowed: an object with ${certificateKeys}`,
  ],
  [
    'an unknown key near a known one',
    { ...base, hostedzone: [] },
    `hostedzone: found an unknown key (did you mean "hostedZones"?), allowed: ${configKeys}`,
  ],
  [
    'an unknown key near none',
    withWww({ colour: 'red' }),
    `certificates[0].colour: found an unknown key, allowed: ${certificateKeys}`,
  ],
  [
    'an unknown key of a zone',
    withZones({ id: 'Z0000000003', name: 'example.org', nme: 1 }),
    `hostedZones[2].nme: found an unknown key (did you mean "name"?), allowed: ${zoneKeys}`,
  ],
  [
    'an unknown key of an issuer',
    withIssuer({ contacts: [] }),
    `issuer.contacts: found an unknown key (did you mean "contact"?), allowed: ${issuerKeys}`,
  ],

  [
    'a duplicate name',
    withCertificates(www, { name: 'www', identifiers: ['example.com'] }),
    'certificates[1].name: found "www", the name of certificates[0] too, allowed: a name of its own',
  ],
  [
    'a name of other characters',
    withWww({ name: 'WWW' }),
    'certificates[0].name: found "WWW", allowed: 1 to 40 characters of a to z, 0 to 9 and hyphen',
  ],
  [
    'a name of 41 characters',
    withWww({ name: 'a'.repeat(41) }),
    `certificates[0].name: found "${'a'.repeat(41)}", allowed: 1 to 40 characters of a to z, 0 to 9 and hyphen`,
  ],
  [
    'no identifiers',
    withWww({ identifiers: [] }),
    'certificates[0].identifiers: found an empty list, allowed: at least one DNS name',
  ],
  [
    'identifiers that are no list',
    withWww({ identifiers: 'www.example.com' }),
    'certificates[0].identifiers: found "www.example.com", allowed: a list of DNS names',
  ],
  [
    'an identifier that is no text',
    withWww({ identifiers: [7] }),
    `certificates[0].identifiers[0]: found 7, allowed: ${aName}`,
  ],
  [
    '101 names',
    withWww({ identifiers: manyNames(101) }),
    'certificates[0].identifiers: found 101 names, allowed: at most 100',
  ],
  [
    '26 names with tlsserver',
    withWww({ identifiers: manyNames(26), profile: 'tlsserver' }),
    'certificates[0].identifiers: found 26 names, allowed: at most 25 with the profile tlsserver',
  ],
  [
    '26 names with shortlived',
    withWww({ identifiers: manyNames(26), profile: 'shortlived' }),
    'certificates[0].identifiers: found 26 names, allowed: at most 25 with the profile shortlived',
  ],
  [
    'a name beside the wildcard that covers it',
    withWww({ identifiers: ['WWW.example.com', '*.example.com'] }),
    'certificates[0].identifiers[0]: found "WWW.example.com", which "*.example.com" (identifiers[1]) covers, allowed: one of the two, since a CA refuses both together',
  ],
  ...identifierMistakes.map(
    ([identifier, rest]) =>
      [
        `the identifier ${identifier}`,
        withCertificates(www, { name: 'b', identifiers: [identifier] }),
        `certificates[1].identifiers[0]: found "${identifier}", ${rest}`,
      ] as const,
  ),
  [
    'an identifier and no zones',
    { ...base, hostedZones: [] },
    'certificates[0].identifiers[0]: found "www.example.com", which lies in no hosted zone, allowed: names in hostedZones, which lists none',
  ],
  [
    'another key type',
    withWww({ keyType: 'P256' }),
    'certificates[0].keyType: found "P256", allowed: one of P-256, P-384, RSA-2048, RSA-3072, RSA-4096',
  ],
  [
    'an empty profile',
    withWww({ profile: '' }),
    'certificates[0].profile: found "", allowed: the name of a profile of the CA, or nothing for its default',
  ],
  [
    'an unknown region',
    withWww({ acm: ['us-east1'] }),
    'certificates[0].acm[0]: found the unknown region "us-east1" (did you mean "us-east-1"?), allowed: an AWS region such as "us-east-1"',
  ],
  [
    'a region that is no list',
    withWww({ acm: 'us-east-1' }),
    'certificates[0].acm: found "us-east-1", allowed: a list of AWS regions',
  ],
  [
    'the same certificate twice',
    withCertificates(www, { name: 'b', identifiers: ['WWW.example.com.'] }),
    'certificates[1]: found the identifiers and issuer of certificates[0] with the same key type P-256, allowed: one certificate of them',
  ],
  [
    'three certificates of one set',
    withCertificates(www, { ...www, name: 'b', keyType: 'RSA-2048' }, { ...www, name: 'c', keyType: 'P-384' }),
    'certificates[2]: found the identifiers and issuer of certificates[0] and certificates[1], allowed: two certificates of one set of identifiers',
  ],

  [
    'two zones of one name',
    withZones({ id: 'Z0000000003', name: 'EXAMPLE.com.' }),
    'hostedZones[2].name: found "EXAMPLE.com.", the name of hostedZones[0] too, allowed: one zone of a name: the one that its parent delegates to',
  ],
  [
    'two zones of one id',
    withZones({ id: 'Z0000000001', name: 'example.org' }),
    'hostedZones[2].id: found "Z0000000001", the id of hostedZones[0] too, allowed: each zone once',
  ],
  [
    'a construct for a zone, by its private members',
    { ...base, hostedZones: [aConstruct] },
    "hostedZones[0]: found a construct, allowed: { id: zone.hostedZoneId, name: 'example.com' }",
  ],
  [
    'a construct for an issuer, by its private members',
    withWww({ issuer: aConstruct }),
    `certificates[0].issuer: found a construct, allowed: an object with ${issuerKeys}`,
  ],
  [
    'a construct for a certificate, by its private members',
    withCertificates(www, aConstruct),
    `certificates[1]: found a construct, allowed: an object with ${certificateKeys}`,
  ],
  [
    'a zone id with its prefix',
    withZones({ id: '/hostedzone/Z0000000003', name: 'example.org' }),
    `hostedZones[2].id: found "/hostedzone/Z0000000003", allowed: ${aZoneId}`,
  ],
  [
    'a zone without id',
    withZones({ name: 'example.org' }),
    'hostedZones[2].id: found nothing, allowed: the id of a Route 53 hosted zone',
  ],
  [
    'a zone of a wildcard',
    withZones({ id: 'Z0000000003', name: '*.example.org' }),
    'hostedZones[2].name: found "*.example.org", which is a wildcard, allowed: the name of a public hosted zone',
  ],

  [
    'terms not agreed',
    withIssuer({ termsOfServiceAgreed: false }),
    'issuer.termsOfServiceAgreed: found false, allowed: true, once you agree to the terms at https://letsencrypt.org/repository/',
  ],
  [
    'terms not mentioned',
    withIssuer({ termsOfServiceAgreed: undefined }),
    'issuer.termsOfServiceAgreed: found nothing, allowed: true, once you agree to the terms at https://letsencrypt.org/repository/',
  ],
  ['an issuer that was not called', { ...base, issuer: letsEncrypt }, `issuer: found a function, allowed: ${anIssuer}`],
  [
    'a directory over http',
    withIssuer({ directoryUrl: 'http://ca.example/directory' }),
    'issuer.directoryUrl: found "http://ca.example/directory", allowed: the https: URL of an ACME directory',
  ],
  [
    'a directory that is no URL',
    { ...base, issuer: acmeDirectory({ directoryUrl: 'ca.example' }) },
    'issuer.directoryUrl: found "ca.example", allowed: the https: URL of an ACME directory',
  ],
  [
    'a contact that is no address',
    withIssuer({ contact: ['ops'] }),
    `issuer.contact[0]: found "ops", allowed: ${anAddress}`,
  ],
  [
    'two contacts in one',
    withIssuer({ contact: ['a@example.com,b@example.com'] }),
    `issuer.contact[0]: found "a@example.com,b@example.com", allowed: ${anAddress}`,
  ],
  [
    'a contact with headers',
    withIssuer({ contact: ['mailto:a@example.com?subject=b'] }),
    `issuer.contact[0]: found "mailto:a@example.com?subject=b", allowed: ${anAddress}`,
  ],
  [
    'a path for a root',
    withIssuer({ trustedRoots: ['/etc/root.pem'] }),
    `issuer.trustedRoots[0]: found something else, allowed: ${roots}`,
  ],
  [
    'a broken root',
    withIssuer({ trustedRoots: ['-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----'] }),
    `issuer.trustedRoots[0]: found something else, allowed: ${roots}`,
  ],
  [
    'a private key for a root',
    withIssuer({ trustedRoots: [`${rootCertificates[0]}\n-----BEGIN PRIVATE KEY-----\nMIGH`] }),
    `issuer.trustedRoots[0]: found a private key, allowed: ${roots}`,
  ],
  [
    'a cap of no issuances',
    withIssuer({ firstIssuancesPerRun: 0 }),
    `issuer.firstIssuancesPerRun: found 0, allowed: ${firstIssuances}`,
  ],
  [
    'a cap of a part',
    withIssuer({ firstIssuancesPerRun: 1.5 }),
    `issuer.firstIssuancesPerRun: found 1.5, allowed: ${firstIssuances}`,
  ],
  [
    'another challenge',
    withIssuer({ challenges: 'http-01' }),
    "issuer.challenges: found \"http-01\", allowed: 'dns-01' or 'none'",
  ],
  ...(
    [undefined, '', 'zerossl', binding.slice(0, -7), 'arn:aws:ssm:eu-west-1:111122223333:parameter/zerossl'] as const
  ).map(
    (externalAccountBinding) =>
      [
        `the binding ${externalAccountBinding}`,
        withIssuer({ externalAccountBinding }),
        `issuer.externalAccountBinding: found ${JSON.stringify(externalAccountBinding) ?? 'nothing'}, allowed: the whole ARN of a secret with kid and hmacKey, or null where the CA wants no external account binding`,
      ] as const,
  ),
  [
    'an empty preferred chain',
    withIssuer({ preferredChain: '' }),
    'issuer.preferredChain: found "", allowed: the common name of a root certificate, or null',
  ],
  ...[0, 301, 1.5].map(
    (replyTimeout) =>
      [
        `a reply of ${replyTimeout} s`,
        withIssuer({ replyTimeout }),
        `issuer.replyTimeout: found ${replyTimeout}, allowed: whole seconds from 1 to 300`,
      ] as const,
  ),
  [
    'two directories of one name',
    withWww({ issuer: { ...other, name: 'letsencrypt-staging' } }),
    'certificates[0].issuer.name: found "letsencrypt-staging", the name of issuer too, allowed: a name of its own for each directory',
  ],
  [
    'fallbacks that are no list',
    { ...base, fallbackIssuers: other },
    'fallbackIssuers: found an object, allowed: a list of issuers',
  ],
  [
    'the issuer as its own fallback',
    { ...base, fallbackIssuers: [other, issuer] },
    'fallbackIssuers[1]: found the directory of issuer too, allowed: each directory once',
  ],
  [
    'a fallback twice',
    withWww({ fallbackIssuers: [other, other] }),
    'certificates[0].fallbackIssuers[1]: found the directory of certificates[0].fallbackIssuers[0] too, allowed: each directory once',
  ],
  [
    'a fallback whose certificates are trusted behind a staging issuer',
    { ...base, fallbackIssuers: [letsEncrypt({ termsOfServiceAgreed: true })] },
    'fallbackIssuers[0]: found no staging directory, allowed: issuers of the kind of issuer, all staging or none',
  ],
  [
    'a staging fallback of one certificate behind an issuer whose certificates are trusted',
    withWww({ issuer: letsEncrypt({ termsOfServiceAgreed: true }), fallbackIssuers: [other] }),
    'certificates[0].fallbackIssuers[0]: found a staging directory, allowed: issuers of the kind of certificates[0].issuer, all staging or none',
  ],
  [
    'a fallback whose terms nobody agreed to',
    {
      ...base,
      fallbackIssuers: [{ ...other, termsOfService: 'https://ca.example/terms', termsOfServiceAgreed: false }],
    },
    'fallbackIssuers[0].termsOfServiceAgreed: found false, allowed: true, once you agree to the terms at https://ca.example/terms',
  ],
  [
    'a fallback without agreement to whatever terms it has',
    { ...base, fallbackIssuers: [{ ...other, termsOfServiceAgreed: false }] },
    'fallbackIssuers[0].termsOfServiceAgreed: found false, allowed: true, since an issuer in reserve is asked only where it has our account',
  ],
  [
    'a fallback that was not called',
    { ...base, fallbackIssuers: [letsEncrypt] },
    `fallbackIssuers[0]: found a function, allowed: ${anIssuer}`,
  ],
  [
    'a fallback that needs a zone, behind an issuer that needs none',
    { issuer: { ...other, challenges: 'none' }, fallbackIssuers: [issuer], certificates: [www] },
    'certificates[0].identifiers[0]: found "www.example.com", which lies in no hosted zone, allowed: names in hostedZones, which lists none',
  ],
  [
    'a flag that is none',
    withWww({ reuseKey: 'yes', ignoreIssueCap: 1 }),
    [
      'certificates[0].reuseKey: found "yes", allowed: true or false',
      'certificates[0].ignoreIssueCap: found 1, allowed: true or false',
    ],
  ],

  [
    'two settings of one directory',
    withWww({ issuer: { ...issuer, contact: ['ops@example.com'] } }),
    'certificates[0].issuer: found other settings for the directory of issuer, allowed: one issuer for each directory',
  ],

  [
    'a prefix without a slash',
    { ...base, secretPrefix: 'tls' },
    'secretPrefix: found "tls", allowed: at most 401 characters of A to Z, a to z, 0 to 9 and /_+=.@- that end in one slash',
  ],
  [
    'a schedule in words',
    { ...base, schedule: 'daily' },
    'schedule: found "daily", allowed: a rate such as "rate(6 hours)", "rate(1 day)" or "rate(90 minutes)"',
  ],
  [
    'a schedule that is too rare for certificates of six days',
    {
      ...withCertificates(www, { name: 'b', identifiers: ['b.example.com'], profile: 'shortlived' }),
      schedule: 'rate(12 hours)',
    },
    'schedule: found a run every 12 h, allowed: at least every 10 h, because certificates[1] has the profile shortlived (160 h) and 8 runs have to fit between its renewal time and its expiry',
  ],

  [
    'a role that is none',
    withZones({ id: 'Z0000000003', name: 'example.org', roleArn: 'arn:aws:iam::1:role/x' }),
    'hostedZones[2].roleArn: found "arn:aws:iam::1:role/x", allowed: the ARN of an IAM role, arn:aws:iam::<account>:role/<name>',
  ],
  [
    'an external id without a role',
    withZones({ id: 'Z0000000003', name: 'example.org', externalId: 'abc' }),
    'hostedZones[2].externalId: found an external id without a role, allowed: one beside roleArn',
  ],
  [
    'a CNAME that leads into no zone',
    withWww({ challengeAlias: 'www.acme.example.org' }),
    'certificates[0].challengeAlias: found "www.acme.example.org", which lies in none of hostedZones, allowed: a name in one of them',
  ],
  [
    'a CNAME that leads to a name of an ordinary zone',
    withWww({ challengeAlias: 'mail.example.net' }),
    'certificates[0].challengeAlias: found "mail.example.net", allowed: a name that begins with _acme-challenge. , or one in a zone that is marked challengesOnly',
  ],
  [
    'a CNAME that leads to itself',
    withWww({ challengeAlias: '_acme-challenge.www.example.com' }),
    'certificates[0].challengeAlias: found "_acme-challenge.www.example.com", where the CNAME itself stands, allowed: the name that it leads to',
  ],
  [
    'a CNAME of another name',
    withWww({ challengeAlias: { 'example.net': '_acme-challenge.x.example.net' } }),
    'certificates[0].challengeAlias["example.net"]: found "example.net", allowed: one of the identifiers',
  ],
  [
    'an endpoint that is no host',
    withWww({ endpoints: ['https://www.example.com', '*.example.com', 'www.example.com:70000'] }),
    [
      'certificates[0].endpoints[0]: found "https://www.example.com", which has the label "https://www", not of letters, digits and inner hyphens only, allowed: a server such as "www.example.com" or "www.example.com:8443"',
      'certificates[0].endpoints[1]: found "*.example.com", which is a wildcard, allowed: a server such as "www.example.com" or "www.example.com:8443"',
      'certificates[0].endpoints[2]: found the port 70000, allowed: 1 to 65535',
    ],
  ],
  [
    'an endpoint that is an address, for the reason of another field',
    withWww({ endpoints: ['192.0.2.1:443', '2001:db8::1', '[2001:db8::1]:8443'] }),
    ['"192.0.2.1:443"', '"2001:db8::1"', '"[2001:db8::1]:8443"'].map(
      (found, index) =>
        `certificates[0].endpoints[${index}]: found ${found}, which is an IP address, allowed: the name of the server, since it is asked by its name (SNI)`,
    ),
  ],
  [
    'everybody as a reader',
    withWww({ readers: ['*', 'arn:aws:iam::444455556666:role/*'] }),
    [
      'certificates[0].readers[0]: found "*", allowed: the ARN of a role or a user, or arn:aws:iam::<account>:root, without wildcards',
      'certificates[0].readers[1]: found "arn:aws:iam::444455556666:role/*", allowed: the ARN of a role or a user, or arn:aws:iam::<account>:root, without wildcards',
    ],
  ],
  [
    'replicas that cannot be',
    withWww({
      replicas: [
        'eu-west-9',
        'eu-west-1',
        'eu-west-1',
        { region: 'eu-west-2', encryptionKey: 'arn:aws:kms:eu-west-3:111122223333:key/a' },
      ],
    }),
    [
      'certificates[0].replicas[0]: found the unknown region "eu-west-9" (did you mean "eu-west-1"?), allowed: an AWS region such as "eu-west-1", or { region, encryptionKey }',
      'certificates[0].replicas[2]: found "eu-west-1" a second time, allowed: one replica in a region',
      'certificates[0].replicas[3].encryptionKey: found a key of eu-west-3, allowed: the ARN of a KMS key in the region of the replica, eu-west-2',
    ],
  ],
  [
    'more replicas than the tag names that says which they are',
    withWww({ replicas: manyRegions }),
    [
      `certificates[0].replicas: found ${manyRegions.length} regions, ${manyRegions.join(' ').length} characters, allowed: 256 characters with the spaces between them`,
    ],
  ],
  [
    'root servers by name',
    { ...base, rootServers: ['a.root-servers.net'] },
    'rootServers[0]: found "a.root-servers.net", allowed: an address such as "192.0.2.53" or "[2001:db8::53]:5353"',
  ],
  [
    'a token in an identifier',
    withWww({ identifiers: [`${token}.example.com`] }),
    `certificates[0].identifiers[0]: ${aToken}`,
  ],
  ['a token as region', withWww({ acm: [token] }), `certificates[0].acm[0]: ${aToken}`],
  [
    'a token as list',
    withWww({ identifiers: Lazy.list({ produce: () => [] }) }),
    `certificates[0].identifiers: ${aToken}`,
  ],
  ['a token as zone name', withZones({ id: 'Z0000000003', name: token }), `hostedZones[2].name: ${aToken}`],
  ['a token as directory', withIssuer({ directoryUrl: token }), `issuer.directoryUrl: ${aToken}`],
];

describe('a config is refused with', () => {
  test.each(mistakes)('%s', (_, config, lines) => {
    expect(mistakesOf(config)).toEqual(typeof lines === 'string' ? [lines] : lines);
  });
});

test('all mistakes are told at once, a line each', () => {
  const config = {
    schedul: 'rate(1 day)',
    issuer: { ...issuer, termsOfServiceAgreed: false },
    hostedZones: [...hostedZones, { id: 'zone', name: 'example.com' }],
    certificates: [
      { name: 'www', identifiers: ['www.example.com', '*.example.com', 'example.org', '192.0.2.1'], acm: ['mars-1'] },
      { name: 'www', identifiers: [], keytype: 'P-384' },
      { name: 'a', identifiers: ['a.example.net'] },
      { name: 'b', identifiers: ['a.example.net'] },
      { name: 'C!', identifiers: manyNames(26), profile: 'shortlived' },
    ],
  };
  expect(() => checkConfig(config)).toThrow(mistakesOf(config).join('\n'));
  expect(mistakesOf(config).map((line) => line.slice(0, line.indexOf(':')))).toEqual([
    'schedul',
    'issuer.termsOfServiceAgreed',
    'hostedZones[2].id',
    'hostedZones[2].name',
    'certificates[0].identifiers[2]',
    'certificates[0].identifiers[3]',
    'certificates[0].identifiers[0]',
    'certificates[0].acm[0]',
    'certificates[1].keytype',
    'certificates[1].identifiers',
    'certificates[4].name',
    'certificates[4].identifiers',
    'certificates[1].name',
    'certificates[3]',
  ]);
});

describe('a checked config', () => {
  test('is normalised, sorted and complete', () => {
    const { deployed, warnings, ...rest } = checkConfig({
      issuer: { ...issuer, contact: ['Ops@Bücher.example', 'mailto:b@example.com'] },
      hostedZones: [{ id: 'Z0000000001', name: 'Bücher.Example.' }],
      certificates: [
        { name: 'www', identifiers: ['www.BÜCHER.example.', 'bücher.example'], acm: ['us-east-1', 'eu-west-1'] },
      ],
    });
    expect(deployed).toEqual({
      format: 1,
      checkInterval: 21_600,
      issuers: [
        {
          name: 'letsencrypt-staging',
          directoryUrl: 'https://acme-staging-v02.api.letsencrypt.org/directory',
          termsOfServiceAgreed: true,
          contact: ['mailto:Ops@xn--bcher-kva.example', 'mailto:b@example.com'],
          challenges: 'dns-01',
          staging: true,
          firstIssuancesPerRun: null,
          externalAccountBinding: null,
          preferredChain: null,
          replyTimeout: 45,
          keyRollover: true,
        },
      ],
      hostedZones: [{ id: 'Z0000000001', name: 'xn--bcher-kva.example' }],
      certificates: [
        {
          name: 'www',
          identifiers: ['www.xn--bcher-kva.example', 'xn--bcher-kva.example'],
          keyType: 'P-256',
          profile: null,
          issuers: [0],
          reuseKey: false,
          ignoreIssueCap: false,
          regions: ['eu-west-1', 'us-east-1'],
          hostedZones: [0],
        },
      ],
    });
    expect(warnings).toEqual([]);
    expect(rest).toEqual({
      trustedRoots: [],
      untrustedIssuers: new Set([0]),
      tokens: [],
      secretPrefix: 'certificates/',
      accountSecretPrefix: 'certificates-accounts/',
      rootServers: [],
    });
  });

  test('takes as many replicas as fit into the tag that names them', () => {
    const fitting = (count: number) => regionNames.slice(0, count).join(' ').length <= 256;
    const most = regionNames.findIndex((_, index) => !fitting(index + 1));
    expect(mistakesOf(withWww({ replicas: regionNames.slice(0, most) }))).toEqual([]);
    expect(mistakesOf(withWww({ replicas: regionNames.slice(0, most + 1) }))).toHaveLength(1);
  });

  test('says of zones, aliases, endpoints, readers and replicas what there is, and nothing else', () => {
    const role = 'arn:aws:iam::444455556666:role/challenges';
    const key = 'arn:aws:kms:eu-west-1:111122223333:key/0a1b';
    const { deployed, rootServers } = checkConfig({
      ...base,
      hostedZones: [
        ...hostedZones,
        { id: 'Z0000000003', name: 'acme.example.org', challengesOnly: true },
        { id: 'Z0000000004', name: 'example.edu', roleArn: role, externalId: 'perennial/1' },
      ],
      certificates: [
        {
          ...www,
          challengeAlias: 'www.ACME.example.org.',
          endpoints: ['www.example.com:8443', 'WWW.example.com'],
          readers: ['arn:aws:iam::444455556666:role/reader', 'arn:aws:iam::444455556666:root'],
          replicas: ['us-west-2', { region: 'eu-west-1', encryptionKey: key }],
        },
      ],
      rootServers: ['127.0.0.1:5301', '192.0.2.53', '[2001:db8::53]:53'],
    });
    expect(deployed.hostedZones.slice(2)).toEqual([
      { id: 'Z0000000003', name: 'acme.example.org', challengesOnly: true },
      { id: 'Z0000000004', name: 'example.edu', role: { arn: role, externalId: 'perennial/1' } },
    ]);
    expect(deployed.certificates[0]).toMatchObject({
      hostedZones: [0],
      challengeAliases: { 'www.example.com': 'www.acme.example.org' },
      endpoints: ['www.example.com:443', 'www.example.com:8443'],
      readers: ['arn:aws:iam::444455556666:role/reader', 'arn:aws:iam::444455556666:root'],
      replicas: [
        { region: 'eu-west-1', encryptionKey: key },
        { region: 'us-west-2', encryptionKey: null },
      ],
    });
    expect(rootServers).toEqual(['127.0.0.1:5301', '192.0.2.53', '[2001:db8::53]:53']);
  });

  test('takes names of no zone where a zone for challenges is there for their CNAMEs, or their CNAMEs are told', () => {
    const elsewhere = { name: 'elsewhere', identifiers: ['*.example.org', 'example.edu'] };
    const forChallenges = { id: 'Z0000000003', name: 'acme.example.net', challengesOnly: true };
    const live = checkConfig({ ...base, hostedZones: [...hostedZones, forChallenges], certificates: [elsewhere] });
    expect(live.deployed.certificates[0]).toMatchObject({ identifiers: elsewhere.identifiers, hostedZones: [] });
    const challengeAlias = {
      '*.example.org': '_acme-challenge.org.example.net',
      'example.edu': '_acme-challenge.edu.example.net',
    };
    const told = checkConfig({ ...base, certificates: [{ ...elsewhere, challengeAlias }] });
    expect(told.deployed.certificates[0]?.challengeAliases).toEqual({
      'example.org': '_acme-challenge.org.example.net',
      'example.edu': '_acme-challenge.edu.example.net',
    });
  });

  test('warns of an endpoint that no name of the certificate covers', () => {
    const { warnings } = checkConfig(withWww({ endpoints: ['example.com', 'www.example.com'] }));
    expect(warnings).toEqual([
      'certificates[0].endpoints[0]: "example.com" is no name of this certificate, so clients will refuse it there',
    ]);
  });

  test('accepts the example of the repository', () => {
    expect(mistakesOf(exampleConfig)).toEqual([]);
  });

  test('accepts 100 names, 25 with a small profile, a name of 40 characters and a wildcard beside its apex', () => {
    const certificates = [
      { name: 'a'.repeat(40), identifiers: manyNames(100) },
      { name: 'b', identifiers: manyNames(25), profile: 'tlsserver' },
      { name: 'c', identifiers: ['*.example.com', 'example.com', 'a.b.example.com'] },
    ];
    expect(mistakesOf({ ...base, certificates })).toEqual([]);
  });

  test('accepts twins of two key types, and the same names from two issuers', () => {
    const other = acmeDirectory({ directoryUrl: 'https://ca.example/directory' });
    const { deployed } = checkConfig(
      withCertificates(www, { ...www, name: 'rsa', keyType: 'RSA-2048' }, { ...www, name: 'other', issuer: other }),
    );
    expect(deployed.certificates.map(({ issuers }) => issuers)).toEqual([[0], [0], [1]]);
    expect(deployed.issuers.map(({ name }) => name)).toEqual(['letsencrypt-staging', 'ca.example']);
  });

  test('needs no zone for an issuer without challenges', () => {
    const certificates = [{ name: 'www', identifiers: ['www.example.org'] }];
    const noChallenge = acmeDirectory({ directoryUrl: 'https://ca.example/directory', challenges: 'none' });
    expect(checkConfig({ issuer: noChallenge, certificates }).deployed.certificates[0]?.hostedZones).toEqual([]);
  });

  test('knows the longest zone of each name, each zone once', () => {
    const zones = [...hostedZones, { id: 'Z0000000003', name: '_acme-challenge.api.example.com' }];
    const identifiers = ['example.net', 'api.example.com', 'a.example.com', 'b.example.com'];
    const { deployed } = checkConfig({ ...base, hostedZones: zones, certificates: [{ name: 'www', identifiers }] });
    expect(deployed.certificates[0]?.hostedZones).toEqual([0, 1, 2]);
  });

  test('orders a repeated identifier once and imports into a repeated region once, with a warning each', () => {
    const { deployed, warnings } = checkConfig(
      withWww({ identifiers: ['www.example.com', 'WWW.example.com.'], acm: ['us-east-1', 'us-east-1'] }),
    );
    expect(deployed.certificates[0]).toMatchObject({ identifiers: ['www.example.com'], regions: ['us-east-1'] });
    expect(warnings).toEqual([
      'certificates[0].identifiers[1]: "WWW.example.com." repeats identifiers[0] and is ordered once',
      'certificates[0].acm[1]: "us-east-1" repeats an earlier region',
    ]);
  });

  test('warns of P-384 in the region of CloudFront only', () => {
    expect(checkConfig(withWww({ keyType: 'P-384', acm: ['us-east-1'] })).warnings).toEqual([
      'certificates[0].keyType: CloudFront takes P-256 and RSA only: no distribution can use this import into us-east-1',
    ]);
    expect(checkConfig(withWww({ keyType: 'P-384', acm: ['eu-west-1'] })).warnings).toEqual([]);
  });

  test('has the fallbacks behind the issuer, those of a certificate in place of those of the config', () => {
    const third = { ...other, name: 'third.example', directoryUrl: 'https://third.example/directory' };
    const { deployed } = checkConfig({
      ...withCertificates(
        www,
        { ...www, name: 'own', keyType: 'P-384', fallbackIssuers: [third] },
        { ...www, name: 'none', keyType: 'RSA-2048', issuer: third, fallbackIssuers: [] },
        { name: 'inherits', identifiers: ['a.example.com'], issuer: other },
        { name: 'trusted', identifiers: ['b.example.com'], issuer: letsEncrypt({ termsOfServiceAgreed: true }) },
      ),
      fallbackIssuers: [other, third],
    });
    expect(
      deployed.certificates.map(({ issuers }) => issuers.map((index) => deployed.issuers[index]?.name).join(' ')),
    ).toEqual([
      'letsencrypt-staging ca.example third.example',
      'letsencrypt-staging third.example',
      'third.example',
      'ca.example third.example',
      'letsencrypt',
    ]);
  });

  test('needs no zone for a fallback without challenges', () => {
    const fallbackIssuers = [{ ...other, challenges: 'none' as const }];
    expect(checkConfig({ ...base, fallbackIssuers }).deployed.certificates[0]?.hostedZones).toEqual([0]);
  });

  test('warns of a profile that the fallbacks have to offer too', () => {
    const { warnings } = checkConfig({ ...withWww({ profile: 'tlsserver' }), fallbackIssuers: [other] });
    expect(warnings).toEqual([
      'certificates[0].profile: "tlsserver" is asked of the fallback issuers too, which refuse a profile they do not offer',
    ]);
  });

  test('keeps a private key and passes the cap only where it says so', () => {
    const { deployed } = checkConfig(
      withCertificates(www, { name: 'b', identifiers: ['example.com'], reuseKey: true, ignoreIssueCap: true }),
    );
    expect(deployed.certificates.map(({ reuseKey, ignoreIssueCap }) => [reuseKey, ignoreIssueCap])).toEqual([
      [false, false],
      [true, true],
    ]);
  });

  test('has every trusted root once, however many issuers and texts name it', () => {
    const [first = '', second = ''] = rootCertificates;
    const one = acmeDirectory({
      directoryUrl: 'https://one.example/directory',
      trustedRoots: [`${first}\n${second}\n`],
    });
    const two = acmeDirectory({ directoryUrl: 'https://two.example/directory', trustedRoots: [first] });
    const { trustedRoots } = checkConfig({ ...withWww({ issuer: two }), issuer: one });
    expect(trustedRoots).toEqual([first, second]);
  });

  test('leaves keys that somebody else reads alone, and offers them for a mistyped one', () => {
    expect(checkConfig({ ...base, logRetention: 7 }, ['logRetention']).warnings).toEqual([]);
    expect(() => checkConfig({ ...base, logretention: 7 }, ['logRetention'])).toThrow('did you mean "logRetention"?');
  });
});

test('tokens of zone ids are numbered in the file and put back at run time', () => {
  const zones = [...hostedZones, { id: token, name: 'example.org' }];
  const { deployed, tokens } = checkConfig({ ...base, hostedZones: zones });
  const file = serializeConfig(deployed);
  expect(file.tokens).toEqual([token]);
  expect(tokens).toEqual(file.tokens);
  expect(file.json).not.toContain('Token');
  expect(resolveTokens(JSON.parse(file.json), ['ZDEPLOYED'])).toEqual({
    ...deployed,
    hostedZones: [...hostedZones, { id: 'ZDEPLOYED', name: 'example.org' }],
  });
});

test('the ARN of a binding may be a token, and travels with those of zone ids', () => {
  const zones = [...hostedZones, { id: token, name: 'example.org' }];
  const arn = Lazy.string({ produce: () => 'known at deploy only' });
  const { deployed, tokens } = checkConfig({
    ...base,
    hostedZones: zones,
    issuer: { ...issuer, externalAccountBinding: arn },
    fallbackIssuers: [{ ...other, externalAccountBinding: binding }],
  });
  const file = serializeConfig(deployed);
  expect(tokens).toEqual([token, arn]);
  const { issuers } = resolveTokens(JSON.parse(file.json), ['ZDEPLOYED', `${binding.slice(0, -6)}ZyXwVu`]);
  expect(issuers.map(({ externalAccountBinding }) => externalAccountBinding)).toEqual([
    `${binding.slice(0, -6)}ZyXwVu`,
    binding,
  ]);
});

test('2,000 certificates in 300 zones are checked in less than a second', () => {
  const zones = Array.from({ length: 300 }, (_, index) => ({ id: `Z0000${index}`, name: `z${index}.example.com` }));
  const certificates = Array.from({ length: 2000 }, (_, index) => ({
    name: `c${index}`,
    identifiers: [`c${index}.z${index % 300}.example.com`, `*.c${index}.z${index % 300}.example.com`],
    acm: ['us-east-1'],
  }));
  const start = performance.now();
  expect(checkConfig({ issuer, hostedZones: zones, certificates }).deployed.certificates).toHaveLength(2000);
  expect(performance.now() - start).toBeLessThan(1000);
});
