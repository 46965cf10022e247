import type { App, Duration, IStackSynthesizer } from 'aws-cdk-lib';
import { type AcmeDirectoryOptions, acmeDirectory, type CertificateRenewal, type KeyType } from 'cdk-perennial';
import { SiteStack } from '../../examples/cloudfront-site/site-stack.ts';
import { addOutputs } from '../../infra/outputs.ts';

/** Props of the site that differ from `examples/cloudfront-site/app.ts` in the local environment. */
export interface LocalSite {
  readonly hostedZoneId: string;
  readonly zoneName: string;
  readonly issuer: AcmeDirectoryOptions;
  readonly rootServers: readonly string[];
  readonly keyType?: KeyType;
  readonly schedule?: Duration;
}

/** Adds the stack of `examples/cloudfront-site` to the app. */
export function localSiteStack(
  app: App,
  { hostedZoneId, zoneName, issuer, rootServers, keyType, schedule }: LocalSite,
  synthesizer: IStackSynthesizer,
): void {
  const site = new SiteStack(app, 'Site', {
    zone: { hostedZoneId, zoneName },
    renewal: { issuer: acmeDirectory(issuer), rootServers, ...(schedule && { schedule }) },
    ...(keyType && { keyType }),
    synthesizer,
  });
  addOutputs(site, site.node.findChild('Certificates') as CertificateRenewal);
}
