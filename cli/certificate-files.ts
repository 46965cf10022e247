import { createPrivateKey, X509Certificate } from 'node:crypto';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import type { CertificateSecretValue } from '../lambdas/domain/contract/certificate-secret.ts';
import { CommandError, exitCodes, notWritten } from './exit-codes.ts';
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

/** The link in the folder of an execution that is still writing. The link then becomes `current`. */
const UNFINISHED = '.link';

/** Age in ms from which a folder without a finished certificate was left by a process that was killed. */
const ABANDONED_AFTER = 60_000;

/**
 * Writes the files into a new folder and then moves the link `<folder>/current` to it in one step, so that a server never sees the key of one
 * certificate with another one. Only the user can read them. The folders of the current and of the previous certificate stay. Several processes may
 * write into one folder.
 *
 * @returns the path of the link
 * @throws CommandError if the folder cannot be written, or if `current` is there and is no link
 */
export function replaceFiles(folder: string, version: string, files: Files): string {
  const current = join(folder, 'current');
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const before = linkAt(current);
    const made = mkdtempSync(join(folder, `${version}.`));
    let now: number;
    try {
      symlinkSync(basename(made), join(made, UNFINISHED));
      for (const [name, content] of Object.entries(files)) writeFileSync(join(made, name), content, { mode: 0o600 });
      now = statSync(made).mtimeMs;
      renameSync(join(made, UNFINISHED), current);
    } catch (error) {
      rmSync(made, { recursive: true, force: true });
      throw error;
    }
    removeOlder(folder, before, now);
  } catch (error) {
    throw notWritten(folder, error);
  }
  return current;
}

/** Removes the folders of earlier certificates besides `before`, and those that a killed process has left. */
function removeOlder(folder: string, before: string | null, now: number): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (!entry.isDirectory() || !/^[0-9A-Fa-f]+\.\w{6}$/.test(entry.name) || entry.name === before) continue;
    const path = join(folder, entry.name);
    // Another process may finish at any time. Its folder is unfinished, or it is the current one when the link is read after that.
    if (isBeingWritten(path, now) || entry.name === linkAt(join(folder, 'current'))) continue;
    rmSync(path, { recursive: true, force: true });
  }
}

function isBeingWritten(path: string, now: number): boolean {
  const age = now - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? now);
  if (age > ABANDONED_AFTER) return false;
  try {
    const names = readdirSync(path);
    return names.length === 0 || names.includes(UNFINISHED);
  } catch {
    return true; // Another process has removed it.
  }
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
