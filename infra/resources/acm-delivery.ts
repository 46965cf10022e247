import { ArnFormat, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { environment, tags } from '../../lambdas/domain/contract/environment.ts';
import type { WorkflowFunction } from '../workflows/workflow-function.ts';
import type { RuntimeTags } from './runtime-tags.ts';
import { taggedByStack } from './stack-tag.ts';

export interface AcmDeliveryProps {
  /** Regions that at least one certificate is imported into. */
  readonly regions: readonly string[];
  /** Value of the tag `perennial:stack`. */
  readonly stackTag: string;
  readonly tags: RuntimeTags;
}

/** ACM in the regions that certificates are imported into. */
export class AcmDelivery extends Construct {
  private readonly props: AcmDeliveryProps;

  constructor(scope: Construct, id: string, props: AcmDeliveryProps) {
    super(scope, id);
    this.props = props;
  }

  /**
   * Allows imports into ACM in these regions.
   *
   * The first import sets the tag of this stack. A later import over the same ARN may not set tags, and it replaces only a certificate with
   * this tag. So there are two statements. An import with tags also needs `acm:AddTagsToCertificate`. IAM cannot distinguish the new
   * certificate from others there, so the role could set the tags of this stack and the operator on any certificate, but no other tags. Finding an import
   * whose reply was lost needs `acm:ListCertificates`, which has no resource-level permissions.
   * https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscertificatemanager.html
   */
  grantImport(grantee: WorkflowFunction): void {
    const { regions, stackTag, tags: runtimeTags } = this.props;
    grantee.addEnvironment(environment.stackTag, stackTag);
    if (regions.length === 0) return;
    const resources = this.certificateArns();
    const reason =
      'ACM chooses the id of a certificate at its first import. The condition on the tag of this stack replaces it.';
    grantee.allow(
      {
        actions: ['acm:ImportCertificate', 'acm:AddTagsToCertificate'],
        resources,
        conditions: {
          ...taggedByStack('aws:RequestTag', stackTag),
          ...runtimeTags.onlyKeys(['Name', tags.stack, tags.certificate, tags.secrets]),
        },
      },
      reason,
    );
    grantee.allow({
      actions: ['acm:ImportCertificate'],
      resources,
      conditions: taggedByStack('aws:ResourceTag', stackTag),
    });
    this.grantRead(grantee);
  }

  /** Allows listing the certificates of every region, and describing those of these regions with their tags. */
  grantRead(grantee: WorkflowFunction): void {
    if (this.props.regions.length === 0) return;
    const actions = ['acm:DescribeCertificate', 'acm:ListTagsForCertificate'];
    grantee.allow(
      { actions, resources: this.certificateArns() },
      'ACM chooses the id of a certificate. Its tags are not known before they are read, and may be lost.',
    );
    grantee.allow(
      { actions: ['acm:ListCertificates'], resources: ['*'] },
      'acm:ListCertificates has no resource-level permissions.',
    );
  }

  /** ARN patterns of all certificates in the regions. */
  private certificateArns(): string[] {
    return this.props.regions.map((region) =>
      Stack.of(this).formatArn({
        service: 'acm',
        region,
        resource: 'certificate',
        resourceName: '*',
        arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
      }),
    );
  }
}
