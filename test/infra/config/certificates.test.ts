import { Lazy, Stack } from 'aws-cdk-lib';
import { HostedZone } from 'aws-cdk-lib/aws-route53';
import { RegionInfo } from 'aws-cdk-lib/region-info';
import { describe, expect, test } from 'vitest';
import { checkConfig } from '../../../infra/config/check-config.ts';
import { acmeDirectory, letsEncrypt } from '../../../infra/config/issuers.ts';
import { type Expected, expectMistakes, mistakesOf } from '../mistakes.ts';
import { base, hostedZones, manyNames, other, token, withCertificates, withWww, www } from './configs.ts';

type Row = readonly [what: string, config: unknown, ...expected: readonly Expected[]];

/** In alphabetical order, in which the tag on the secret names them. */
const regionNames = RegionInfo.regions.map(({ name }) => name).sort();
const manyRegions = regionNames.slice(0, 20);

const names: readonly Row[] = [
  ['a value that is not an object', withCertificates('www'), ['certificates[0]', '"www"', 'an object with name']],
  [
    'a construct, without naming its private members',
    withCertificates(www, new HostedZone(new Stack(), 'Zone', { zoneName: 'example.com' })),
    ['certificates[1]', 'a construct', 'an object with name'],
  ],
  ['an unknown key', withWww({ colour: 'red' }), ['certificates[0].colour', 'unknown key;', 'name, identifiers, acm']],
  [
    'a duplicate name',
    withCertificates(www, { name: 'www', identifiers: ['example.com'] }),
    ['certificates[1].name', 'duplicate', '"www"', 'certificates[0]', 'unique'],
  ],
  ['a name in upper case', withWww({ name: 'WWW' }), ['certificates[0].name', '"WWW"', '1 to 40 characters']],
  [
    'a name of 41 characters',
    withWww({ name: 'a'.repeat(41) }),
    ['certificates[0].name', 'a'.repeat(41), '1 to 40 characters'],
  ],
  ['a profile without a name', withWww({ profile: '' }), ['certificates[0].profile', '""', 'name of a profile']],
  [
    'flags that are not booleans',
    withWww({ reuseKey: 'yes', ignoreIssueCap: 1 }),
    ['certificates[0].reuseKey', '"yes"', 'true or false'],
    ['certificates[0].ignoreIssueCap', 'found 1', 'true or false'],
  ],
  [
    'the same certificate twice',
    withCertificates(www, { name: 'b', identifiers: ['WWW.example.com.'] }),
    ['certificates[1]', 'same identifiers', 'P-256', 'certificates[0]'],
  ],
  [
    'three certificates with the same names',
    withCertificates(www, { ...www, name: 'b', keyType: 'RSA-2048' }, { ...www, name: 'c', keyType: 'P-384' }),
    ['certificates[2]', 'same identifiers', 'certificates[0] and certificates[1]', 'at most two'],
  ],
];

