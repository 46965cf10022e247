import { X509Certificate } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { KeyType } from '../../../../../lambdas/domain/contract/config.ts';
import type { AcmCertificates } from '../../../../../lambdas/domain/ports/acm-certificates.ts';
import { makeAuthority, makeLeaf, makePrivateKey, pemOf } from '../../../../fakes/certificates.ts';

/** The port, and what the tests need besides. */
export interface AcmWorld {
  readonly acm: AcmCertificates;
  /** The port of another stack that has a certificate with the same name. */
  readonly namesake: AcmCertificates;
  /** Returns the serial number (hex) of the certificate that this ARN currently has. */
  serialNumber(region: string, arn: string): Promise<string>;
  delete(region: string, arn: string): Promise<void>;
  removeTags(region: string, arn: string): Promise<void>;
}

const region = 'eu-central-1';
const serverAuthentication = '1.3.6.1.5.5.7.3.1';
const emailProtection = '1.3.6.1.5.5.7.3.4';
const day = 86_400_000;

let authority: ReturnType<typeof makeAuthority> | undefined;
let serial = 0x1000;

/** Returns a currently valid certificate, issued by a CA that is created in this file. */
async function issue({
  identifiers,
  keyType = 'P-256',
  extendedKeyUsages = [serverAuthentication],
}: {
  readonly identifiers: readonly string[];
  readonly keyType?: KeyType;
  readonly extendedKeyUsages?: readonly string[];
}) {
  authority ??= makeAuthority({ name: 'Example CA' });
  const issuer = await authority;
  const privateKey = makePrivateKey(keyType);
  const serialNumber = (serial++).toString(16);
  const certificate = await makeLeaf(issuer, {
    identifiers,
    privateKey,
    serialNumber,
    extendedKeyUsages,
    notBefore: new Date(Date.now() - day).toISOString(),
    notAfter: new Date(Date.now() + 30 * day).toISOString(),
  });
  const { validFromDate, validToDate } = new X509Certificate(certificate);
  const validity = { notBefore: validFromDate.toISOString(), notAfter: validToDate.toISOString() };
  return { serialNumber, validity, pem: { certificate, privateKey, chain: pemOf(issuer.certificate) } };
}

type Issued = Awaited<ReturnType<typeof issue>>;

