import type { KeyType } from '../../lambdas/domain/contract/config.ts';
import type { Lookup } from '../../lambdas/domain/ports/dns.ts';
import type { ShownCertificate, TlsEndpoints } from '../../lambdas/domain/ports/tls-endpoints.ts';

/** Servers by `host:port`; one that the test says nothing of refuses the connection. */
export class FakeTlsEndpoints implements TlsEndpoints {
  readonly #servers = new Map<string, () => ShownCertificate | undefined>();
  /** Endpoints that are being looked at. */
  #looking = 0;
  mostAtOnce = 0;
  readonly asked: { readonly endpoint: string; readonly keyType: KeyType }[] = [];

  /** From now on this server shows this certificate. */
  serve(endpoint: string, serialNumber: string, notAfter = '2026-04-01T00:00:00.000Z'): void {
    this.serveBy(endpoint, () => ({ serialNumber, notAfter }));
  }

  /** This server loads what it shows for each client. */
  serveBy(endpoint: string, load: () => ShownCertificate | undefined): void {
    this.#servers.set(endpoint, load);
  }

  stop(endpoint: string): void {
    this.#servers.delete(endpoint);
  }

  async shown(endpoint: string, keyType: KeyType): Promise<Lookup<ShownCertificate>> {
    this.asked.push({ endpoint, keyType });
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.#looking);
    await Promise.resolve();
    this.#looking -= 1;
    const found = this.#servers.get(endpoint)?.();
    return found ? { found } : { failed: 'it refuses the connection' };
  }
}
