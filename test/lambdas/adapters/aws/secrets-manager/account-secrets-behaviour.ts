import { expect, test } from 'vitest';
import type { AccountSecrets } from '../../../../../lambdas/domain/ports/account-secrets.ts';

/** The contract of the port, tested against Secrets Manager and against the fake. Each test uses its own directory URL. */
export function accountSecretsBehaviour(accountsOf: () => AccountSecrets): void {
  const directory = (name: string) => `https://ca.example:14000/${name}`;
  const url = 'https://ca.example:14000/account/1';
  const contact = ['mailto:tls@example.com'];

  test('an account can be read only after it was created', async () => {
    const accounts = accountsOf();
    expect(await accounts.read(directory('read'))).toBeNull();
    const created = await accounts.create(directory('read'), 'key');
    expect(created).toEqual({ privateKey: 'key', url: null, version: expect.any(String) });
    expect(await accounts.read(directory('read'))).toEqual(created);
  });

  test('two executions that create an account at the same time get the same key, and so does a later one', async () => {
    const accounts = accountsOf();
    const both = await Promise.all(['k1', 'k2'].map((key) => accounts.create(directory('raced'), key)));
    expect(both[0]).toEqual(both[1]);
    expect(['k1', 'k2']).toContain(both[0]?.privateKey);
    expect(await accounts.create(directory('raced'), 'k3')).toEqual(both[0]);
  });

  test('two directories at the same host have separate accounts', async () => {
    const accounts = accountsOf();
    await accounts.create(directory('first'), 'k1');
    await accounts.create(directory('second'), 'k2');
    expect(await accounts.read(directory('first'))).toMatchObject({ privateKey: 'k1' });
    expect(await accounts.read(directory('second'))).toMatchObject({ privateKey: 'k2' });
  });

  test('the account URL is saved once, even by two executions at the same time', async () => {
    const accounts = accountsOf();
    const account = await accounts.create(directory('saved'), 'key');
    const both = await Promise.all([1, 2].map(() => accounts.saveUrl(directory('saved'), account, { url, contact })));
    expect(both[0]).toEqual({ privateKey: 'key', url, contact, version: expect.any(String) });
    expect(both[1]).toEqual(both[0]);
    expect(await accounts.saveUrl(directory('saved'), account, { url })).toEqual(both[0]);
    expect(await accounts.read(directory('saved'))).toEqual(both[0]);
  });

  test('the account URL is not saved if the key has changed or the account does not exist', async () => {
    const accounts = accountsOf();
    const created = await accounts.create(directory('other'), 'key');
    const replaced = await accounts.replace(directory('other'), created, { privateKey: 'new', url: null });
    expect(await accounts.saveUrl(directory('other'), created, { url })).toEqual(replaced);
    expect(await accounts.read(directory('other'))).toEqual(replaced);
    await expect(accounts.saveUrl(directory('none'), created, { url })).rejects.toMatchObject({
      name: 'UnexpectedError',
    });
    expect(await accounts.read(directory('none'))).toBeNull();
  });

  test('an account is replaced if its version is unchanged since it was read, with or without a next key', async () => {
    const accounts = accountsOf();
    const created = await accounts.create(directory('replaced'), 'old');
    const during = await accounts.replace(directory('replaced'), created, {
      privateKey: 'old',
      url,
      nextPrivateKey: 'new',
      contact,
    });
    expect(during).toEqual({ privateKey: 'old', url, nextPrivateKey: 'new', contact, version: expect.any(String) });
    expect(during.version).not.toBe(created.version);
    expect(await accounts.read(directory('replaced'))).toEqual(during);
    const after = await accounts.replace(directory('replaced'), during, { privateKey: 'new', url });
    expect(after).toEqual({ privateKey: 'new', url, version: expect.any(String) });
    expect(await accounts.read(directory('replaced'))).toEqual(after);
  });

  test('an account is not replaced if its version has changed, and the current one is returned', async () => {
    const accounts = accountsOf();
    const created = await accounts.create(directory('stale'), 'old');
    const faster = await accounts.replace(directory('stale'), created, { privateKey: 'faster', url });
    expect(await accounts.replace(directory('stale'), created, { privateKey: 'slower', url })).toEqual(faster);
    expect(await accounts.read(directory('stale'))).toEqual(faster);
    const missing = accounts.replace(directory('nowhere'), created, { privateKey: 'new', url });
    await expect(missing).rejects.toMatchObject({ name: 'AwsRefusedError' });
  });
}
