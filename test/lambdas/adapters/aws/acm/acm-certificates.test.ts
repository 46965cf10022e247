import { inspect } from 'node:util';
import {
  ACMClient,
  AddTagsToCertificateCommand,
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

// Tests for rare replies of ACM. `acm-behaviour.ts` tests the contract of the port.
const region = 'eu-central-1';
const arn = `arn:aws:acm:${region}:123456789012:certificate/1`;
const stackTags = [
  { Key: 'perennial:stack', Value: 'Perennial' },
  { Key: 'perennial:certificate', Value: 'www' },
  { Key: 'perennial:secrets', Value: 'eu-west-1/certificates/' },
];
/** A self-signed P-256 certificate. These tests replace ACM by a mock, so its dates do not matter. */
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

  test('reads all pages', async () => {
    sdk
      .on(ListCertificatesCommand)
      .resolvesOnce({ CertificateSummaryList: [], NextToken: 'more' })
      .resolvesOnce({ CertificateSummaryList: [summary] });
    sdk.on(ListTagsForCertificateCommand).resolves({ Tags: stackTags });
    expect(await find()).toBe(arn);
    expect(sdk).toHaveReceivedNthCommandWith(ListCertificatesCommand, 2, { NextToken: 'more' });
  });

  test('fails after 200 pages', async () => {
    sdk.on(ListCertificatesCommand).resolves({ CertificateSummaryList: [], NextToken: 'more' });
    await expect(find()).rejects.toThrow(/eu-central-1 .*200000/);
    expect(sdk).toHaveReceivedCommandTimes(ListCertificatesCommand, 200);
  });

  test('skips a certificate that was deleted during the search', async () => {
    sdk.on(ListCertificatesCommand).resolves({
      CertificateSummaryList: [summary],
    });
    sdk.on(ListTagsForCertificateCommand).rejects(awsError('ResourceNotFoundException'));
    expect(await find()).toBeNull();
  });
});

describe('listing imports', () => {
  const NotBefore = new Date('2027-01-01T00:00:00Z');
  const NotAfter = new Date('2027-04-01T00:00:00Z');

  test('reads all pages with every key type of ACM, and skips certificates that ACM issued itself', async () => {
    const issued = { CertificateArn: `${arn}2`, Type: 'AMAZON_ISSUED', NotBefore, NotAfter } as const;
    sdk
      .on(ListCertificatesCommand)
      .resolvesOnce({ CertificateSummaryList: [issued], NextToken: 'more' })
      .resolvesOnce({ CertificateSummaryList: [{ ...summary, NotBefore, NotAfter }], NextToken: '' });
    const validity = { notBefore: '2027-01-01T00:00:00.000Z', notAfter: '2027-04-01T00:00:00.000Z' };
    expect([...(await acm.list(region))]).toEqual([[arn, validity]]);
    const ecdsa = ['EC_prime256v1', 'EC_secp384r1', 'EC_secp521r1'] as const;
    const rsa = ['RSA_1024', 'RSA_2048', 'RSA_3072', 'RSA_4096'] as const;
    expect(sdk).toHaveReceivedNthCommandWith(ListCertificatesCommand, 2, {
      Includes: { keyTypes: [...ecdsa, ...rsa] },
      MaxItems: 1000,
      NextToken: 'more',
    });
  });

  test('fails after 200 pages', async () => {
    sdk.on(ListCertificatesCommand).resolves({ CertificateSummaryList: [], NextToken: 'more' });
    await expect(acm.list(region)).rejects.toThrow('ACM in eu-central-1 lists more than 200000 certificates');
    expect(sdk).toHaveReceivedCommandTimes(ListCertificatesCommand, 200);
  });

  test.each([
    ['ThrottlingException', 'ThrottledError'],
    ['AccessDeniedException', 'AccessDeniedError'],
  ])('that ACM answers with %s fails with %s', async (name, expected) => {
    sdk.on(ListCertificatesCommand).rejects(awsError(name));
    await expect(acm.list(region)).rejects.toMatchObject({
      name: expected,
      fields: { action: 'acm:ListCertificates', resource: 'region eu-central-1' },
    });
  });
});

