import { App } from 'aws-cdk-lib';
import { ServiceStack } from './service-stack.ts';

/** `cdk deploy -c certificate=www`, once that certificate has been issued by another stack of this account and region. */
const app = new App();
const certificate: string | undefined = app.node.tryGetContext('certificate');
const secretPrefix: string | undefined = app.node.tryGetContext('secretPrefix');
if (!certificate) throw new Error('Say which certificate to serve: -c certificate=www');

new ServiceStack(app, 'Service', { certificate, ...(secretPrefix && { secretPrefix }) });