const identifiers: readonly Row[] = [
  ['no identifiers', withWww({ identifiers: [] }), ['certificates[0].identifiers', 'empty list', 'at least one']],
  [
    'identifiers that are not a list',
    withWww({ identifiers: 'www.example.com' }),
    ['certificates[0].identifiers', '"www.example.com"', 'a list of DNS names'],
  ],
  [
    'an identifier that is not a text',
    withWww({ identifiers: [7] }),
    ['certificates[0].identifiers[0]', 'found 7', 'a DNS name'],
  ],
  ['101 names', withWww({ identifiers: manyNames(101) }), ['certificates[0].identifiers', '101 names', 'at most 100']],
  ...['tlsserver', 'shortlived'].map(
    (profile): Row => [
      `26 names with ${profile}`,
      withWww({ identifiers: manyNames(26), profile }),
      ['certificates[0].identifiers', '26 names', 'at most 25', profile],
    ],
  ),
  [
    'a name that a wildcard covers',
    withWww({ identifiers: ['WWW.example.com', '*.example.com'] }),
    ['certificates[0].identifiers[0]', '"WWW.example.com"', 'covered by "*.example.com"', 'identifiers[1]'],
  ],
  ...(
    [
      ['nowhere.example.org', 'no hosted zone', 'example.com, example.net'],
      ['192.0.2.1', 'IP address', 'a DNS name'],
      ['a.*.example.com', 'wildcard', 'a DNS name'],
      ['a_b.example.com', 'a_b', 'a DNS name'],
      ['https://www.example.com/', 'is a URL', 'did you mean "www.example.com"?'],
      ['HTTPS://www.example.com:443/path', 'is a URL', 'did you mean "www.example.com"?'],
      ['https://', 'is a URL', 'a DNS name'],
    ] as const
  ).map(
    ([identifier, ...words]): Row => [
      `the identifier ${identifier}`,
      withCertificates(www, { name: 'b', identifiers: [identifier] }),
      ['certificates[1].identifiers[0]', `"${identifier}"`, ...words],
    ],
  ),
  [
    'an identifier without any hosted zone',
    { ...base, hostedZones: [] },
    ['certificates[0].identifiers[0]', '"www.example.com"', 'no hosted zone', 'hostedZones'],
  ],
  [
    'a fallback issuer that needs a hosted zone, after an issuer that needs none',
    { issuer: { ...other, challenges: [] }, fallbackIssuers: [base.issuer], certificates: [www] },
    ['certificates[0].identifiers[0]', '"www.example.com"', 'no hosted zone'],
  ],
  [
    'a token in a name',
    withWww({ identifiers: [`${token}.example.com`] }),
    ['certificates[0].identifiers[0]', 'token'],
  ],
  ['a token as region', withWww({ acm: [token] }), ['certificates[0].acm[0]', 'CDK token', 'known at synth']],
  [
    'a token as list',
    withWww({ identifiers: Lazy.list({ produce: () => [] }) }),
    ['certificates[0].identifiers', 'CDK token', 'known at synth'],
  ],
];

/** Keys and values of other tools. */
const synonyms: readonly Row[] = [
  ...(
    [
      ['identifier', 'identifiers'],
      ['amc', 'acm'],
      ['domainName', 'identifiers'],
      ['subjectAlternativeNames', 'identifiers'],
      ['domains', 'identifiers'],
      ['domain', 'identifiers'],
      ['names', 'identifiers'],
      ['keytype', 'keyType'],
      ['key_algorithm', 'keyType'],
    ] as const
  ).map(
    ([key, meant]): Row => [
      `the key ${key}`,
      withWww({ [key]: 'x' }),
      [`certificates[0].${key}`, 'unknown key', `did you mean "${meant}"?`],
    ],
  ),
  ...['renewBefore', 'renewBeforeDays', 'renew_before_expiry'].map(
    (key): Row => [
      `the key ${key}, because the CA decides when`,
      withWww({ [key]: 30 }),
      [`certificates[0].${key}`, 'unknown key', 'the CA decides', 'ARI'],
    ],
  ),
  ['the key email', withWww({ email: 'a@b.example' }), ['certificates[0].email', 'unknown key', 'contact', 'issuer']],
  ...(
    [
      ['P256', 'P-256'],
      ['ec256', 'P-256'],
      ['ECDSA', 'P-256'],
      ['EC_prime256v1', 'P-256'],
      ['secp384r1', 'P-384'],
      ['rsa2048', 'RSA-2048'],
      ['RSA2048', 'RSA-2048'],
      ['RSA_4096', 'RSA-4096'],
    ] as const
  ).map(
    ([keyType, meant]): Row => [
      `the key type ${keyType}`,
      withWww({ keyType }),
      [
        'certificates[0].keyType',
        `"${keyType}"`,
        `did you mean "${meant}"?`,
        'P-256, P-384, RSA-2048, RSA-3072, RSA-4096',
      ],
    ],
  ),
  ['the key type ed25519', withWww({ keyType: 'ed25519' }), ['certificates[0].keyType', '"ed25519";', 'one of P-256']],
];

