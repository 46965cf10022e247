import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { expect, test } from 'vitest';
import { acmeDirectory } from '../../infra/index.ts';
import { perennialStack } from '../../infra/perennial-stack.ts';

const config = {
  issuer: acmeDirectory({ directoryUrl: 'https://acme.test/directory' }),
  hostedZones: [{ id: 'Z0123456789ABCDEFGHIJ', name: 'example.com' }],
  certificates: [{ name: 'www', identifiers: ['example.com'] }],
};

test('the stack of the app has the outputs that the operator needs', () => {
  const outputs = Template.fromStack(perennialStack(new App(), config)).findOutputs('*');
  expect(Object.keys(outputs).toSorted()).toEqual([
    ...['AccountsArn', 'AccountsLogs', 'Caa', 'CertificateLogs', 'ChallengeLogs', 'ChallengeRoleArn', 'CheckLogs'],
    ...['DeliveryLogs', 'FleetArn', 'FleetFunctionLogs', 'FleetLogs', 'LedgerTable', 'OrderLogs', 'RenewalArn'],
    ...['RenewalLogs', 'ReportLogs', 'SecretPrefix', 'StartRenewal'],
  ]);
  expect(JSON.stringify(outputs.StartRenewal)).toContain(String.raw`{\"certificate\":\"www\"}`);
});

test('with notifications the stack also names their topic and the log of their function', () => {
  const notifications = { email: ['ops@example.com'] };
  const outputs = Template.fromStack(perennialStack(new App(), { ...config, notifications })).findOutputs('*');
  expect(Object.keys(outputs)).toEqual(expect.arrayContaining(['NotificationTopic', 'NotificationLogs']));
});
