import { inspect } from 'node:util';
import {
  ACMClient,
  DescribeCertificateCommand,
  ImportCertificateCommand,
  ListCertificatesCommand,
  ListTagsForCertificateCommand,
} from '@aws-sdk/client-acm';
import { KeyUsageFlags } from '@peculiar/x509';
import { mockClient } from 'aws-sdk-client-mock';
import 'aws-sdk-client-mock-vitest/extend';
import { beforeEach, describe, expect, test } from 'vitest';
import { createAcmCertificates } from '../../../../../lambdas/adapters/aws/acm/acm-certificates.ts';
import { makeAuthority, makeLeaf, makePrivateKey, pemOf } from '../../../../fakes/certificates.ts';
import { awsError } from '../aws-error.ts';

/** What ACM answers only now and then. What the imports do is in `acm-behaviour.ts`. */
const region = 'eu-central-1';
const arn = `arn:aws:acm:${region}:123456789012:certificate/1`;
const ourTags = [
  { Key: 'perennial:stack', Value: 'Perennial' },
  { Key: 'perennial:certificate', Value: 'www' },
  { Key: 'perennial:secrets', Value: 'eu-west-1/certificates/' },
];
/** A self-signed P-256 certificate; ACM is not there to look at its dates. */
const leaf = `-----BEGIN CERTIFICATE-----
MIIBgjCCASegAwIBAgIUVVXMe1AJs6Wu+VZXB4cMeyNjDx8wCgYIKoZIzj0EAwIw
FjEUMBIGA1UEAwwLZXhhbXBsZS5jb20wHhcNMjYxMTIzMDIwNzEyWhcNMzYxMTIw
MDIwNzEyWjAWMRQwEgYDVQQDDAtleGFtcGxlLmNvbTBZMBMGByqGSM49AgEGCCqG
SM49AwEHA0IABFTHi3knZ0dvDeXLLAJ6OBeXT0hz/Xqa5v5QXvpcKUoB33CjVuqs
jzX4+IBsGoNsX7pu2/T9/9Ir4UvhLjGz6YWjUzBRMB0GA1UdDgQWBBQknZB9qWoV
BvW447KP5HueykawfDAfBgNVHSMEGDAWgBQknZB9qWoVBvW447KP5HueykawfDAP
BgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0kAMEYCIQCoLOVAalMcIdFtHD9O
d4/TaoF7IkybWj2xPz16DVYGGQIhAMOS/e/BUafJarptR9BkVMA+E1sPPSXVwRAN
4LhWF67H
-----END CERTIFICATE-----
`;
const pem = {
  certificate: leaf,
  chain: 'chain',
  privateKey: '-----BEGIN PRIVATE KEY-----\nb3Vycw==\n-----END PRIVATE KEY-----\n',
};

const sdk = mockClient(ACMClient);
const acm = createAcmCertificates({
  stackTag: 'Perennial',
  secretsTag: 'eu-west-1/certificates/',
  clientFor: (of) => new ACMClient({ region: of }),
});

const summary = { CertificateArn: arn, DomainName: '*.example.com', Type: 'IMPORTED' } as const;

beforeEach(() => {
  sdk.reset();
});

describe('finding an import', () => {
  const find = () => acm.find(region, 'www', ['example.com', '*.example.com'], 'P-256');

  test('reads every page', async () => {
    sdk
      .on(ListCertificatesCommand)
      .resolvesOnce({ CertificateSummaryList: [], NextToken: 'more' })
      .resolvesOnce({ CertificateSummaryList: [summary] });
    sdk.on(ListTagsForCertificateCommand).resolves({ Tags: ourTags });
    expect(await find()).toBe(arn);
    expect(sdk).toHaveReceivedNthCommandWith(ListCertificatesCommand, 2, { NextToken: 'more' });
  });

  test('gives up after twenty pages', async () => {
    sdk.on(ListCertificatesCommand).resolves({ CertificateSummaryList: [], NextToken: 'more' });
    await expect(find()).rejects.toThrow('ACM in eu-central-1 lists more than 20000 certificates');
    expect(sdk).toHaveReceivedCommandTimes(ListCertificatesCommand, 20);
  });

  test('passes over one that was deleted since', async () => {
    sdk.on(ListCertificatesCommand).resolves({
      CertificateSummaryList: [summary],
    });
    sdk.on(ListTagsForCertificateCommand).rejects(awsError('ResourceNotFoundException'));
    expect(await find()).toBeNull();
  });
});