const delivery: readonly Row[] = [
  [
    'a misspelled region',
    withWww({ acm: ['us-east1'] }),
    ['certificates[0].acm[0]', '"us-east1"', 'did you mean "us-east-1"?', 'an AWS region'],
  ],
  [
    'a region that is not in a list',
    withWww({ acm: 'us-east-1' }),
    ['certificates[0].acm', '"us-east-1"', 'a list of AWS regions'],
  ],
  [
    'endpoints that are not servers',
    withWww({ endpoints: ['https://www.example.com', '*.example.com', 'www.example.com:70000'] }),
    ['certificates[0].endpoints[0]', 'is a URL', 'did you mean "www.example.com"?'],
    ['certificates[0].endpoints[1]', '"*.example.com"', 'wildcard'],
    ['certificates[0].endpoints[2]', '70000', '1 to 65535'],
  ],
  [
    'endpoints that are IP addresses',
    withWww({ endpoints: ['192.0.2.1:443', '2001:db8::1', '[2001:db8::1]:8443'] }),
    ...['"192.0.2.1:443"', '"2001:db8::1"', '"[2001:db8::1]:8443"'].map(
      (found, index): Expected => [`certificates[0].endpoints[${index}]`, found, 'IP address', 'SNI'],
    ),
  ],
  [
    'readers with wildcards',
    withWww({ readers: ['*', 'arn:aws:iam::444455556666:role/*'] }),
    ['certificates[0].readers[0]', '"*"', 'without wildcards'],
    ['certificates[0].readers[1]', 'role/*', 'without wildcards'],
  ],
  [
    'invalid replicas',
    withWww({
      replicas: [
        'eu-west-9',
        'eu-west-1',
        'eu-west-1',
        { region: 'eu-west-2', encryptionKey: 'arn:aws:kms:eu-west-3:111122223333:key/a' },
      ],
    }),
    ['certificates[0].replicas[0]', '"eu-west-9"', 'did you mean "eu-west-1"?'],
    ['certificates[0].replicas[2]', 'duplicate', '"eu-west-1"', 'once'],
    ['certificates[0].replicas[3].encryptionKey', 'eu-west-3', 'eu-west-2'],
  ],
  [
    'more replicas than fit into the tag that names them',
    withWww({ replicas: manyRegions }),
    ['certificates[0].replicas', `${manyRegions.length} regions`, `${manyRegions.join(' ').length} characters`, '256'],
  ],
];

const aliases: readonly Row[] = [
  [
    'a CNAME into no hosted zone',
    withWww({ challengeAlias: 'www.acme.example.org' }),
    ['certificates[0].challengeAlias', '"www.acme.example.org"', 'no hosted zone'],
  ],
  [
    'a CNAME to an ordinary name',
    withWww({ challengeAlias: 'mail.example.net' }),
    ['certificates[0].challengeAlias', '"mail.example.net"', '_acme-challenge.', 'challengesOnly'],
  ],
  [
    'a CNAME to itself',
    withWww({ challengeAlias: '_acme-challenge.www.example.com' }),
    ['certificates[0].challengeAlias', '"_acme-challenge.www.example.com"', 'the CNAME record itself'],
  ],
  [
    'a CNAME of a name that the certificate does not have',
    withWww({ challengeAlias: { 'example.net': '_acme-challenge.x.example.net' } }),
    ['certificates[0].challengeAlias["example.net"]', '"example.net"', 'one of the identifiers'],
  ],
];

describe('a certificate is rejected for', () => {
  test.each([...names, ...identifiers, ...synonyms, ...delivery, ...aliases])('%s', (_, config, ...expected) => {
    expectMistakes(() => checkConfig(config), ...(expected as Expected[]));
  });
});

