import { inspect } from 'node:util';
import {
  ACMClient,
  DescribeCertificateCommand,
  ImportCertificateCommand,
  type KeyAlgorithm,
  ListCertificatesCommand,
  ListTagsForCertificateCommand,
} from '@aws-sdk/client-acm';
import { mockClient } from 'aws-sdk-client-mock';
import 'aws-sdk-client-mock-vitest/extend';
import { beforeEach, describe, expect, test } from 'vitest';
import { createAcmCertificates } from '../../../lambdas/aws/acm-certificates.ts';
import { awsError } from './aws-error.ts';

const region = 'eu-central-1';
const arn = `arn:aws:acm:${region}:123456789012:certificate/1`;
const otherArn = `arn:aws:acm:${region}:123456789012:certificate/2`;
const ourTags = [
  { Key: 'perennial:stack', Value: 'Perennial' },
  { Key: 'perennial:certificate', Value: 'www' },
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
const regions: string[] = [];
const acm = createAcmCertificates({
  stackTag: 'Perennial',
  clientFor: (of) => {
    regions.push(of);
    return new ACMClient({ region: of });
  },
});

const summary = (
  CertificateArn: string,
  importedAt: string,
  names: readonly string[],
  Type: 'IMPORTED' | 'AMAZON_ISSUED' = 'IMPORTED',
) => {
  const [DomainName = '', ...others] = names;
  return {
    CertificateArn,
    DomainName,
    SubjectAlternativeNameSummaries: others,
    Type,
    ImportedAt: new Date(importedAt),
  };
};

beforeEach(() => {
  sdk.reset();
  regions.length = 0;
});

describe('finding an import', () => {
  const find = () => acm.find(region, 'www', ['example.com', '*.example.com'], 'P-256');

  test('goes by a shared name and both tags, in the region asked, among keys of this type', async () => {
    sdk.on(ListCertificatesCommand).resolves({
      CertificateSummaryList: [
        summary(otherArn, '2027-01-02T00:00:00Z', ['www.example.net']),
        summary(arn, '2027-01-01T00:00:00Z', ['old.example.com', 'Example.com']),
      ],
    });
    sdk.on(ListTagsForCertificateCommand, { CertificateArn: arn }).resolves({ Tags: ourTags });
    expect(await find()).toBe(arn);
    expect(sdk).toHaveReceivedCommandWith(ListCertificatesCommand, { Includes: { keyTypes: ['EC_prime256v1'] } });
    expect(sdk).toHaveReceivedCommandTimes(ListTagsForCertificateCommand, 1);
    expect(new Set(regions)).toEqual(new Set([region]));
  });

  test("is null when only others' share a name", async () => {
    sdk.on(ListCertificatesCommand).resolves({
      CertificateSummaryList: [
        summary(arn, '2027-01-01T00:00:00Z', ['example.com']),
        summary(otherArn, '2027-01-01T00:00:00Z', ['example.com'], 'AMAZON_ISSUED'),
      ],
    });
    sdk.on(ListTagsForCertificateCommand).resolves({ Tags: [{ Key: 'perennial:stack', Value: 'Perennial' }] });
    expect(await find()).toBeNull();
    expect(sdk).toHaveReceivedCommandTimes(ListTagsForCertificateCommand, 1);
  });

  test('prefers the one imported last', async () => {
    sdk.on(ListCertificatesCommand).resolves({
      CertificateSummaryList: [
        summary(arn, '2027-01-01T00:00:00Z', ['example.com']),
        summary(otherArn, '2027-02-01T00:00:00Z', ['example.com']),
      ],
    });
    sdk.on(ListTagsForCertificateCommand).resolves({ Tags: ourTags });
    expect(await find()).toBe(otherArn);
  });

  test('reads every page', async () => {
    sdk
      .on(ListCertificatesCommand)
      .resolvesOnce({ CertificateSummaryList: [], NextToken: 'more' })
      .resolvesOnce({ CertificateSummaryList: [summary(arn, '2027-01-01T00:00:00Z', ['*.example.com'])] });
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
      CertificateSummaryList: [summary(arn, '2027-01-01T00:00:00Z', ['example.com'])],
    });
    sdk.on(ListTagsForCertificateCommand).rejects(awsError('ResourceNotFoundException'));
    expect(await find()).toBeNull();
  });
});

