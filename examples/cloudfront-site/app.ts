import { App, CfnOutput, Fn, Stack } from 'aws-cdk-lib';
import { PublicHostedZone } from 'aws-cdk-lib/aws-route53';
import { letsEncrypt } from 'cdk-perennial';
import { SiteStack } from './site-stack.ts';

// Usage: `cdk deploy --all -c domain=example.com`. Add `-c hostedZoneId=Z...` if the domain already has a hosted zone.
const app = new App();
const zoneName: string | undefined = app.node.tryGetContext('domain');
const hostedZoneId: string | undefined = app.node.tryGetContext('hostedZoneId');
if (!zoneName) throw new Error('The domain of the site is missing. Set it with -c domain=example.com');

// The staging environment of Let's Encrypt cannot be used here, because CloudFront accepts only certificates that browsers trust.
new SiteStack(app, 'Site', {
  zone: { zoneName, hostedZoneId: hostedZoneId ?? newZone(zoneName) },
  renewal: { issuer: letsEncrypt({ termsOfServiceAgreed: true }) },
});

/**
 * Creates a hosted zone in a stack of its own and returns its id. In the stack of the site, a failed first deployment would delete the
 * zone, and the next zone would have other name servers.
 */
function newZone(zoneName: string): string {
  const stack = new Stack(app, 'SiteZone');
  const zone = new PublicHostedZone(stack, 'Zone', { zoneName });
  new CfnOutput(stack, 'NameServers', { value: Fn.join(' ', zone.hostedZoneNameServers ?? []) });
  return zone.hostedZoneId;
}
