import {
  CfnResource,
  type CustomResource,
  DefaultTokenResolver,
  type IPostProcessor,
  type IResolvable,
  type IResolveContext,
  Reference,
  StringConcat,
  Tokenization,
} from 'aws-cdk-lib';
import type { CfnDomainName as EdgeDomainName } from 'aws-cdk-lib/aws-apigateway';
import type { CfnDomainName as GraphqlDomainName } from 'aws-cdk-lib/aws-appsync';
import type { CfnDistribution } from 'aws-cdk-lib/aws-cloudfront';
import type { CfnUserPoolDomain } from 'aws-cdk-lib/aws-cognito';
import type { AskedCertificate } from './certificate-request.ts';

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
  return users(certificate).flatMap((user) =>
    mistakes.map((mistake) => `Certificate ${name}, given to ${user.node.path}, ${mistake}.`),
  );
}

/** In any stack of the app: a reference stays one until its stack is written. */
function users(certificate: CustomResource): CfnResource[] {
  return certificate.node.root.node
    .findAll()
    .filter((each) => CfnResource.isCfnResource(each))
    .filter((resource) => {
      const given = served[resource.cfnResourceType]?.(resource);
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
