import { readFileSync } from 'node:fs';
import { App, CfnOutput, CliCredentialsStackSynthesizer, type IStackSynthesizer, Stack } from 'aws-cdk-lib';
import { type AcmeDirectoryOptions, acmeDirectory, CertificateRenewal } from 'cdk-perennial';

export interface RequestedCertificate {
  readonly hostedZone: { readonly id: string; readonly name: string };
  readonly issuer: AcmeDirectoryOptions;
  readonly rootServers: readonly string[];
  readonly identifiers: readonly string[];
}

/** The least that asks for a certificate: its ARN is an output of the stack. */
const app = new App();
const { hostedZone, issuer, rootServers, identifiers }: RequestedCertificate = JSON.parse(
  readFileSync(app.node.getContext('requested'), 'utf8'),
);
const stack = new Stack(app, 'Requested', {
  synthesizer: new CliCredentialsStackSynthesizer() as IStackSynthesizer,
});
const certificates = new CertificateRenewal(stack, 'Certificates', {
  issuer: acmeDirectory(issuer),
  rootServers,
  hostedZones: [hostedZone],
  certificates: [{ name: 'www', identifiers, acm: ['us-east-1'], ignoreIssueCap: true }],
});
new CfnOutput(stack, 'Certificate', { value: certificates.certificate('www', 'us-east-1').certificateArn });
