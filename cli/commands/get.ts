import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  CertificateSecretError,
  type CertificateSecretValue,
} from '../../lambdas/domain/contract/certificate-secret.ts';
import type { CertificateValues } from '../../lambdas/domain/ports/certificate-values.ts';
import type { Deployments } from '../../lambdas/domain/ports/deployments.ts';
import { type FileFormat, fileFormats, filesOf, replaceFiles } from '../certificate-files.ts';
import { readReport, type Target } from '../deployment.ts';
import { CommandError, type ExitCode, exitCodes } from '../exit-codes.ts';
import { wrapped } from '../layout.ts';
import { minuteOf } from '../sentences.ts';
import type { Terminal } from '../terminal.ts';

export interface GetOptions extends Target {
  /** The folder to write to. */
  readonly out: string;
  /** Formats, separated by commas. */
  readonly format: string;
  /** File with the password of a PKCS#12 file. Its first line is used. */
  readonly passwordFile?: string | undefined;
  /** Name of an environment variable with that password. */
  readonly passwordEnv?: string | undefined;
  readonly json?: boolean | undefined;
}

export interface GetPorts {
  readonly deployments: Deployments;
  readonly values: CertificateValues;
  readonly terminal: Terminal;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Asks for a text that the terminal does not show. */
  readonly askSecret: (question: string) => Promise<string>;
}

/** Writes a certificate and its key into files. */
export async function get(name: string, options: GetOptions, ports: GetPorts): Promise<ExitCode> {
  const { deployments, values, terminal } = ports;
  const formats = formatsIn(options.format);
  const { deployment } = await readReport(deployments, options, [name]);
  const value = await read(values, `${deployment.secretPrefix}${name}`);
  const password = formats.includes('p12') ? await passwordFrom(options, ports) : undefined;
  const files = Object.assign({}, ...(await Promise.all(formats.map((each) => filesOf(each, name, value, password)))));
  const folder = replaceFiles(options.out, value.serialNumber, files);
  const written = Object.keys(files).map((file) => join(folder, file));
  if (options.json) {
    const { serialNumber, notAfter } = value;
    terminal.print(JSON.stringify({ name, serialNumber, notAfter, files: written }, null, 2));
    return exitCodes.done;
  }
  terminal.print(`Wrote ${name}, serial ${value.serialNumber}, valid until ${minuteOf(value.notAfter)} UTC:`);
  for (const file of written) terminal.print(`  ${file}`);
  terminal.print(wrapped('A server that uses these files has to reload them.', terminal.columns, 0));
  return exitCodes.done;
}

function formatsIn(text: string): readonly FileFormat[] {
  const formats = text.split(',').map((each) => each.trim());
  const unknown = formats.filter((each) => !fileFormats.some((known) => known === each));
  if (unknown.length > 0)
    throw new CommandError(
      `The format ${unknown.join(', ')} is not known. Give some of ${fileFormats.join(', ')}.`,
      exitCodes.usage,
    );
  return formats as readonly FileFormat[];
}

async function read(values: CertificateValues, secretId: string): Promise<CertificateSecretValue> {
  try {
    return await values.read(secretId);
  } catch (error) {
    if (error instanceof CertificateSecretError) throw new CommandError(error.message, exitCodes.notFound);
    throw error;
  }
}

/** Java accepts no other characters in the password of a PKCS#12 file. */
const ascii = /^[\x20-\x7e]+$/;

async function passwordFrom({ passwordFile, passwordEnv }: GetOptions, { env, askSecret }: GetPorts): Promise<string> {
  const password =
    passwordFile !== undefined
      ? firstLineOf(passwordFile)
      : passwordEnv !== undefined
        ? env[passwordEnv]
        : await askSecret('Password of the PKCS#12 file: ');
  if (!password)
    throw new CommandError(
      'The password of the PKCS#12 file is empty. Java reads no file without one.',
      exitCodes.usage,
    );
  if (!ascii.test(password))
    throw new CommandError(
      'The password of the PKCS#12 file has characters outside ASCII. Java cannot read such a file.',
      exitCodes.usage,
    );
  return password;
}

function firstLineOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
      .replace(/^\ufeff/, '') // editors of Windows write it
      .split(/\r?\n/)[0];
  } catch (error) {
    throw new CommandError(`The file with the password cannot be read. ${(error as Error).message}`, exitCodes.usage);
  }
}
