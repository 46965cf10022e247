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
import { covers } from '../config/endpoints.ts';

/** A configured certificate that the app requests in one region. */
export interface RequestedCertificate {
  readonly name: string;
  readonly region: string;
  readonly keyType: string;
  /** Names of the certificate, in lower case. */
  readonly identifiers: readonly string[];
  /** Name of the first issuer that browsers do not trust, or `undefined` if all are trusted. */
  readonly untrustedIssuer: string | undefined;
  /** The spec hash of the certificate as configured, for each issuer that may issue it. */
  readonly specHashes: readonly string[];
}

/**
 * The property with a certificate that CloudFront serves, by resource type: its distributions, and resources of other services that use
 * CloudFront.
 */
const cloudFront: Readonly<Record<string, string>> = {
  'AWS::CloudFront::Distribution': 'distributionConfig',
  'AWS::ApiGateway::DomainName': 'certificateArn',
  'AWS::AppSync::DomainName': 'certificateArn',
  'AWS::Cognito::UserPoolDomain': 'customDomainConfig',
};

/** The property with a certificate that has to be in the region of the resource, by resource type. */
const regional: Readonly<Record<string, string>> = {
  'AWS::ElasticLoadBalancingV2::Listener': 'certificates',
  'AWS::ElasticLoadBalancingV2::ListenerCertificate': 'certificates',
  'AWS::ApiGateway::DomainName': 'regionalCertificateArn',
  'AWS::ApiGatewayV2::DomainName': 'domainNameConfigurations',
};

/** The properties with names that clients use, by resource type. The certificate has to cover them. */
const servedNames: Readonly<Record<string, (properties: Properties) => unknown>> = {
  'AWS::CloudFront::Distribution': ({ distributionConfig }) => (distributionConfig as Properties | undefined)?.aliases,
  'AWS::ApiGateway::DomainName': ({ domainName }) => domainName,
  'AWS::ApiGatewayV2::DomainName': ({ domainName }) => domainName,
  'AWS::AppSync::DomainName': ({ domainName }) => domainName,
  'AWS::Cognito::UserPoolDomain': ({ domain }) => domain,
};

type Properties = Readonly<Record<string, unknown>>;

/**
 * Returns why resources of the app cannot use this certificate, one sentence for each reason and resource. AWS would fail late in the
 * deployment. The resources may be in any stack of the app.
 */
export function useMistakes(certificate: CustomResource, requested: RequestedCertificate): string[] {
  const resources = certificate.node.root.node.findAll().filter((each) => CfnResource.isCfnResource(each));
  return resources.flatMap((resource) => {
    const { cfnResourceType: type } = resource;
    const uses = (property = '') => refersTo(resource, property, certificate);
    const reasons = [
      ...(uses(cloudFront[type]) ? [cloudFrontReasons(requested)] : []),
      ...(uses(regional[type]) ? [regionReasons(requested, resource)] : []),
    ];
    if (reasons.length === 0) return [];
    return [...reasons.flat(), ...nameReasons(requested, resource)].map(
      (reason) => `Certificate ${requested.name}, used by ${resource.node.path}, ${reason}.`,
    );
  });
}

/** https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cnames-and-https-requirements.html */
function cloudFrontReasons({ name, region, keyType, untrustedIssuer }: RequestedCertificate): string[] {
  const reasons: string[] = [];
  if (untrustedIssuer !== undefined)
    reasons.push(
      `is issued by ${untrustedIssuer}, which browsers do not trust, so CloudFront rejects it. Use an issuer that browsers trust, such as letsEncrypt(...)`,
    );
  if (keyType === 'P-384')
    reasons.push('has a P-384 key, but CloudFront accepts P-256 and RSA only. Change its keyType');
  if (region !== 'us-east-1' && !Token.isUnresolved(region))
    reasons.push(
      `is requested in ${region}, but CloudFront reads ACM in us-east-1 only. Use certificate('${name}', 'us-east-1')`,
    );
  return reasons;
}

function regionReasons({ name, region }: RequestedCertificate, resource: CfnResource): string[] {
  const { region: there } = Stack.of(resource);
  if (Token.isUnresolved(there) || Token.isUnresolved(region) || there === region) return [];
  return [`is requested in ${region}, but the resource is in ${there}. Use certificate('${name}', '${there}')`];
}

/** Names with CDK tokens are skipped, because their text is not known at synth. */
function nameReasons({ identifiers }: RequestedCertificate, resource: CfnResource): string[] {
  const given = servedNames[resource.cfnResourceType]?.(resource as unknown as Properties);
  const resolved: unknown = Stack.of(resource).resolve(given);
  const names = [resolved].flat().filter((name) => typeof name === 'string');
  return names
    .filter((name) => !covers(identifiers, name.toLowerCase()))
    .map((name) => `does not have the name ${name}. Add it to the identifiers of the certificate, or remove it there`);
}

/** References are resolved only when a stack is written. The CDK has each property of a resource under its name in lower camel case. */
function refersTo(resource: CfnResource, property: string, certificate: CustomResource): boolean {
  const resolver = new References();
  const properties = resource as unknown as Readonly<Record<string, unknown>>;
  Tokenization.resolve(properties[property], { scope: resource, resolver });
  return resolver.targets.has(certificate.node.defaultChild);
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