describe('a checked certificate', () => {
  const zonesWith = (...zones: readonly object[]) => [...hostedZones, ...zones];

  test('may have as many replicas as fit into the tag that names them', () => {
    const most = regionNames.findIndex((_, index) => regionNames.slice(0, index + 1).join(' ').length > 256);
    const withReplicas = (count: number) => () => checkConfig(withWww({ replicas: regionNames.slice(0, count) }));
    expect(mistakesOf(withReplicas(most))).toEqual([]);
    expect(mistakesOf(withReplicas(most + 1))).toHaveLength(1);
  });

  test('has normalised aliases, endpoints, readers and replicas', () => {
    const key = 'arn:aws:kms:eu-west-1:111122223333:key/0a1b';
    const readers = ['arn:aws:iam::444455556666:role/reader', 'arn:aws:iam::444455556666:root'];
    const { deployed } = checkConfig({
      ...base,
      hostedZones: zonesWith({ id: 'Z0000000003', name: 'acme.example.org', challengesOnly: true }),
      certificates: [
        {
          ...www,
          challengeAlias: 'www.ACME.example.org.',
          endpoints: ['www.example.com:8443', 'WWW.example.com'],
          readers,
          replicas: ['us-west-2', { region: 'eu-west-1', encryptionKey: key }],
        },
      ],
    });
    expect(deployed.certificates[0]).toMatchObject({
      hostedZones: [0],
      challengeAliases: { 'www.example.com': 'www.acme.example.org' },
      endpoints: ['www.example.com:443', 'www.example.com:8443'],
      readers,
      replicas: [
        { region: 'eu-west-1', encryptionKey: key },
        { region: 'us-west-2', encryptionKey: null },
      ],
    });
  });

  test('may have names outside all zones if a zone for challenges exists or the CNAME targets are configured', () => {
    const elsewhere = { name: 'elsewhere', identifiers: ['*.example.org', 'example.edu'] };
    const forChallenges = { id: 'Z0000000003', name: 'acme.example.net', challengesOnly: true };
    const looked = checkConfig({ ...base, hostedZones: zonesWith(forChallenges), certificates: [elsewhere] });
    expect(looked.deployed.certificates[0]).toMatchObject({ identifiers: elsewhere.identifiers, hostedZones: [] });
    const challengeAlias = {
      '*.example.org': '_acme-challenge.org.example.net',
      'example.edu': '_acme-challenge.edu.example.net',
    };
    const configured = checkConfig({ ...base, certificates: [{ ...elsewhere, challengeAlias }] });
    expect(configured.deployed.certificates[0]?.challengeAliases).toEqual({
      'example.org': '_acme-challenge.org.example.net',
      'example.edu': '_acme-challenge.edu.example.net',
    });
  });

  test('may have 100 names, 25 with a small profile, a name of 40 characters, and a wildcard beside its parent', () => {
    const certificates = [
      { name: 'a'.repeat(40), identifiers: manyNames(100) },
      { name: 'b', identifiers: manyNames(25), profile: 'tlsserver' },
      { name: 'c', identifiers: ['*.example.com', 'example.com', 'a.b.example.com'] },
    ];
    expect(mistakesOf(() => checkConfig({ ...base, certificates }))).toEqual([]);
  });

  test('may have the same names as another one with a different key type or issuer', () => {
    const different = acmeDirectory({ directoryUrl: 'https://ca.example/directory' });
    const { deployed } = checkConfig(
      withCertificates(www, { ...www, name: 'rsa', keyType: 'RSA-2048' }, { ...www, name: 'other', issuer: different }),
    );
    expect(deployed.certificates.map(({ issuers }) => issuers)).toEqual([[0], [0], [1]]);
    expect(deployed.issuers.map(({ name }) => name)).toEqual(['letsencrypt-staging', 'ca.example']);
  });

  test('needs no hosted zone if its issuer needs no challenges', () => {
    const certificates = [{ name: 'www', identifiers: ['www.example.org'] }];
    const noChallenge = acmeDirectory({ directoryUrl: 'https://ca.example/directory', challenges: [] });
    expect(checkConfig({ issuer: noChallenge, certificates }).deployed.certificates[0]?.hostedZones).toEqual([]);
    const fallbackIssuers = [{ ...other, challenges: [] }];
    expect(checkConfig({ ...base, fallbackIssuers }).deployed.certificates[0]?.hostedZones).toEqual([0]);
  });

  test('lists the zone with the longest suffix of each name, each zone once', () => {
    const zones = zonesWith({ id: 'Z0000000003', name: '_acme-challenge.api.example.com' });
    const certificate = {
      name: 'www',
      identifiers: ['example.net', 'api.example.com', 'a.example.com', 'b.example.com'],
    };
    const { deployed } = checkConfig({ ...base, hostedZones: zones, certificates: [certificate] });
    expect(deployed.certificates[0]?.hostedZones).toEqual([0, 1, 2]);
  });

  test('has the fallback issuers after its issuer, and its own instead of those of the configuration', () => {
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

  test('keeps its private key and ignores the issue cap only if it is configured to', () => {
    const { deployed } = checkConfig(
      withCertificates(www, { name: 'b', identifiers: ['example.com'], reuseKey: true, ignoreIssueCap: true }),
    );
    expect(deployed.certificates.map(({ reuseKey, ignoreIssueCap }) => [reuseKey, ignoreIssueCap])).toEqual([
      [false, false],
      [true, true],
    ]);
  });
});

describe('a certificate gets a warning for', () => {
  const warningsOf = (config: unknown) => checkConfig(config).warnings.map(({ text }) => text);

  test.each<readonly [string, unknown, readonly Expected[]]>([
    [
      'an endpoint that none of its names covers',
      withWww({ endpoints: ['example.com', 'www.example.com'] }),
      [['certificates[0].endpoints[0]', '"example.com"', 'not a name of this certificate']],
    ],
    [
      'repeated names and regions',
      withWww({ identifiers: ['www.example.com', 'WWW.example.com.'], acm: ['us-east-1', 'us-east-1'] }),
      [
        ['certificates[0].identifiers[1]', '"WWW.example.com."', 'identifiers[0]'],
        ['certificates[0].acm[1]', '"us-east-1"', 'repeats'],
      ],
    ],
    [
      'a P-384 key in the region of CloudFront',
      withWww({ keyType: 'P-384', acm: ['us-east-1'] }),
      [['certificates[0].keyType', 'CloudFront', 'us-east-1']],
    ],
    ['no P-384 key in another region', withWww({ keyType: 'P-384', acm: ['eu-west-1'] }), []],
    [
      'a profile that fallback issuers may not offer',
      { ...withWww({ profile: 'tlsserver' }), fallbackIssuers: [other] },
      [['certificates[0].profile', '"tlsserver"', 'a fallback issuer', 'default profile']],
    ],
  ])('%s', (_, config, expected) => {
    const warnings = warningsOf(config);
    expect(warnings).toHaveLength(expected.length);
    for (const [index, [path, ...words]] of expected.entries()) {
      expect(warnings[index]).toMatch(new RegExp(`^${path.replaceAll(/[[\].]/g, String.raw`\$&`)}: `));
      for (const word of words) expect(warnings[index]).toContain(word);
    }
  });

  test.each([
    [{ keyType: 'P-384', acm: ['us-east-1'] }, 'perennial:keyTypeOfCloudFront:www'],
    [{ acm: ['us-east-1', 'us-east-1'] }, 'perennial:repeatedRegion:www'],
    [{ identifiers: ['www.example.com', 'WWW.example.com'] }, 'perennial:repeatedIdentifier:www'],
    [{ endpoints: ['example.com'] }, 'perennial:endpointOfOtherName:www'],
    [{ endpoints: ['www.example.com', 'www.example.com:443'] }, 'perennial:repeatedEndpoint:www'],
  ])('%j with an id that stays when certificates are added before it', (fields, id) => {
    const config = withWww(fields) as { readonly certificates: readonly object[] };
    const [www] = config.certificates;
    const added = { name: 'new', identifiers: ['new.example.com'], acm: ['us-east-1', 'us-east-1'] };
    const idsOf = (certificates: readonly unknown[]) =>
      checkConfig({ ...config, certificates }).warnings.map((warning) => warning.id);
    expect(idsOf([www])).toEqual([id]);
    expect(idsOf([added, www])).toEqual(['perennial:repeatedRegion:new', id]);
  });

  test('repeated names and regions, which are used once', () => {
    const { deployed } = checkConfig(
      withWww({ identifiers: ['www.example.com', 'WWW.example.com.'], acm: ['us-east-1', 'us-east-1'] }),
    );
    expect(deployed.certificates[0]).toMatchObject({ identifiers: ['www.example.com'], regions: ['us-east-1'] });
  });
});
