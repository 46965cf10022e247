import { CustomResource, Duration, Token } from 'aws-cdk-lib';
import { Certificate, type ICertificate } from 'aws-cdk-lib/aws-certificatemanager';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import type { Provider } from 'aws-cdk-lib/custom-resources';
import { Construct, Dependable } from 'constructs';
import { specHash } from '../../lambdas/domain/rules/certificate/certificate-spec.ts';
import { type CheckedConfig, ConfigError } from '../config/check-config.ts';
import { show, suggestion } from '../config/fields.ts';
import { type AskedCertificate, cloudFrontMistakes, regionMistakes } from './certificate-uses.ts';

export interface CertificateRequestProps extends AskedCertificate {
  /** Changes with the configuration of any certificate, and with our code. */
  readonly version: string;
  readonly renewal: StateMachine;
  readonly provider: Provider;
}

/** One certificate in one region. */
export class CertificateRequest extends Construct {
  readonly resource: CustomResource;
  readonly certificate: ICertificate;

  constructor(scope: Construct, id: string, props: CertificateRequestProps) {
    super(scope, id);
    const { name, region, specHashes, version, renewal, provider } = props;
    this.resource = new CustomResource(this, 'Resource', {
      serviceToken: provider.serviceToken,
      // Longer than the provider waits: CloudFormation would wait an hour for a function that cannot answer.
      serviceTimeout: Duration.minutes(35),
      resourceType: 'Custom::PerennialCertificate',
      properties: {
        StateMachineArn: renewal.stateMachineArn,
        Certificate: name,
        Region: region,
        SpecHashes: specHashes,
        // The ARN may have changed since, without a deployment: CloudFormation asks for it only where a property differs.
        Version: version,
      },
    });
    this.certificate = Certificate.fromCertificateArn(this, 'Certificate', this.resource.getAttString('Arn'));
    // What depends on the certificate waits for its delivery.
    Dependable.implement(this.certificate, { dependencyRoots: [this.resource] });
    this.node.addValidation({
      validate: () => [...cloudFrontMistakes(this.resource, props), ...regionMistakes(this.resource, props)],
    });
  }
}

/** @throws ConfigError when no such certificate is configured, or not for this region */
export function checkedRequest(
  name: string,
  region: string,
  { deployed, untrustedIssuers }: CheckedConfig,
): AskedCertificate {
  const { certificates, issuers } = deployed;
  const called = `certificate(${show(name)}, ${show(region)})`;
  const found = certificates.find((each) => each.name === name);
  if (!found) {
    const names = certificates.map((each) => each.name);
    const some = `${names.slice(0, 10).join(', ')}${names.length > 10 ? ', …' : ''}`;
    throw new ConfigError([`${called}: found an unknown name${suggestion(name, names)}, allowed: ${some}`]);
  }
  const { regions, identifiers, keyType, profile } = found;
  if (Token.isUnresolved(region) || !regions.includes(region)) {
    const listed = regions.length > 0 ? regions.join(', ') : 'none';
    const allowed = `a region of the certificate's acm, which lists ${listed}: add it there`;
    throw new ConfigError([`${called}: found ${show(region)}, allowed: ${allowed}`]);
  }
  const untrusted = found.issuers.find((index) => untrustedIssuers.has(index));
  return {
    name,
    region,
    keyType,
    untrustedIssuer: untrusted === undefined ? undefined : issuers[untrusted]?.name,
    specHashes: found.issuers.flatMap((index) => {
      const directoryUrl = issuers[index]?.directoryUrl;
      return directoryUrl ? [specHash({ identifiers, keyType, profile, directoryUrl })] : [];
    }),
  };
}
