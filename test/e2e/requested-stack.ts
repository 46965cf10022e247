import { type App, CfnOutput, type IStackSynthesizer, Stack } from 'aws-cdk-lib';
import { type AcmeDirectoryOptions, acmeDirectory, CertificateRenewal } from 'cdk-perennial';
import { addOutputs } from '../../infra/outputs.ts';

export interface RequestedCertificate {
  readonly hostedZone: { readonly id: string; readonly name: string };
  readonly issuer: AcmeDirectoryOptions;
  readonly rootServers: readonly string[];
  readonly identifiers: readonly string[];
}

/** Adds the smallest stack that requests a certificate. The certificate's ARN is an output of the stack. */
export function requestedStack(
  app: App,
  { hostedZone, issuer, rootServers, identifiers }: RequestedCertificate,
  synthesizer: IStackSynthesizer,
): void {
  const stack = new Stack(app, 'Requested', { synthesizer });
  const certificates = new CertificateRenewal(stack, 'Certificates', {
    issuer: acmeDirectory(issuer),
    rootServers,
    hostedZones: [hostedZone],
    certificates: [{ name: 'www', identifiers, acm: ['us-east-1'], ignoreIssueCap: true }],
  });
  addOutputs(stack, certificates);
  new CfnOutput(stack, 'Certificate', { value: certificates.certificate('www', 'us-east-1').certificateArn });
}
