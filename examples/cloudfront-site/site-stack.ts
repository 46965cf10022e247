import { CfnOutput, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { Distribution, SecurityPolicyProtocol, ViewerProtocolPolicy } from 'aws-cdk-lib/aws-cloudfront';
import { S3BucketOrigin } from 'aws-cdk-lib/aws-cloudfront-origins';
import { AaaaRecord, ARecord, HostedZone, type HostedZoneAttributes, RecordTarget } from 'aws-cdk-lib/aws-route53';
import { CloudFrontTarget } from 'aws-cdk-lib/aws-route53-targets';
import { BlockPublicAccess, Bucket } from 'aws-cdk-lib/aws-s3';
import { CertificateRenewal, type CertificateRenewalProps, type KeyType } from 'cdk-perennial';
import type { Construct } from 'constructs';

export interface SiteStackProps extends StackProps {
  /** Hosted zone of the domain. The site has this domain name, with and without `www.`. */
  readonly zone: HostedZoneAttributes;
  /** The issuer and other props of `CertificateRenewal`. */
  readonly renewal: Omit<CertificateRenewalProps, 'hostedZones' | 'certificates'>;
  /** Key type of the certificate. CloudFront supports P-256 and RSA. @default 'P-256' */
  readonly keyType?: KeyType;
}

/** A website on CloudFront. Its files are in a bucket that only CloudFront can read, and it has your own domain over HTTPS. */
export class SiteStack extends Stack {
  constructor(scope: Construct, id: string, { zone: found, renewal, keyType = 'P-256', ...props }: SiteStackProps) {
    super(scope, id, props);
    const zone = HostedZone.fromHostedZoneAttributes(this, 'Zone', found);
    const { zoneName } = found;
    const domainNames = [zoneName, `www.${zoneName}`];

    const certificates = new CertificateRenewal(this, 'Certificates', {
      ...renewal,
      hostedZones: [zone],
      certificates: [{ name: 'www', identifiers: domainNames, keyType, acm: ['us-east-1'] }],
    });

    const bucket = new Bucket(this, 'Bucket', {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    const distribution = new Distribution(this, 'Distribution', {
      domainNames,
      // The deployment waits until ACM has the certificate, because CloudFront rejects a distribution without it.
      certificate: certificates.certificate('www', 'us-east-1'),
      minimumProtocolVersion: SecurityPolicyProtocol.TLS_V1_2_2021,
      defaultRootObject: 'index.html',
      defaultBehavior: {
        origin: S3BucketOrigin.withOriginAccessControl(bucket),
        viewerProtocolPolicy: ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
      },
    });
    const target = RecordTarget.fromAlias(new CloudFrontTarget(distribution));
    for (const recordName of domainNames) {
      new ARecord(this, `A-${recordName}`, { zone, recordName, target });
      new AaaaRecord(this, `AAAA-${recordName}`, { zone, recordName, target });
    }

    new CfnOutput(this, 'Url', { value: `https://${zoneName}` });
    new CfnOutput(this, 'BucketName', { value: bucket.bucketName });
    new CfnOutput(this, 'DistributionId', { value: distribution.distributionId });
  }
}