/** The contract of the port, tested against ACM and against the fake. Each test uses its own names. */
export function acmBehaviour(worldOf: () => AcmWorld): void {
  async function importNew(certificate: string, identifiers: readonly string[], by = worldOf().acm): Promise<string> {
    return importOf(await issue({ identifiers }), by, certificate);
  }

  async function importOf({ pem }: Issued, by = worldOf().acm, certificate = 'www'): Promise<string> {
    const answer = await by.import(region, certificate, pem, null);
    if (typeof answer === 'string') throw new Error(answer);
    return answer.arn;
  }

  describe('an import', () => {
    test('is found by certificate name, any of its domain names, key type and region', async () => {
      const { acm } = worldOf();
      const names = ['*.found.test', 'FOUND.test'];
      const find = (of: Partial<{ region: string; certificate: string; names: string[]; keyType: KeyType }> = {}) =>
        acm.find(of.region ?? region, of.certificate ?? 'found', of.names ?? ['found.test'], of.keyType ?? 'P-256');
      expect(await find()).toBeNull();
      const arn = await importNew('found', names);
      expect(await find()).toBe(arn);
      expect(await find({ names: ['new.test', '*.found.test'] })).toBe(arn);
      expect(await find({ names: ['www.found.test'] })).toBeNull();
      expect(await find({ certificate: 'other' })).toBeNull();
      expect(await find({ keyType: 'P-384' })).toBeNull();
      expect(await find({ region: 'us-east-1' })).toBeNull();
    });

    test('of another stack is not found, even if its certificate has the same name', async () => {
      const { acm, namesake } = worldOf();
      const find = (by: AcmCertificates) => by.find(region, 'www', ['namesake.test'], 'P-256');
      const ofOtherStack = await importNew('www', ['namesake.test'], namesake);
      expect(await find(acm)).toBeNull();
      const ofThisStack = await importNew('www', ['namesake.test']);
      expect(await find(acm)).toBe(ofThisStack);
      expect(await find(namesake)).toBe(ofOtherStack);
    });

    test('of another stack is similar to an import of this stack, and an import of another certificate is not', async () => {
      const { acm, namesake } = worldOf();
      const arn = await importNew('alike', ['alike.test'], namesake);
      await importNew('unlike', ['alike.test'], namesake);
      await importNew('alike', ['alike.test']);
      const found = await acm.similar(region, 'alike', ['alike.test', 'more.test'], 'P-256');
      expect(found).toEqual([
        { arn, tag: expect.stringMatching(/^perennial:/), value: expect.any(String), expected: expect.any(String) },
      ]);
      expect(found[0]?.value).not.toBe(found[0]?.expected);
      expect(await acm.similar(region, 'alike', ['more.test'], 'P-256')).toEqual([]);
      expect(await acm.similar(region, 'alike', ['alike.test'], 'P-384')).toEqual([]);
    });

    test('is found as the latest of several, including one that was imported again', async () => {
      const { acm } = worldOf();
      const find = () => acm.find(region, 'several', ['several.test'], 'P-256');
      const first = await importNew('several', ['several.test']);
      const second = await importNew('several', ['several.test']);
      expect(await find()).toBe(second);
      await acm.import(region, 'several', (await issue({ identifiers: ['several.test'] })).pem, first);
      expect(await find()).toBe(first);
    });

    test('that was deleted is not found', async () => {
      const { acm, delete: remove } = worldOf();
      const arn = await importNew('gone', ['gone.test']);
      await remove(region, arn);
      expect(await acm.find(region, 'gone', ['gone.test'], 'P-256')).toBeNull();
    });
  });

  describe('the list of a region', () => {
    test('has the imports of every key type and stack with their validity, until they are deleted', async () => {
      const { acm, namesake, delete: remove } = worldOf();
      const P256 = await issue({ identifiers: ['list.test'] });
      const P384 = await issue({ identifiers: ['list.test'], keyType: 'P-384' });
      const [one, two] = [await importOf(P256), await importOf(P384, namesake)];
      const listed = await acm.list(region);
      expect(listed.get(one)).toEqual(P256.validity);
      expect(listed.get(two)).toEqual(P384.validity);
      expect((await acm.list('us-east-1')).has(one)).toBe(false);
      await remove(region, one);
      expect((await acm.list(region)).has(one)).toBe(false);
    });
  });

  describe('the description of an import', () => {
    test('has its serial number and validity, which follow a later import over the ARN', async () => {
      const { acm } = worldOf();
      const first = await issue({ identifiers: ['described.test'] });
      const arn = await importOf(first, acm, 'described');
      const describing = () => acm.describe(region, 'described', arn);
      const { serialNumber, validity } = first;
      expect(await describing()).toEqual({ serialNumber, ...validity, differentTags: [] });
      const later = await issue({ identifiers: ['described.test'] });
      await acm.import(region, 'described', later.pem, arn);
      expect(await describing()).toMatchObject({ serialNumber: later.serialNumber });
    });

    test('names the tags that were removed, and those of another stack and certificate', async () => {
      const { acm, namesake, removeTags } = worldOf();
      const arn = await importNew('untagged', ['untagged.test']);
      const tagsOf = async (...by: Parameters<typeof acm.describe>) => (await acm.describe(...by))?.differentTags;
      expect(await tagsOf(region, 'other', arn)).toEqual([
        { tag: 'perennial:certificate', value: 'untagged', expected: 'other' },
      ]);
      expect((await namesake.describe(region, 'untagged', arn))?.differentTags).toHaveLength(1);
      await removeTags(region, arn);
      expect(await tagsOf(region, 'untagged', arn)).toEqual(
        expect.arrayContaining([{ tag: 'perennial:stack', value: null, expected: expect.any(String) }]),
      );
    });

    test('of an ARN that does not exist is null', async () => {
      const { acm, delete: remove } = worldOf();
      const arn = await importNew('undescribed', ['undescribed.test']);
      await remove(region, arn);
      expect(await acm.describe(region, 'undescribed', arn)).toBeNull();
    });
  });

  describe('an import over an ARN', () => {
    test('keeps the ARN and its tags, and can be repeated', async () => {
      const { acm, serialNumber } = worldOf();
      const arn = await importNew('kept', ['kept.test']);
      const renewed = await issue({ identifiers: ['kept.test', 'added.test'] });
      expect(await acm.import(region, 'kept', renewed.pem, arn)).toEqual({ arn });
      expect(await acm.import(region, 'kept', renewed.pem, arn)).toEqual({ arn });
      expect(await serialNumber(region, arn)).toBe(renewed.serialNumber);
      expect(await acm.find(region, 'kept', ['added.test'], 'P-256')).toBe(arn);
    });

    test.each<[string, Parameters<typeof issue>[0]]>([
      ['keyChanged', { identifiers: ['refused.test'], keyType: 'P-384' }],
      ['namesChanged', { identifiers: ['another.test'] }],
      ['usageRemoved', { identifiers: ['refused.test'] }],
    ])('that ACM rejects returns the reason %s', async (reason, after) => {
      const { acm, serialNumber } = worldOf();
      const extendedKeyUsages = [serverAuthentication, emailProtection];
      const before = await issue({ identifiers: ['refused.test'], extendedKeyUsages });
      const first = await acm.import(region, reason, before.pem, null);
      if (typeof first === 'string') throw new Error(first);
      const { pem } = await issue({
        extendedKeyUsages: reason === 'usageRemoved' ? [serverAuthentication] : extendedKeyUsages,
        ...after,
      });
      expect(await acm.import(region, reason, pem, first.arn)).toBe(reason);
      expect(await serialNumber(region, first.arn)).toBe(before.serialNumber);
    });

    test('is allowed to remove the extended key usage for client authentication', async () => {
      const { acm } = worldOf();
      const usages = [serverAuthentication, '1.3.6.1.5.5.7.3.2'];
      const before = await issue({ identifiers: ['client.test'], extendedKeyUsages: usages });
      const first = await acm.import(region, 'client', before.pem, null);
      if (typeof first === 'string') throw new Error(first);
      const { pem } = await issue({ identifiers: ['client.test'] });
      expect(await acm.import(region, 'client', pem, first.arn)).toEqual(first);
    });

    test('that no longer exists returns notFound', async () => {
      const { acm, delete: remove } = worldOf();
      const arn = await importNew('deleted', ['deleted.test']);
      await remove(region, arn);
      const { pem } = await issue({ identifiers: ['deleted.test'] });
      expect(await acm.import(region, 'deleted', pem, arn)).toBe('notFound');
    });
  });

  test('a key that does not match the certificate is rejected, and nothing is imported', async () => {
    const { acm, serialNumber } = worldOf();
    const wrong = async () => ({ ...(await issue({ identifiers: ['wrong.test'] })).pem, privateKey: makePrivateKey() });
    const rejected = { name: 'ImportRefusedError' };
    await expect(acm.import(region, 'wrong', await wrong(), null)).rejects.toMatchObject(rejected);
    expect(await acm.find(region, 'wrong', ['wrong.test'], 'P-256')).toBeNull();
    const arn = await importNew('wrong', ['wrong.test']);
    const before = await serialNumber(region, arn);
    await expect(acm.import(region, 'wrong', await wrong(), arn)).rejects.toMatchObject(rejected);
    expect(await serialNumber(region, arn)).toBe(before);
  });
}
