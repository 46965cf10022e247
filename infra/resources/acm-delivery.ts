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
    const resources = regions.map((region) =>
      Stack.of(this).formatArn({
        service: 'acm',
        region,
        resource: 'certificate',
        resourceName: '*',
        arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
      }),
    );
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
    grantee.allow({ actions: ['acm:DescribeCertificate', 'acm:ListTagsForCertificate'], resources });
    grantee.allow(
      { actions: ['acm:ListCertificates'], resources: ['*'] },
      'acm:ListCertificates has no resource-level permissions.',
    );
  }
}
