import {
  CfnResource,
  type CustomResource,
  DefaultTokenResolver,
  type IPostProcessor,
  type IResolvable,
  type IResolveContext,
  Reference,
  Stack,
  StringConcat,
  Token,
  Tokenization,
} from 'aws-cdk-lib';
import type { CfnDomainName as EdgeDomainName } from 'aws-cdk-lib/aws-apigateway';
import type { CfnDomainName as RegionalDomainName } from 'aws-cdk-lib/aws-apigatewayv2';
import type { CfnDomainName as GraphqlDomainName } from 'aws-cdk-lib/aws-appsync';
import type { CfnDistribution } from 'aws-cdk-lib/aws-cloudfront';
import type { CfnUserPoolDomain } from 'aws-cdk-lib/aws-cognito';
import type { CfnListener, CfnListenerCertificate } from 'aws-cdk-lib/aws-elasticloadbalancingv2';

/** A certificate of the config as it is asked for here. */
export interface AskedCertificate {
  readonly name: string;
  readonly region: string;
  readonly keyType: string;
  /** Of its issuers that browsers do not trust the first, by name; `undefined`: none. */
  readonly untrustedIssuer: string | undefined;
  /** What it is when it is as configured, by each of its issuers: whichever issued it. */
  readonly specHashes: readonly string[];
}

/** Where a certificate stands in what CloudFront serves: its own distributions, and those that other services make of it. */
const served: Readonly<Record<string, (resource: CfnResource) => unknown>> = {
  'AWS::CloudFront::Distribution': (resource) => (resource as CfnDistribution).distributionConfig,
  'AWS::ApiGateway::DomainName': (resource) => (resource as EdgeDomainName).certificateArn,
  'AWS::AppSync::DomainName': (resource) => (resource as GraphqlDomainName).certificateArn,
  'AWS::Cognito::UserPoolDomain': (resource) => (resource as CfnUserPoolDomain).customDomainConfig,
};

/** Why CloudFront cannot be given this certificate, a sentence for each resource of the app that gives it: CloudFront would say so late. */
export function cloudFrontMistakes(
  certificate: CustomResource,
  { name, region, keyType, untrustedIssuer }: AskedCertificate,
): string[] {
  const mistakes = [
    ...(untrustedIssuer === undefined
      ? []
      : [
          `is issued by ${untrustedIssuer}, which browsers do not trust, and CloudFront takes no such certificate: name an issuer that they trust, letsEncrypt(...) for example`,
        ]),
    // https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cnames-and-https-requirements.html
    ...(keyType === 'P-384' ? ['has a P-384 key, and CloudFront takes P-256 and RSA only: change its keyType'] : []),
    ...(region === 'us-east-1'
      ? []
      : [
          `is asked for in ${region}, and CloudFront reads ACM in us-east-1 only: ask for certificate('${name}', 'us-east-1')`,
        ]),
  ];
  if (mistakes.length === 0) return [];
  return users(certificate, served).flatMap((user) =>
    mistakes.map((mistake) => `Certificate ${name}, given to ${user.node.path}, ${mistake}.`),
  );
}

/** What takes certificates of its own region only: resources by type. */
const regional: Readonly<Record<string, (resource: CfnResource) => unknown>> = {
  'AWS::ElasticLoadBalancingV2::Listener': (resource) => (resource as CfnListener).certificates,
  'AWS::ElasticLoadBalancingV2::ListenerCertificate': (resource) => (resource as CfnListenerCertificate).certificates,
  'AWS::ApiGatewayV2::DomainName': (resource) => (resource as RegionalDomainName).domainNameConfigurations,
};

/** A sentence for each load balancer and regional API that is given a certificate of another region. */
export function regionMistakes(certificate: CustomResource, { name, region }: AskedCertificate): string[] {
  return users(certificate, regional).flatMap((user) => {
    const { region: there } = Stack.of(user);
    if (Token.isUnresolved(there) || there === region) return [];
    return [
      `Certificate ${name}, given to ${user.node.path}, is asked for in ${region}, and that is in ${there}: ask for certificate('${name}', '${there}').`,
    ];
  });
}

/** In any stack of the app: a reference stays one until its stack is written. */
function users(
  certificate: CustomResource,
  taking: Readonly<Record<string, (resource: CfnResource) => unknown>>,
): CfnResource[] {
  return certificate.node.root.node
    .findAll()
    .filter((each) => CfnResource.isCfnResource(each))
    .filter((resource) => {
      const given = taking[resource.cfnResourceType]?.(resource);
      return given !== undefined && refersTo(given, certificate, resource);
    });
}

function refersTo(value: unknown, certificate: CustomResource, scope: CfnResource): boolean {
  const resolver = new References();
  Tokenization.resolve(value, { scope, resolver });
  return [...resolver.targets].some((target) => target === certificate.node.defaultChild);
}

/** Notes what the tokens of a value refer to. */
class References extends DefaultTokenResolver {
  readonly targets = new Set<unknown>();

  constructor() {
    super(new StringConcat());
  }

  override resolveToken(token: IResolvable, context: IResolveContext, postProcessor: IPostProcessor): unknown {
    if (Reference.isReference(token)) this.targets.add(token.target);
    return super.resolveToken(token, context, postProcessor);
  }
}
