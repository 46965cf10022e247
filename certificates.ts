import { defineConfig, letsEncryptStaging } from 'cdk-perennial';

/**
 * The certificates of this deployment. Read the terms of Let's Encrypt at https://letsencrypt.org/repository/, and set
 * `termsOfServiceAgreed` to true if you agree to them. Enter your hosted zone and names, and deploy. When that works, use `letsEncrypt`
 * instead of `letsEncryptStaging`.
 */
export default defineConfig({
  issuer: letsEncryptStaging({ termsOfServiceAgreed: false }),
  hostedZones: [{ id: 'Z0123456789ABCDEFGHIJ', name: 'example.com' }],
  certificates: [
    { name: 'www', identifiers: ['example.com', '*.example.com'], acm: ['us-east-1'] },
    { name: 'mail', identifiers: ['mail.example.com'], keyType: 'RSA-2048' },
  ],
});
