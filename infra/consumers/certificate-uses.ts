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

/** A configured certificate that the app requests in one region. */
export interface RequestedCertificate {
  readonly name: string;
  readonly region: string;
  readonly keyType: string;
  /** Name of the first issuer that browsers do not trust, or `undefined` if all are trusted. */
  readonly untrustedIssuer: string | undefined;
  /** The spec hash of the certificate as configured, for each issuer that may issue it. */
  readonly specHashes: readonly string[];
}

/**
 * Properties with a certificate that CloudFront serves, by resource type: its distributions, and resources of other services that use
 * CloudFront.
 */
const served: Readonly<Record<string, (resource: CfnResource) => unknown>> = {
  'AWS::CloudFront::Distribution': (resource) => (resource as CfnDistribution).distributionConfig,
  'AWS::ApiGateway::DomainName': (resource) => (resource as EdgeDomainName).certificateArn,
  'AWS::AppSync::DomainName': (resource) => (resource as GraphqlDomainName).certificateArn,
  'AWS::Cognito::UserPoolDomain': (resource) => (resource as CfnUserPoolDomain).customDomainConfig,
};

/**
 * Returns why CloudFront rejects this certificate, one sentence for each resource that uses it. CloudFront itself would fail late in the
 * deployment.
 */
export function cloudFrontMistakes(
  certificate: CustomResource,
  { name, region, keyType, untrustedIssuer }: RequestedCertificate,
): string[] {
  const mistakes = [
    ...(untrustedIssuer === undefined
      ? []
      : [
          `is issued by ${untrustedIssuer}, which browsers do not trust, so CloudFront rejects it. Use an issuer that browsers trust, such as letsEncrypt(...)`,
        ]),
    // https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cnames-and-https-requirements.html
    ...(keyType === 'P-384' ? ['has a P-384 key, but CloudFront accepts P-256 and RSA only. Change its keyType'] : []),
    ...(region === 'us-east-1'
      ? []
      : [
          `is requested in ${region}, but CloudFront reads ACM in us-east-1 only. Use certificate('${name}', 'us-east-1')`,
        ]),
  ];
  if (mistakes.length === 0) return [];
  return users(certificate, served).flatMap((user) =>
    mistakes.map((sentence) => `Certificate ${name}, used by ${user.node.path}, ${sentence}.`),
  );
}

/** Properties with a certificate that has to be in the region of the resource, by resource type. */
const regional: Readonly<Record<string, (resource: CfnResource) => unknown>> = {
  'AWS::ElasticLoadBalancingV2::Listener': (resource) => (resource as CfnListener).certificates,
  'AWS::ElasticLoadBalancingV2::ListenerCertificate': (resource) => (resource as CfnListenerCertificate).certificates,
  'AWS::ApiGatewayV2::DomainName': (resource) => (resource as RegionalDomainName).domainNameConfigurations,
};

/** Returns one sentence for each load balancer and regional API that uses a certificate of another region. */
export function regionMistakes(certificate: CustomResource, { name, region }: RequestedCertificate): string[] {
  return users(certificate, regional).flatMap((user) => {
    const { region: there } = Stack.of(user);
    if (Token.isUnresolved(there) || there === region) return [];
    return [
      `Certificate ${name}, used by ${user.node.path}, is requested in ${region}, but the resource is in ${there}. Use certificate('${name}', '${there}').`,
    ];
  });
}

/** Returns the resources in all stacks of the app that refer to the certificate. References are resolved only when a stack is written. */
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

/** Collects the targets of the references in a value. */
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
