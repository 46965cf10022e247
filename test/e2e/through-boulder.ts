import type { LocalConfig } from '../../local/config-file.ts';
import type { LocalEnvironment, LocalEnvironmentOptions } from '../../local/environment.ts';
import { type Boulder, startBoulder } from '../boulder/boulder.ts';
import { type Deployed, deployed } from './deployed.ts';

/** Deploys the service with a CA that behaves like Let's Encrypt. The CA is Pebble behind the Boulder proxy. */
export async function deployedThroughBoulder(
  config: LocalConfig | ((local: LocalEnvironment, boulder: Boulder) => Promise<LocalConfig>),
  options: LocalEnvironmentOptions = {},
): Promise<Deployed & { readonly boulder: Boulder }> {
  let boulder: Boulder | undefined;
  const stopBoulder = async () => boulder?.stop();
  const through = (started: Boulder) => (wanted: LocalConfig) => ({
    ...wanted,
    issuer: { ...wanted.issuer, directoryUrl: started.directoryUrl, trustedRoots: [started.trustedRoots] },
  });
  try {
    const service = await deployed(async (local) => {
      boulder = await startBoulder({ upstream: local.pebble });
      return through(boulder)(typeof config === 'function' ? await config(local, boulder) : config);
    }, options);
    if (!boulder) throw new Error('The Boulder proxy was not started.');
    const started = boulder;
    return {
      ...service,
      boulder: started,
      update: (wanted, format) => service.update(through(started)(wanted), format),
      redeploy: (wanted) => service.redeploy(through(started)(wanted)),
      stop: async () => {
        await service.stop();
        await stopBoulder();
      },
    };
  } catch (error) {
    await stopBoulder();
    throw error;
  }
}