describe('describing an import', () => {
  const Certificate = {
    Serial: '04:A1',
    NotBefore: new Date('2027-01-01T00:00:00Z'),
    NotAfter: new Date('2027-04-01T00:00:00Z'),
  };

  test('returns the serial number as the ledger has it, and the tags that differ', async () => {
    const clientFor = () => new ACMClient({ region });
    const tagged = createAcmCertificates({
      stackTag: 'Perennial',
      secretsTag: 'eu-west-1/certificates/',
      tags: { team: 'web' },
      clientFor,
    });
    sdk.on(DescribeCertificateCommand, { CertificateArn: arn }).resolves({ Certificate });
    sdk.on(ListTagsForCertificateCommand, { CertificateArn: arn }).resolves({ Tags: stackTags.slice(1) });
    expect(await tagged.describe(region, 'www', arn)).toEqual({
      serialNumber: '04a1',
      notBefore: '2027-01-01T00:00:00.000Z',
      notAfter: '2027-04-01T00:00:00.000Z',
      differentTags: [
        { tag: 'team', value: null, expected: 'web' },
        { tag: 'perennial:stack', value: null, expected: 'Perennial' },
      ],
    });
  });

  test.each(['ResourceNotFoundException', 'InvalidArnException'])(
    'that does not exist returns null (%s)',
    async (name) => {
      sdk.on(DescribeCertificateCommand).rejects(awsError(name));
      expect(await acm.describe(region, 'www', arn)).toBeNull();
    },
  );

  test('that is denied fails with the call that was denied', async () => {
    sdk.on(DescribeCertificateCommand).resolves({ Certificate });
    sdk.on(ListTagsForCertificateCommand).rejects(awsError('AccessDeniedException'));
    await expect(acm.describe(region, 'www', arn)).rejects.toMatchObject({
      name: 'AccessDeniedError',
      fields: { action: 'acm:ListTagsForCertificate', resource: `certificate ${arn}` },
    });
  });
});

