import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DnsServer, startDnsServer } from './dns-server.ts';
import { type Installation, type InstallOptions, install } from './install.ts';
import { type MiniStack, type MiniStackOptions, startMiniStack } from './ministack.ts';
import { type Pebble, type PebbleOptions, startPebble } from './pebble.ts';

export interface LocalEnvironmentOptions extends MiniStackOptions {
  pebble?: PebbleOptions;
  onProgress?: InstallOptions['onProgress'];
}

/** AWS, an ACME CA and DNS on this machine. */
export interface LocalEnvironment {
  aws: MiniStack;
  pebble: Pebble;
  dns: DnsServer;
  /** For SDK clients: `new Route53Client(local.clientConfig)`. The credentials are the account's root. */
  clientConfig: { endpoint: string; region: string; credentials: { accessKeyId: string; secretAccessKey: string } };
  /** The same for other programs (the CDK, the AWS CLI, certbot). */
  variables: Record<string, string>;
  installation: Installation;
  /** A temporary folder with the logs; removed on stop. */
  folder: string;
  /** Process ids of what was started. */
  pids: number[];
  /** Ends every process and removes the folder; a second call waits for the first. */
  stop(): Promise<void>;
}

/**
 * Installs what is missing, starts everything on free ports and waits until it answers. It ends with this process,
 * however that ends; `stop` ends it earlier.
 *
 * @throws MissingPrerequisiteError when the machine lacks something; the message says what to install.
 */
export async function startLocalEnvironment(options: LocalEnvironmentOptions = {}): Promise<LocalEnvironment> {
  const installation = await install(options.onProgress ? { onProgress: options.onProgress } : {});
  const folder = mkdtempSync(join(tmpdir(), 'perennial-'));
  const started: { stop(): Promise<void> }[] = [];
  let stopping: Promise<void> | undefined;
  const stopAll = async () => {
    await Promise.all(started.map((part) => part.stop()));
    // The tethers remove the folder too, and a command that has just been interrupted may still write to it.
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  };
  const stop = () => {
    stopping ??= stopAll();
    return stopping;
  };
  try {
    // The DNS server's ports go into MiniStack's and Pebble's configuration, and it asks MiniStack when it is asked.
    let aws: MiniStack | undefined;
    const dns = await startDnsServer(async () => (await aws?.hostedZones()) ?? []);
    started.push(dns);
    const ministack = startMiniStack(installation.python, folder, dns.addresses.authoritative, options).then(remember);
    const ca = startPebble(installation, folder, dns.addresses.validation, options.pebble).then(remember);
    // Both have started or failed before anything is stopped again.
    await Promise.allSettled([ministack, ca]);
    aws = await ministack;
    const pebble = await ca;
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
    return {
      aws,
      pebble,
      dns,
      clientConfig: { endpoint: aws.endpoint, region: aws.region, credentials },
      variables: {
        AWS_ENDPOINT_URL: aws.endpoint,
        AWS_ENDPOINT_URL_S3: aws.endpoint,
        AWS_REGION: aws.region,
        AWS_DEFAULT_REGION: aws.region,
        AWS_ACCESS_KEY_ID: credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      },
      installation,
      folder,
      pids: [...aws.pids, ...pebble.pids],
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }

  function remember<T extends { stop(): Promise<void> }>(part: T): T {
    started.push(part);
    return part;
  }
}
