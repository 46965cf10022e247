import { App, Aws, CfnResource, CustomResource, Stack } from 'aws-cdk-lib';
import { CfnDomainName as ApiDomain } from 'aws-cdk-lib/aws-apigateway';
import { CfnDomainName as HttpApiDomain } from 'aws-cdk-lib/aws-apigatewayv2';
import { CfnDomainName as GraphqlDomain } from 'aws-cdk-lib/aws-appsync';
import { CfnDistribution } from 'aws-cdk-lib/aws-cloudfront';
import { CfnUserPoolDomain } from 'aws-cdk-lib/aws-cognito';
import { CfnListener, CfnListenerCertificate } from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { expect, test } from 'vitest';
import { type RequestedCertificate, useMistakes } from '../../../infra/consumers/certificate-uses.ts';

const requested: RequestedCertificate = {
  name: 'www',
  region: 'eu-west-1',
  keyType: 'P-256',
  identifiers: ['api.example.com', 'example.com', '*.login.example.com'],
  untrustedIssuer: undefined,
  specHashes: [],
};

/** Returns the mistakes of an app in which one resource uses the certificate, in a stack of this region. */
function mistakesOf(use: (stack: Stack, certificateArn: string) => unknown, region = 'eu-central-1'): string[] {
  const app = new App();
  const certificate = new CustomResource(new Stack(app, 'Certificates'), 'Www', { serviceToken: 'arn:aws:lambda:::f' });
  use(new Stack(app, 'Site', { env: { region } }), certificate.getAttString('Arn'));
  return useMistakes(certificate, requested);
}

const distribution = (stack: Stack, acmCertificateArn: string) =>
  new CfnDistribution(stack, 'Use', {
    distributionConfig: {
      enabled: true,
      defaultCacheBehavior: { targetOriginId: 'origin', viewerProtocolPolicy: 'https-only' },
      viewerCertificate: { acmCertificateArn },
    },
  });

test.each([
  ['a distribution', distribution],
  ['an edge-optimized API', (stack, certificateArn) => new ApiDomain(stack, 'Use', { certificateArn })],
  [
    'a GraphQL API',
    (stack, certificateArn) => new GraphqlDomain(stack, 'Use', { domainName: 'api.example.com', certificateArn }),
  ],
  [
    'a user pool',
    (stack, certificateArn) =>
      new CfnUserPoolDomain(stack, 'Use', {
        domain: 'eu.login.example.com',
        userPoolId: 'pool',
        customDomainConfig: { certificateArn },
      }),
  ],
] as readonly [string, (stack: Stack, certificateArn: string) => unknown][])(
  '%s accepts certificates in us-east-1 only',
  (_, use) => {
    expect(mistakesOf(use)).toEqual([
      expect.stringMatching(/www.*Site\/Use.*eu-west-1.*CloudFront.*certificate\('www', 'us-east-1'\)/),
    ]);
  },
);

const regional: readonly [string, (stack: Stack, certificateArn: string) => unknown][] = [
  [
    'a listener',
    (stack, certificateArn) =>
      new CfnListener(stack, 'Use', {
        loadBalancerArn: 'arn',
        defaultActions: [{ type: 'fixed-response' }],
        certificates: [{ certificateArn }],
      }),
  ],
  [
    'a certificate of a listener',
    (stack, certificateArn) =>
      new CfnListenerCertificate(stack, 'Use', { listenerArn: 'arn', certificates: [{ certificateArn }] }),
  ],
  [
    'a regional REST API',
    (stack, regionalCertificateArn) =>
      new ApiDomain(stack, 'Use', { domainName: 'api.example.com', regionalCertificateArn }),
  ],
  [
    'an HTTP API',
    (stack, certificateArn) =>
      new HttpApiDomain(stack, 'Use', {
        domainName: 'api.example.com',
        domainNameConfigurations: [{ certificateArn }],
      }),
  ],
];

test.each(regional)('%s accepts certificates in its own region only', (_, use) => {
  expect(mistakesOf(use)).toEqual([
    expect.stringMatching(/www.*Site\/Use.*eu-west-1.*eu-central-1.*certificate\('www', 'eu-central-1'\)/),
  ]);
  expect(mistakesOf(use, 'eu-west-1')).toEqual([]);
});

test.each<[string, (stack: Stack, certificateArn: string, name: string) => unknown]>([
  [
    'a distribution',
    (stack, acmCertificateArn, name) =>
      new CfnDistribution(stack, 'Use', {
        distributionConfig: {
          enabled: true,
          aliases: ['example.com', name],
          defaultCacheBehavior: { targetOriginId: 'origin', viewerProtocolPolicy: 'https-only' },
          viewerCertificate: { acmCertificateArn },
        },
      }),
  ],
  ['an API', (stack, certificateArn, domainName) => new ApiDomain(stack, 'Use', { domainName, certificateArn })],
  [
    'a regional API',
    (stack, regionalCertificateArn, domainName) => new ApiDomain(stack, 'Use', { domainName, regionalCertificateArn }),
  ],
  [
    'an HTTP API',
    (stack, certificateArn, domainName) =>
      new HttpApiDomain(stack, 'Use', { domainName, domainNameConfigurations: [{ certificateArn }] }),
  ],
  [
    'a GraphQL API',
    (stack, certificateArn, domainName) => new GraphqlDomain(stack, 'Use', { domainName, certificateArn }),
  ],
  [
    'a user pool',
    (stack, certificateArn, domain) =>
      new CfnUserPoolDomain(stack, 'Use', { domain, userPoolId: 'pool', customDomainConfig: { certificateArn } }),
  ],
])('%s may only have names of the certificate, and a name with a token is skipped', (_, use) => {
  const named = (name: string) =>
    mistakesOf((stack, arn) => use(stack, arn, name), 'us-east-1').filter((each) => each.includes('does not have'));
  expect(named('www.example.com')).toEqual([
    expect.stringMatching(/www, used by Site\/Use, .* name www\.example\.com\./),
  ]);
  expect(named('login.example.com')).toHaveLength(1);
  expect(named('a.b.login.example.com')).toHaveLength(1);
  for (const name of ['API.example.com', 'eu.login.example.com', `${Aws.REGION}.example.net`])
    expect(named(name)).toEqual([]);
});

test('resources that use another certificate, and other resources, are not checked', () => {
  expect(mistakesOf((stack) => distribution(stack, 'arn:aws:acm:eu-west-1:111111111111:certificate/a'))).toEqual([]);
  expect(mistakesOf((stack) => new ApiDomain(stack, 'Use', { domainName: 'api.example.com' }))).toEqual([]);
  expect(
    mistakesOf((stack, arn) => new CfnResource(stack, 'Use', { type: 'AWS::SSM::Parameter', properties: { arn } })),
  ).toEqual([]);
});
