import { defineConfig, letsEncryptStaging } from 'cdk-perennial';

/** The certificates of this deployment: put in your own zone and names, deploy, then change to `letsEncrypt(...)`. */
export default defineConfig({
  issuer: letsEncryptStaging({ termsOfServiceAgreed: true }),
  hostedZones: [{ id: 'Z0123456789ABCDEFGHIJ', name: 'example.com' }],
  certificates: [
    { name: 'www', identifiers: ['example.com', '*.example.com'], acm: ['us-east-1'] },
    { name: 'mail', identifiers: ['mail.example.com'], keyType: 'RSA-2048' },
  ],
});