describe('importing a certificate', () => {
  test.each(['ResourceNotFoundException', 'InvalidArnException'])(
    'over a missing ARN (%s) returns notFound',
    async (name) => {
      sdk.on(ImportCertificateCommand).rejects(awsError(name));
      expect(await acm.import(region, 'www', pem, arn)).toBe('notFound');
    },
  );

  test('over a missing ARN returns notFound even if IAM denies it, because the tags that the policy requires are missing too', async () => {
    sdk.on(ImportCertificateCommand).rejects(awsError('AccessDeniedException'));
    sdk.on(DescribeCertificateCommand).rejects(awsError('ResourceNotFoundException'));
    expect(await acm.import(region, 'www', pem, arn)).toBe('notFound');
  });

  test.each([
    ['that exists', () => sdk.on(DescribeCertificateCommand).resolves({ Certificate: { KeyAlgorithm: 'RSA_2048' } })],
    [
      'that the function may not describe',
      () => sdk.on(DescribeCertificateCommand).rejects(awsError('AccessDeniedException')),
    ],
  ])(
    'over an ARN %s fails with the action, the ARN and the required tags if IAM denies it',
    async (_, mockDescribe) => {
      sdk.on(ImportCertificateCommand).rejects(awsError('AccessDeniedException', 'Not authorized.'));
      mockDescribe();
      await expect(acm.import(region, 'www', pem, arn)).rejects.toMatchObject({
        name: 'AccessDeniedError',
        message: expect.stringMatching(
          new RegExp(
            `acm:ImportCertificate on certificate ${arn} .*perennial:stack = Perennial, perennial:certificate = www, perennial:secrets = eu-west-1/certificates/.* Not authorized\\.`,
          ),
        ),
      });
    },
  );

  test('over an ARN fails with the message of ACM if key type, one name and all usages are unchanged', async () => {
    const issuer = await makeAuthority({ name: 'Issuer' });
    const privateKey = makePrivateKey();
    const certificate = await makeLeaf(issuer, {
      identifiers: ['new.example', 'www.new.example'],
      privateKey,
      keyUsages: KeyUsageFlags.digitalSignature,
      extendedKeyUsages: ['1.3.6.1.5.5.7.3.1'],
    });
    sdk.on(ImportCertificateCommand).rejects(awsError('ValidationException', 'An undocumented reason.'));
    sdk.on(DescribeCertificateCommand, { CertificateArn: arn }).resolves({
      Certificate: {
        KeyAlgorithm: 'EC_prime256v1',
        SubjectAlternativeNames: ['old.example', 'new.example'],
        KeyUsages: [{ Name: 'DIGITAL_SIGNATURE' }],
        ExtendedKeyUsages: [{ Name: 'TLS_WEB_SERVER_AUTHENTICATION', OID: '1.3.6.1.5.5.7.3.1' }],
      },
    });
    const rejected = acm.import(region, 'www', { certificate, privateKey, chain: pemOf(issuer.certificate) }, arn);
    await expect(rejected).rejects.toThrow('An undocumented reason.');
  });

  test('over an ARN that was deleted after ACM rejected the import returns notFound', async () => {
    sdk.on(ImportCertificateCommand).rejects(awsError('ValidationException'));
    sdk.on(DescribeCertificateCommand).rejects(awsError('ResourceNotFoundException'));
    expect(await acm.import(region, 'www', pem, arn)).toBe('notFound');
  });

  test('over a key of the same type fails with the message of ACM if ACM rejects it', async () => {
    sdk.on(ImportCertificateCommand).rejects(awsError('ValidationException', 'The chain is bad.'));
    sdk.on(DescribeCertificateCommand).resolves({ Certificate: { KeyAlgorithm: 'EC_prime256v1' } });
    await expect(acm.import(region, 'www', pem, arn)).rejects.toMatchObject({ name: 'ImportRefusedError' });
    await expect(acm.import(region, 'www', { ...pem, certificate: 'not PEM' }, arn)).rejects.toThrow(
      'The chain is bad.',
    );
  });

  test.each([
    'InvalidParameterException',
    'ValidationException',
    'TagPolicyException',
    'InvalidTagException',
    'TooManyTagsException',
  ])('fails with the region and the reason if ACM rejects it (%s)', async (name) => {
    sdk.on(ImportCertificateCommand).rejects(awsError(name, 'No.'));
    await expect(acm.import(region, 'www', pem, null)).rejects.toMatchObject({
      name: 'ImportRefusedError',
      message: expect.stringMatching(`ACM in eu-central-1 .*${name}: No\\.`),
    });
  });

  test.each(['TagPolicyException', 'InvalidTagException', 'TooManyTagsException'])(
    'with tags that the organization rejects (%s) fails with the message of AWS, the tags and the fix',
    async (name) => {
      sdk.on(ImportCertificateCommand).rejects(awsError(name, 'The tag key cost-center is missing.'));
      await expect(acm.import(region, 'www', pem, null)).rejects.toThrow(
        /The tag key cost-center is missing\. .*perennial:stack = Perennial, perennial:certificate = www, perennial:secrets = eu-west-1\/certificates\/.* tag policies/,
      );
    },
  );

  test('in a region that an organization policy denies fails with the name of that policy type', async () => {
    const denial =
      'User: arn:aws:sts::123456789012:assumed-role/delivery is not authorized to perform: acm:ImportCertificate with an explicit deny in a service control policy';
    sdk.on(ImportCertificateCommand).rejects(awsError('AccessDeniedException', denial));
    await expect(acm.import(region, 'www', pem, null)).rejects.toMatchObject({
      name: 'AccessDeniedError',
      message: expect.stringMatching(/certificate www in eu-central-1 .*service control policy.* organization policy/),
    });
  });

  test('over a quota is reported as a limit, not as throttling', async () => {
    sdk.on(ImportCertificateCommand).rejects(awsError('LimitExceededException', 'Limit of 2500.'));
    await expect(acm.import(region, 'www', pem, null)).rejects.toMatchObject({
      name: 'ImportLimitError',
      message: expect.stringMatching(/ACM in eu-central-1 .*Limit of 2500\. .*2,500.*5,000.*Delete/),
    });
  });

  test('is reported as throttling if the same certificate is being changed', async () => {
    sdk.on(ImportCertificateCommand).rejects(awsError('ConflictException'));
    await expect(acm.import(region, 'www', pem, arn)).rejects.toMatchObject({
      name: 'ThrottledError',
      message: expect.stringContaining(arn),
    });
  });

  test('sets no tag longer than AWS allows, a limit that MiniStack does not check', async () => {
    const secretsTag = `eu-west-1/${'p'.repeat(300)}`;
    const clientFor = (of: string) => new ACMClient({ region: of });
    const long = createAcmCertificates({ stackTag: 'Perennial', secretsTag, clientFor });
    sdk.on(ImportCertificateCommand).resolves({ CertificateArn: arn });
    await long.import(region, 'www', pem, null);
    const { Tags: set = [] } = sdk.commandCalls(ImportCertificateCommand)[0]?.args[0].input ?? {};
    expect(Math.max(...set.map(({ Value = '' }) => Value.length))).toBe(256);
  });

  test('never shows the key, even if ACM repeats it', async () => {
    const repeated = `Value '${Buffer.from(pem.privateKey).toString('base64')}' at 'privateKey' (${pem.privateKey}) failed`;
    sdk.on(ImportCertificateCommand).rejects(awsError('ValidationException', repeated));
    const thrown = await acm.import(region, 'www', pem, null).catch((error: unknown) => error);
    expect(thrown).toMatchObject({ name: 'ImportRefusedError' });
    expect(inspect(thrown, { depth: 9, showHidden: true })).not.toMatch(/b3Vycw|PRIVATE KEY|LS0tLS1/);
  });
});

