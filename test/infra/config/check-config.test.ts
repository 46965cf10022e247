import { inspect } from 'node:util';
import { Lazy } from 'aws-cdk-lib';
import { describe, expect, test } from 'vitest';
import { checkConfig } from '../../../infra/config/check-config.ts';
import { ConfigError } from '../../../infra/config/mistakes.ts';
import { serializeConfig } from '../../../infra/config/serialize-config.ts';
import { resolveTokens } from '../../../lambdas/domain/rules/certificate/certificate-spec.ts';
import { type Expected, expectMistakes, mistakesOf } from '../mistakes.ts';
import { base, binding, hostedZones, issuer, manyNames, other, token, withCertificates } from './configs.ts';

const configKeys =
  'issuer, fallbackIssuers, hostedZones, certificates, secretPrefix, schedule, pace, notifications, monitoring, encryptionKey, tags, rootServers';

describe('a configuration is rejected for', () => {
  test.each<readonly [what: string, config: unknown, ...expected: Expected[]]>([
    ['being absent', undefined, ['config', 'missing', `an object with ${configKeys}`]],
    ['being a list', [base], ['config', 'found a list', `an object with ${configKeys}`]],
    ['being empty', {}, ['certificates', 'missing', 'a list of certificates'], ['issuer', 'missing', 'letsEncrypt({']],
    ['an empty list of certificates', withCertificates(), ['certificates', 'an empty list', 'at least one']],
    [
      'a misspelled key',
      { ...base, hostedzone: [] },
      ['hostedzone', 'unknown key', 'did you mean "hostedZones"?', configKeys],
    ],
    ['the key zones', { ...base, zones: [] }, ['zones', 'unknown key', 'did you mean "hostedZones"?']],
    ['the key email', { ...base, email: 'a@b.example' }, ['email', 'unknown key', 'option of the issuer', 'contact']],
    ['the key domains', { ...base, domains: ['example.com'] }, ['domains', 'unknown key', 'identifiers']],
    ['the key renewBefore', { ...base, renewBefore: 30 }, ['renewBefore', 'unknown key', 'the CA decides', 'ARI']],
    ['a prefix without a slash', { ...base, secretPrefix: 'tls' }, ['secretPrefix', '"tls"', 'end in one slash']],
    ...[0, -1, 101, '0.7', Number.NaN, Number.POSITIVE_INFINITY].map(
      (pace) =>
        [
          `the pace ${pace}`,
          { ...base, pace },
          ['pace', 'found', 'a number of renewals a second from 0.01 to 100'],
        ] as const,
    ),
    [
      'a key that is not an ARN',
      { ...base, encryptionKey: 'alias/mine' },
      ['encryptionKey', '"alias/mine"', 'the ARN of a KMS key'],
    ],
    ...['a.root-servers.net', '999.1.1.1:53', '192.0.2:53', '192.0.2.53:0', '[2001:db8:::53]:53', '[::1]:65536'].map(
      (server) =>
        [
          `the root server ${server}`,
          { ...base, rootServers: [server] },
          ['rootServers[0]', `"${server}"`, 'an address'],
        ] as const,
    ),
  ])('%s', (_, config, ...expected) => {
    expectMistakes(() => checkConfig(config), ...(expected as Expected[]));
  });
});

test('all mistakes are reported at once, one line each', () => {
  const config = {
    schedul: 'rate(1 day)',
    issuer: { ...issuer, termsOfServiceAgreed: false },
    encryptionKey: 'alias/mine',
    hostedZones: [...hostedZones, { id: 'zone', name: 'example.com' }],
    certificates: [
      { name: 'www', identifiers: ['www.example.com', '*.example.com', 'example.org', '192.0.2.1'], acm: ['mars-1'] },
      { name: 'www', identifiers: [], keytype: 'P-384' },
      { name: 'a', identifiers: ['a.example.net'] },
      { name: 'b', identifiers: ['a.example.net'] },
      { name: 'C!', identifiers: manyNames(26), profile: 'shortlived' },
    ],
  };
  const lines = mistakesOf(() => checkConfig(config));
  expect(() => checkConfig(config)).toThrow(lines.join('\n'));
  expectMistakes(
    () => checkConfig(config),
    ['schedul'],
    ['encryptionKey'],
    ['issuer.termsOfServiceAgreed'],
    ['hostedZones[2].id'],
    ['hostedZones[2].name'],
    ['certificates[0].identifiers[2]'],
    ['certificates[0].identifiers[3]'],
    ['certificates[0].identifiers[0]'],
    ['certificates[0].acm[0]'],
    ['certificates[1].keytype'],
    ['certificates[1].identifiers'],
    ['certificates[4].name'],
    ['certificates[4].identifiers'],
    ['certificates[1].name'],
    ['certificates[3]'],
  );
});

describe('a checked configuration', () => {
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
          challenges: ['dns-01'],
          staging: true,
          newOrders: { burst: 1450, everySeconds: 8 },
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
      trustedRoots: {},
      untrustedIssuers: new Set([0]),
      bindingKeys: new Set(),
      tokens: [],
      tags: {},
      secretPrefix: 'certificates/',
      accountSecretPrefix: 'certificates-accounts/',
      pace: 0.7,
      monitoring: { alarms: {} },
      rootServers: [],
    });
  });

  test('may have root servers with IPv4 and IPv6 addresses and ports', () => {
    const rootServers = ['127.0.0.1:5301', '192.0.2.53', '[2001:db8::53]:53'];
    expect(checkConfig({ ...base, rootServers }).rootServers).toEqual(rootServers);
  });

  test('has numbered tokens for zone ids in the file, which are resolved at run time', () => {
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

  test('has the ARN of a binding as a token beside those of zone ids', () => {
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
});

test('2,000 certificates in 300 zones are checked within the timeout of this test', () => {
  const zones = Array.from({ length: 300 }, (_, index) => ({ id: `Z0000${index}`, name: `z${index}.example.com` }));
  const certificates = Array.from({ length: 2000 }, (_, index) => ({
    name: `c${index}`,
    identifiers: [`c${index}.z${index % 300}.example.com`, `*.c${index}.z${index % 300}.example.com`],
    acm: ['us-east-1'],
  }));
  expect(checkConfig({ issuer, hostedZones: zones, certificates }).deployed.certificates).toHaveLength(2000);
}, 15_000);

test('an uncaught ConfigError is printed with each mistake once', () => {
  const printed = inspect(new ConfigError(['issuer: missing; give one', 'certificates: missing; give one']));
  expect(printed.match(/certificates: missing/g)).toHaveLength(1);
});
