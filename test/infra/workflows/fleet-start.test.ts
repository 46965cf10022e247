import { describe, expect, test } from 'vitest';
import { letsEncryptStaging } from '../../../infra/index.ts';
import { ofType, smallConfig, synthesize } from '../synthesized.ts';

const stack = synthesize();
const [id = '', start] = ofType(stack.resources, 'Custom::FleetStart')[0] ?? [];

describe('the CAA records that allow only the accounts of this stack', () => {
  test('are an output of the stack, which the registration after the deployment sets', () => {
    const { Outputs: outputs } = JSON.parse(stack.text) as { readonly Outputs: Readonly<Record<string, object>> };
    expect(outputs.Caa).toEqual({ Value: { 'Fn::GetAtt': [id, 'Caa'] } });
  });

  test('are read again when the issuers change', () => {
    const issuer = letsEncryptStaging({ termsOfServiceAgreed: true });
    const [other] = ofType(synthesize({ ...smallConfig, issuer }).resources, 'Custom::FleetStart');
    expect(other?.[1].Properties.Version).not.toBe(start?.Properties.Version);
  });
});
