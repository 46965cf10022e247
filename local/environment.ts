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

/** AWS (MiniStack), an ACME CA (Pebble) and DNS on this machine. */
export interface LocalEnvironment {
  aws: MiniStack;
  pebble: Pebble;
  dns: DnsServer;
  /** Config of SDK clients with the root credentials of the account, for example `new Route53Client(local.clientConfig)`. */
  clientConfig: { endpoint: string; region: string; credentials: { accessKeyId: string; secretAccessKey: string } };
  /** Environment variables for other programs such as the CDK, the AWS CLI or certbot. */
  variables: Record<string, string>;
  installation: Installation;
  /** Temporary folder with the logs. `stop` removes it. */
  folder: string;
  /** Ids of the started processes. */
  pids: number[];
  /** Ends every process and removes the folder. A second call waits for the first one. */
  stop(): Promise<void>;
}

/**
 * Starts the local environment on free ports and waits until all servers answer. Installs them first if they are missing. The environment
 * ends with this process, even if the process is killed. `stop` ends it earlier.
 *
 * @throws MissingPrerequisiteError if a program is missing on the machine
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
    // The DNS server starts first, because MiniStack and Pebble need its ports. It reads the zones from MiniStack for each question.
    let aws: MiniStack | undefined;
    const dns = await startDnsServer(async () => (await aws?.hostedZones()) ?? []);
    started.push(dns);
    const ministack = startMiniStack(installation.python, folder, dns.addresses.authoritative, options).then(remember);
    const ca = startPebble(installation, folder, dns.addresses.validation, options.pebble).then(remember);
    // Waits for both, so that `stop` in the catch block below stops both.
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
