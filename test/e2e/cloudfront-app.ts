import { readFileSync } from 'node:fs';
import { App, CliCredentialsStackSynthesizer, Duration, type IStackSynthesizer } from 'aws-cdk-lib';
import { type AcmeDirectoryOptions, acmeDirectory, type KeyType } from 'cdk-perennial';
import { SiteStack } from '../../examples/cloudfront-site/site-stack.ts';

/** What differs from `examples/cloudfront-site/app.ts` in the local environment. */
export interface LocalSite {
  readonly hostedZoneId: string;
  readonly zoneName: string;
  readonly issuer: AcmeDirectoryOptions;
  readonly rootServers: readonly string[];
  readonly keyType?: KeyType;
  /** Hours between two fleet runs. */
  readonly scheduleHours?: number;
}

const app = new App();
const { hostedZoneId, zoneName, issuer, rootServers, keyType, scheduleHours }: LocalSite = JSON.parse(
  readFileSync(app.node.getContext('site'), 'utf8'),
);
new SiteStack(app, 'Site', {
  zone: { hostedZoneId, zoneName },
  renewal: {
    issuer: acmeDirectory(issuer),
    rootServers,
    ...(scheduleHours && { schedule: Duration.hours(scheduleHours) }),
  },
  ...(keyType && { keyType }),
  synthesizer: new CliCredentialsStackSynthesizer() as IStackSynthesizer,
});
