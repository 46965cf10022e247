import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { mockClient } from 'aws-sdk-client-mock';
import { expect, test } from 'vitest';
import { createCertificateValues } from '../../../../../lambdas/adapters/aws/secrets-manager/certificate-values.ts';
import { awsError } from '../aws-error.ts';

const secretsManager = mockClient(SecretsManagerClient);

test.each([
  ['InvalidRequestException', 'aws secretsmanager restore-secret --secret-id certificates/www'],
  ['ResourceNotFoundException', 'It was deleted, or no certificate was issued yet.'],
])('a secret that is refused with %s is an error with the way to get it back', async (name, remedy) => {
  secretsManager.on(GetSecretValueCommand).rejects(awsError(name));
  await expect(createCertificateValues({ region: 'eu-west-1' }).read('certificates/www')).rejects.toMatchObject({
    name: 'SecretDeletedError',
    message: expect.stringContaining(remedy),
  });
});
