import { Stack } from 'aws-cdk-lib';
import { describe, expect, test } from 'vitest';
import { type CertificateRenewal, letsEncryptStaging } from '../../../infra/index.ts';
import { ofType, smallConfig, synthesize, withApp } from '../synthesized.ts';

const stack = synthesize();
const [id = '', start] = ofType(stack.resources, 'Custom::FleetStart')[0] ?? [];

describe('the CAA records that allow only the accounts of this stack', () => {
  test('are an attribute, which the registration after the deployment sets', () => {
    const caa = withApp([], (app) => {
      const renewal = app.node.findChild('Perennial').node.findChild('Certificates') as CertificateRenewal;
      return Stack.of(renewal).resolve(renewal.caa);
    });
    expect(caa).toEqual({ 'Fn::GetAtt': [id, 'Caa'] });
  });

  test('are read again when the issuers change', () => {
    const issuer = letsEncryptStaging({ termsOfServiceAgreed: true });
    const [other] = ofType(synthesize({ ...smallConfig, issuer }).resources, 'Custom::FleetStart');
    expect(other?.[1].Properties.Version).not.toBe(start?.Properties.Version);
  });
});
