import { ArnFormat, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { environment, tags } from '../../lambdas/domain/contract/environment.ts';
import type { WorkflowFunction } from '../workflows/workflow-function.ts';
import { ours } from './stack-tag.ts';

export interface AcmDeliveryProps {
  /** Those that some certificate is imported into. */
  readonly regions: readonly string[];
  /** Value of the tag `perennial:stack`. */
  readonly stackTag: string;
}

/** ACM in the regions that certificates are imported into. */
export class AcmDelivery extends Construct {
  private readonly props: AcmDeliveryProps;

  constructor(scope: Construct, id: string, props: AcmDeliveryProps) {
    super(scope, id);
    this.props = props;
  }

  /**
   * The first import carries our tag, and a re-import (which must carry none) replaces only what has it: two statements. An import
   * with tags needs `acm:AddTagsToCertificate` too, which knows the tags of the request but nothing that tells the certificate that is
   * just being made from others, so it could put our tags on any; it cannot put others on.
   * Looking for an import whose reply was lost lists everything, because ACM's list knows no resources.
   * https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscertificatemanager.html
   */
  grantImport(grantee: WorkflowFunction): void {
    const { regions, stackTag } = this.props;
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
    const anyOfOurs =
      'The id of a certificate is given by ACM at its first import; a tag of ours is asked for in its place.';
    grantee.allow(
      {
        actions: ['acm:ImportCertificate', 'acm:AddTagsToCertificate'],
        resources,
        conditions: {
          ...ours('aws:RequestTag', stackTag),
          'ForAllValues:StringEquals': { 'aws:TagKeys': [tags.stack, tags.certificate, tags.secrets] },
        },
      },
      anyOfOurs,
    );
    grantee.allow({ actions: ['acm:ImportCertificate'], resources, conditions: ours('aws:ResourceTag', stackTag) });
    grantee.allow({ actions: ['acm:DescribeCertificate', 'acm:ListTagsForCertificate'], resources });
    grantee.allow(
      { actions: ['acm:ListCertificates'], resources: ['*'] },
      'The list of certificates knows no resources.',
    );
  }
}