describe('importing', () => {
  test('the first time carries both tags', async () => {
    sdk.on(ImportCertificateCommand).resolves({ CertificateArn: arn });
    expect(await acm.import(region, 'www', pem, null)).toEqual({ arn });
    expect(sdk).toHaveReceivedCommandExactlyOnceWith(ImportCertificateCommand, {
      Certificate: Buffer.from(leaf),
      CertificateChain: Buffer.from('chain'),
      PrivateKey: Buffer.from(pem.privateKey),
      Tags: ourTags,
    });
  });

  test('over an ARN carries none, and twice is once', async () => {
    sdk.on(ImportCertificateCommand).resolves({ CertificateArn: arn });
    expect(await acm.import(region, 'www', { ...pem, chain: '' }, arn)).toEqual({ arn });
    expect(await acm.import(region, 'www', { ...pem, chain: '' }, arn)).toEqual({ arn });
    for (const call of sdk.commandCalls(ImportCertificateCommand)) {
      expect(call.args[0].input).toEqual({
        CertificateArn: arn,
        Certificate: Buffer.from(leaf),
        PrivateKey: Buffer.from(pem.privateKey),
      });
    }
  });

  test.each(['ResourceNotFoundException', 'InvalidArnException'])('over an ARN that is gone (%s)', async (name) => {
    sdk.on(ImportCertificateCommand).rejects(awsError(name));
    expect(await acm.import(region, 'www', pem, arn)).toBe('notFound');
  });

  test.each([
    ['RSA_2048', 'keyChanged'],
    ['RSA-2048', 'keyChanged'],
    ['EC_secp384r1', 'keyChanged'],
  ])('over a key of another type or size (%s), told by looking', async (keyAlgorithm, expected) => {
    sdk.on(ImportCertificateCommand).rejects(awsError('ValidationException', 'Words that nobody documents.'));
    sdk
      .on(DescribeCertificateCommand, { CertificateArn: arn })
      .resolves({ Certificate: { KeyAlgorithm: keyAlgorithm as KeyAlgorithm } });
    expect(await acm.import(region, 'www', pem, arn)).toBe(expected);
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
      message: expect.stringContaining(`ACM in eu-central-1 refuses certificate www: ${name}: No.`),
    });
  });

  test('over the quota is a limit, not a throttle', async () => {
    sdk.on(ImportCertificateCommand).rejects(awsError('LimitExceededException', 'Limit of 2500.'));
    await expect(acm.import(region, 'www', pem, null)).rejects.toMatchObject({
      name: 'ImportLimitError',
      message: expect.stringContaining('Limit of 2500.'),
    });
  });

  test('into a change of the same certificate is tried again', async () => {
    sdk.on(ImportCertificateCommand).rejects(awsError('ConflictException'));
    await expect(acm.import(region, 'www', pem, arn)).rejects.toMatchObject({
      name: 'ThrottledError',
      message: expect.stringContaining(arn),
    });
  });

  test('never shows the key, not even when ACM repeats it', async () => {
    const repeated = `Value '${Buffer.from(pem.privateKey).toString('base64')}' at 'privateKey' (${pem.privateKey}) failed`;
    sdk.on(ImportCertificateCommand).rejects(awsError('ValidationException', repeated));
    const thrown = await acm.import(region, 'www', pem, null).catch((error: unknown) => error);
    expect(thrown).toMatchObject({ name: 'ImportRefusedError' });
    expect(inspect(thrown, { depth: 9, showHidden: true })).not.toMatch(/b3Vycw|PRIVATE KEY|LS0tLS1/);
  });
});
