import { CustomResource, Duration, Resource } from 'aws-cdk-lib';
import type { ICertificate } from 'aws-cdk-lib/aws-certificatemanager';
import { Metric, type MetricOptions, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import type { Provider } from 'aws-cdk-lib/custom-resources';
import { Construct, Dependable } from 'constructs';
import { specHash } from '../../lambdas/domain/rules/certificate/certificate-spec.ts';
import { suggestion } from '../../lambdas/domain/rules/suggestion.ts';
import type { CheckedConfig } from '../config/check-config.ts';
import { found, show } from '../config/fields.ts';
import { ConfigError, mistake } from '../config/mistakes.ts';
import { type RequestedCertificate, useMistakes } from './certificate-uses.ts';

export interface CertificateRequestProps extends RequestedCertificate {
  /** Changes with the configuration of any certificate, and with the code of the functions. */
  readonly version: string;
  readonly renewal: StateMachine;
  readonly provider: Provider;
}

/** The custom resource for one certificate in one region. */
export class CertificateRequest extends Construct {
  readonly resource: CustomResource;
  readonly certificate: ICertificate;

  constructor(scope: Construct, id: string, props: CertificateRequestProps) {
    super(scope, id);
    const { name, region, specHashes, version, renewal, provider } = props;
    this.resource = new CustomResource(this, 'Resource', {
      serviceToken: provider.serviceToken,
      // Longer than the provider waits. The default is one hour, which is too long for a function that cannot reply.
      serviceTimeout: Duration.minutes(35),
      resourceType: 'Custom::PerennialCertificate',
      properties: {
        StateMachineArn: renewal.stateMachineArn,
        Certificate: name,
        Region: region,
        SpecHashes: specHashes,
        // CloudFormation asks for the ARN again only if a property differs. The ARN may have changed without a deployment.
        Version: version,
      },
    });
    this.certificate = new DeliveredCertificate(this, 'Certificate', {
      arn: this.resource.getAttString('Arn'),
      region,
    });
    // Resources that depend on the certificate wait for its delivery.
    Dependable.implement(this.certificate, { dependencyRoots: [this.resource] });
    this.node.addValidation({ validate: () => useMistakes(this.resource, props) });
  }
}

/** A certificate in ACM of one region, which may be another region than that of the stack. */
class DeliveredCertificate extends Resource implements ICertificate {
  readonly certificateArn: string;
  readonly certificateRef: ICertificate['certificateRef'];
  private readonly region: string;

  constructor(scope: Construct, id: string, { arn, region }: { readonly arn: string; readonly region: string }) {
    super(scope, id);
    this.certificateArn = arn;
    this.certificateRef = { certificateArn: arn };
    this.region = region;
  }

  /** ACM publishes this metric in the region of the certificate only. An alarm on it has to be in a stack of that region. */
  metricDaysToExpiry(options?: MetricOptions): Metric {
    return new Metric({
      namespace: 'AWS/CertificateManager',
      metricName: 'DaysToExpiry',
      dimensionsMap: { CertificateArn: this.certificateArn },
      period: Duration.days(1),
      statistic: Stats.MINIMUM,
      region: this.region,
      ...options,
    });
  }
}

/** @throws ConfigError if no certificate of this name is configured, or if it is not delivered into this region */
export function checkedRequest(
  name: string,
  region: string,
  { deployed, untrustedIssuers }: CheckedConfig,
): RequestedCertificate {
  const { certificates, issuers } = deployed;
  const path = `certificate(${show(name)}, ${show(region)})`;
  const requested = certificates.find((each) => each.name === name);
  if (!requested) {
    const names = certificates.map((each) => each.name);
    const some = `${names.slice(0, 10).join(', ')}${names.length > 10 ? ', …' : ''}`;
    const problem = `unknown certificate${suggestion(name, names)}`;
    throw new ConfigError([mistake(path, problem, `expected one of ${some}`)]);
  }
  const { regions, identifiers, keyType, profile } = requested;
  if (!regions.includes(region)) {
    const listed = regions.length > 0 ? `lists ${regions.join(', ')}` : 'is empty';
    const allowed = `expected a region in acm of the certificate, which ${listed}`;
    throw new ConfigError([mistake(path, found(region), allowed)]);
  }
  const untrusted = requested.issuers.find((index) => untrustedIssuers.has(index));
  return {
    name,
    region,
    keyType,
    identifiers,
    untrustedIssuer: untrusted === undefined ? undefined : issuers[untrusted]?.name,
    specHashes: requested.issuers.flatMap((index, position) => {
      const directoryUrl = issuers[index]?.directoryUrl;
      // A fallback issuer may not offer the profile, and is then asked for its default.
      const profiles = position > 0 && profile !== null ? [profile, null] : [profile];
      return directoryUrl
        ? profiles.map((each) => specHash({ identifiers, keyType, profile: each, directoryUrl }))
        : [];
    }),
  };
}
