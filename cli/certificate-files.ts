import { createPrivateKey, X509Certificate } from 'node:crypto';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { CertificateSecretValue } from '../lambdas/domain/contract/certificate-secret.ts';
import { CommandError, exitCodes } from './exit-codes.ts';
import { pkcs12 } from './pkcs12.ts';

/** The formats in which `get` writes a certificate. */
export const fileFormats = ['pem', 'nginx', 'haproxy', 'p12'] as const;

export type FileFormat = (typeof fileFormats)[number];

/** Contents by file name. */
export type Files = Readonly<Record<string, string | Uint8Array>>;

/**
 * Returns the files of a format.
 *
 * @param password the password of a PKCS#12 file
 */
export async function filesOf(
  format: FileFormat,
  name: string,
  value: CertificateSecretValue,
  password: string | undefined,
): Promise<Files> {
  const { certificate, chain, fullChain, privateKey } = value;
  switch (format) {
    case 'pem':
      return { 'cert.pem': certificate, 'chain.pem': chain, 'fullchain.pem': fullChain, 'privkey.pem': privateKey };
    case 'nginx':
      return { 'tls.crt': fullChain, 'tls.key': privateKey };
    case 'haproxy':
      return { 'haproxy.pem': `${fullChain.trimEnd()}\n${privateKey}` };
    case 'p12': {
      const content = {
        certificate: new X509Certificate(certificate),
        chain: certificatesIn(chain),
        privateKey: createPrivateKey(privateKey).export({ format: 'der', type: 'pkcs8' }),
        name,
      };
      return { 'certificate.p12': await pkcs12(content, password ?? '') };
    }
  }
}

const certificatesIn = (pem: string): X509Certificate[] =>
  (pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []).map(
    (each) => new X509Certificate(each),
  );

/**
 * Writes the files into a new folder and then moves the link `<folder>/current` to it in one step, so that a server never sees the key of one
 * certificate with another one. Only the user can read them. The folders of the current and of the previous certificate stay.
 *
 * @returns the path of the link
 * @throws CommandError if `current` is there and is no link
 */
export function replaceFiles(folder: string, version: string, files: Files): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const current = join(folder, 'current');
  const before = linkAt(current);
  const made = mkdtempSync(join(folder, `${version}.`));
  try {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(made, name), content, { mode: 0o600 });
    const link = join(made, '.link');
    const target = made.slice(folder.length).replace(/^\/+/, '');
    symlinkSync(target, link);
    renameSync(link, current);
  } catch (error) {
    rmSync(made, { recursive: true, force: true });
    throw error;
  }
  const kept = [linkAt(current), before];
  for (const { name } of readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory()))
    if (!kept.includes(name) && /^[0-9A-Fa-f]+\.\w{6}$/.test(name)) rmSync(join(folder, name), { recursive: true });
  return current;
}

function linkAt(path: string): string | null {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found) return null;
  if (!found.isSymbolicLink())
    throw new CommandError(
      `${path} is not a link that this command made. Give another folder with --out, or remove it.`,
      exitCodes.usage,
    );
  return readlinkSync(path);
}
