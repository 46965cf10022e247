import { readFileSync } from 'node:fs';
import { acmeDirectory, defineConfig } from 'cdk-perennial';

// Certificates for the environment that `npm run local` starts. The variables are in the file of the `source` line that it prints.
const { ACME_DIRECTORY_URL: directoryUrl, ACME_TRUSTED_ROOTS, HOSTED_ZONE_ID: id, DNS_ROOT } = process.env;
if (!directoryUrl || !ACME_TRUSTED_ROOTS || !id || !DNS_ROOT)
  throw new Error(
    'the variables of the local environment are not set. Start it with "npm run local" and run the "source" line that it prints',
  );

export default defineConfig({
  issuer: acmeDirectory({
    directoryUrl,
    staging: true, // So that a certificate can be issued more than twice a day.
    termsOfServiceAgreed: true,
    trustedRoots: [readFileSync(ACME_TRUSTED_ROOTS, 'utf8')],
  }),
  rootServers: [DNS_ROOT],
  pace: 3.7, // The local Route 53 has no limit. Two cores renew about four certificates a second.
  hostedZones: [{ id, name: 'example.com' }],
  certificates: [
    { name: 'www', identifiers: ['example.com', '*.example.com'], acm: ['us-east-1'] },
    { name: 'mail', identifiers: ['mail.example.com'], keyType: 'RSA-2048', acm: ['eu-central-1'] },
  ],
});