describe('tags of the operator', () => {
  const clientFor = () => new ACMClient({ region });
  const tagging = (tags: Readonly<Record<string, string>>) =>
    createAcmCertificates({ stackTag: 'Perennial', secretsTag: 'eu-west-1/certificates/', tags, clientFor });
  const ownArn = `arn:aws:acm:${region}:123456789012:certificate/1`;

  test('are set by a first import, with the name of the certificate as Name', async () => {
    sdk.on(ImportCertificateCommand).resolves({ CertificateArn: ownArn });
    await tagging({ team: 'web' }).import(region, 'www', pem, null);
    expect(sdk.commandCalls(ImportCertificateCommand)[0]?.args[0].input.Tags).toEqual([
      { Key: 'Name', Value: 'www' },
      { Key: 'team', Value: 'web' },
      ...stackTags,
    ]);
  });

  test('may have another Name', async () => {
    sdk.on(ImportCertificateCommand).resolves({ CertificateArn: ownArn });
    await tagging({ Name: 'front' }).import(region, 'www', pem, null);
    expect(sdk.commandCalls(ImportCertificateCommand)[0]?.args[0].input.Tags).toEqual([
      { Key: 'Name', Value: 'front' },
      ...stackTags,
    ]);
  });

  test('are set on an import together with those of the stack, without which IAM denies the call', async () => {
    sdk.on(AddTagsToCertificateCommand).resolves({});
    expect(await tagging({ team: 'web' }).tag(region, 'www', ownArn)).toBe('tagged');
    expect(sdk).toHaveReceivedCommandWith(AddTagsToCertificateCommand, {
      CertificateArn: ownArn,
      Tags: [{ Key: 'team', Value: 'web' }, ...stackTags],
    });
  });

  test.each(['ResourceNotFoundException', 'InvalidArnException'])(
    'of a deleted import are not set (%s)',
    async (name) => {
      sdk.on(AddTagsToCertificateCommand).rejects(awsError(name, 'No.'));
      expect(await tagging({ team: 'web' }).tag(region, 'www', ownArn)).toBe('notFound');
    },
  );

  test.each(['TagPolicyException', 'InvalidTagException', 'TooManyTagsException', 'InvalidParameterException'])(
    'that ACM rejects fail with its words and the fix (%s)',
    async (name) => {
      sdk.on(AddTagsToCertificateCommand).rejects(awsError(name, 'The value web is not allowed.'));
      await expect(tagging({ team: 'web' }).tag(region, 'www', ownArn)).rejects.toMatchObject({
        name: 'ImportRefusedError',
        message: expect.stringMatching(/refuses the tags of .*The value web is not allowed\. Correct the tags/),
      });
    },
  );
});

describe('a region that cannot be used', () => {
  const unknownHost = Object.assign(new Error('getaddrinfo ENOTFOUND acm.xx-east-1.amazonaws.com'), {
    code: 'ENOTFOUND',
  });
  test.each([
    ['is not enabled in the account', awsError('UnrecognizedClientException', 'The security token is invalid.', 403)],
    ['has no endpoint of ACM', unknownHost],
  ])('is reported with the command that enables it when it %s', async (_, error) => {
    sdk.onAnyCommand().rejects(error);
    const calls = [
      acm.import(region, 'www', pem, null),
      acm.import(region, 'www', pem, arn),
      acm.find(region, 'www', ['example.com'], 'P-256'),
      acm.list(region),
      acm.describe(region, 'www', arn),
      acm.tag(region, 'www', arn),
    ];
    for (const call of calls) {
      await expect(call).rejects.toMatchObject({ name: 'RegionUnavailableError', fields: { region } });
      await expect(call).rejects.toThrow(`aws account enable-region --region-name ${region}`);
    }
  });
});
