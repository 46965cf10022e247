import { App, CfnOutput, Fn, Stack } from 'aws-cdk-lib';
import { PublicHostedZone } from 'aws-cdk-lib/aws-route53';
import { letsEncrypt } from 'cdk-perennial';
import { SiteStack } from './site-stack.ts';

/** `cdk deploy --all -c domain=example.com`, and `-c hostedZoneId=Z...` where the domain has a hosted zone already. */
const app = new App();
const zoneName: string | undefined = app.node.tryGetContext('domain');
const hostedZoneId: string | undefined = app.node.tryGetContext('hostedZoneId');
if (!zoneName) throw new Error('Say which domain to serve: -c domain=example.com');

// The staging environment of Let's Encrypt is of no use here: CloudFront takes certificates that browsers trust.
new SiteStack(app, 'Site', {
  zone: { zoneName, hostedZoneId: hostedZoneId ?? newZone(zoneName) },
  renewal: { issuer: letsEncrypt({ termsOfServiceAgreed: true }) },
});

/** In a stack of its own: a deployment that fails takes away what it has made, and the next zone of the name has other name servers. */
function newZone(zoneName: string): string {
  const stack = new Stack(app, 'SiteZone');
  const zone = new PublicHostedZone(stack, 'Zone', { zoneName });
  new CfnOutput(stack, 'NameServers', { value: Fn.join(' ', zone.hostedZoneNameServers ?? []) });
  return zone.hostedZoneId;
}
