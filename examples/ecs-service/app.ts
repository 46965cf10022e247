import { App } from 'aws-cdk-lib';
import { ServiceStack } from './service-stack.ts';

// Usage: `cdk deploy -c certificate=www`, after another stack of this account and region has issued the certificate.
const app = new App();
const certificate: string | undefined = app.node.tryGetContext('certificate');
const secretPrefix: string | undefined = app.node.tryGetContext('secretPrefix');
if (!certificate) throw new Error('The name of the certificate is missing. Set it with -c certificate=www');

new ServiceStack(app, 'Service', { certificate, ...(secretPrefix && { secretPrefix }) });
