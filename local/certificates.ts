import { readFileSync } from 'node:fs';
import { acmeDirectory, defineConfig } from 'cdk-perennial';

// Certificates for the environment of `npm run local`, whose variables are in the file that it prints.
const { ACME_DIRECTORY_URL: directoryUrl, ACME_TRUSTED_ROOTS, HOSTED_ZONE_ID: id, DNS_ROOT } = process.env;
if (!directoryUrl || !ACME_TRUSTED_ROOTS || !id || !DNS_ROOT)
  throw new Error(
    'The local environment is not known. Start it with "npm run local", and source the file that it prints.',
  );

export default defineConfig({
  issuer: acmeDirectory({
    directoryUrl,
    termsOfServiceAgreed: true,
    trustedRoots: [readFileSync(ACME_TRUSTED_ROOTS, 'utf8')],
  }),
  rootServers: [DNS_ROOT],
  hostedZones: [{ id, name: 'example.com' }],
  certificates: [
    { name: 'www', identifiers: ['example.com', '*.example.com'], acm: ['us-east-1'] },
    { name: 'rsa', identifiers: ['rsa.example.com'], keyType: 'RSA-2048', acm: ['eu-central-1'] },
  ],
});
