import { defineConfig, letsEncryptStaging } from 'cdk-perennial';
import shipped from '../certificates.ts';

/** The shipped configuration, as an operator changes it after agreeing to the terms. `npm run synth` synthesizes it. */
export default defineConfig({ ...shipped, issuer: letsEncryptStaging({ termsOfServiceAgreed: true }) });