describe('importing', () => {
  test.each(['ResourceNotFoundException', 'InvalidArnException'])('over an ARN that is gone (%s)', async (name) => {
    sdk.on(ImportCertificateCommand).rejects(awsError(name));
    expect(await acm.import(region, 'www', pem, arn)).toBe('notFound');
  });

  test('over an ARN that is gone, which IAM refuses because it has no tag of ours any more', async () => {
    sdk.on(ImportCertificateCommand).rejects(awsError('AccessDeniedException'));
    sdk.on(DescribeCertificateCommand).rejects(awsError('ResourceNotFoundException'));
    expect(await acm.import(region, 'www', pem, arn)).toBe('notFound');
  });

  test.each([
    ['that is there', () => sdk.on(DescribeCertificateCommand).resolves({ Certificate: { KeyAlgorithm: 'RSA_2048' } })],
    ['that may not be looked at', () => sdk.on(DescribeCertificateCommand).rejects(awsError('AccessDeniedException'))],
  ])('over an ARN %s and is denied names the call, the ARN and the tags that it needs', async (_, look) => {
    sdk.on(ImportCertificateCommand).rejects(awsError('AccessDeniedException', 'Not authorized.'));
    look();
    await expect(acm.import(region, 'www', pem, arn)).rejects.toMatchObject({
      name: 'AccessDeniedError',
      message: expect.stringContaining(
        `acm:ImportCertificate on certificate ${arn} (which needs its tags: perennial:stack = Perennial, perennial:certificate = www, perennial:secrets = eu-west-1/certificates/) was denied. Not authorized.`,
      ),
    });
  });

  test('over an ARN is refused for another reason where key, a name and all usages are as before', async () => {
    const issuer = await makeAuthority({ name: 'Issuer' });
    const privateKey = makePrivateKey();
    const certificate = await makeLeaf(issuer, {
      identifiers: ['new.example', 'www.new.example'],
      privateKey,
      keyUsages: KeyUsageFlags.digitalSignature,
      extendedKeyUsages: ['1.3.6.1.5.5.7.3.1'],
    });
    sdk.on(ImportCertificateCommand).rejects(awsError('ValidationException', 'Words that nobody documents.'));
    sdk.on(DescribeCertificateCommand, { CertificateArn: arn }).resolves({
      Certificate: {
        KeyAlgorithm: 'EC_prime256v1',
        SubjectAlternativeNames: ['old.example', 'new.example'],
        KeyUsages: [{ Name: 'DIGITAL_SIGNATURE' }],
        ExtendedKeyUsages: [{ Name: 'TLS_WEB_SERVER_AUTHENTICATION', OID: '1.3.6.1.5.5.7.3.1' }],
      },
    });
    const refused = acm.import(region, 'www', { certificate, privateKey, chain: pemOf(issuer.certificate) }, arn);
    await expect(refused).rejects.toThrow('Words that nobody documents.');
  });

  test('over an ARN that was deleted while ACM refused', async () => {
    sdk.on(ImportCertificateCommand).rejects(awsError('ValidationException'));
    sdk.on(DescribeCertificateCommand).rejects(awsError('ResourceNotFoundException'));
    expect(await acm.import(region, 'www', pem, arn)).toBe('notFound');
  });

  test('of what ACM does not take, over a key of the same type', async () => {
    sdk.on(ImportCertificateCommand).rejects(awsError('ValidationException', 'The chain is bad.'));
    sdk.on(DescribeCertificateCommand).resolves({ Certificate: { KeyAlgorithm: 'EC_prime256v1' } });
    await expect(acm.import(region, 'www', pem, arn)).rejects.toMatchObject({ name: 'ImportRefusedError' });
    await expect(acm.import(region, 'www', { ...pem, certificate: 'no PEM' }, arn)).rejects.toThrow(
      'The chain is bad.',
    );
  });

  test.each([
    'InvalidParameterException',
    'ValidationException',
    'TagPolicyException',
    'InvalidTagException',
    'TooManyTagsException',
  ])('of what ACM does not take (%s) names region and reason', async (name) => {
    sdk.on(ImportCertificateCommand).rejects(awsError(name, 'No.'));
    await expect(acm.import(region, 'www', pem, null)).rejects.toMatchObject({
      name: 'ImportRefusedError',
      message: expect.stringContaining(`ACM in eu-central-1 refuses the certificate. ${name}: No.`),
    });
  });

  test.each(['TagPolicyException', 'InvalidTagException', 'TooManyTagsException'])(
    'with tags that the organization refuses (%s) names its words, our tags and what to do',
    async (name) => {
      sdk.on(ImportCertificateCommand).rejects(awsError(name, 'The tag key cost-center is missing.'));
      await expect(acm.import(region, 'www', pem, null)).rejects.toThrow(
        /The tag key cost-center is missing\. .*perennial:stack = Perennial, perennial:certificate = www, perennial:secrets = eu-west-1\/certificates\/.* tag policies of the organization allow/,
      );
    },
  );

  test('in a region that an organization policy denies names that', async () => {
    const words =
      'User: arn:aws:sts::123456789012:assumed-role/delivery is not authorized to perform: acm:ImportCertificate with an explicit deny in a service control policy';
    sdk.on(ImportCertificateCommand).rejects(awsError('AccessDeniedException', words));
    await expect(acm.import(region, 'www', pem, null)).rejects.toMatchObject({
      name: 'AccessDeniedError',
      message: expect.stringMatching(
        /certificate www in eu-central-1 was denied\. .*service control policy.* an organization policy/,
      ),
    });
  });

  test('over the quota is a limit, not a throttle', async () => {
    sdk.on(ImportCertificateCommand).rejects(awsError('LimitExceededException', 'Limit of 2500.'));
    await expect(acm.import(region, 'www', pem, null)).rejects.toMatchObject({
      name: 'ImportLimitError',
      message: expect.stringMatching(
        /ACM in eu-central-1 .* Limit of 2500\. .*imported certificates.*\(2,500\).*imports in 365 days \(5,000\)\. Delete/,
      ),
    });
  });

  test('into a change of the same certificate is tried again', async () => {
    sdk.on(ImportCertificateCommand).rejects(awsError('ConflictException'));
    await expect(acm.import(region, 'www', pem, arn)).rejects.toMatchObject({
      name: 'ThrottledError',
      message: expect.stringContaining(arn),
    });
  });

  test('sets no tag that is longer than AWS allows, which MiniStack takes', async () => {
    const secretsTag = `eu-west-1/${'p'.repeat(300)}`;
    const clientFor = (of: string) => new ACMClient({ region: of });
    const long = createAcmCertificates({ stackTag: 'Perennial', secretsTag, clientFor });
    sdk.on(ImportCertificateCommand).resolves({ CertificateArn: arn });
    await long.import(region, 'www', pem, null);
    const { Tags: set = [] } = sdk.commandCalls(ImportCertificateCommand)[0]?.args[0].input ?? {};
    expect(Math.max(...set.map(({ Value = '' }) => Value.length))).toBe(256);
  });

  test('never shows the key, not even when ACM repeats it', async () => {
    const repeated = `Value '${Buffer.from(pem.privateKey).toString('base64')}' at 'privateKey' (${pem.privateKey}) failed`;
    sdk.on(ImportCertificateCommand).rejects(awsError('ValidationException', repeated));
    const thrown = await acm.import(region, 'www', pem, null).catch((error: unknown) => error);
    expect(thrown).toMatchObject({ name: 'ImportRefusedError' });
    expect(inspect(thrown, { depth: 9, showHidden: true })).not.toMatch(/b3Vycw|PRIVATE KEY|LS0tLS1/);
  });
});
