import type { KeyType } from '../../lambdas/domain/contract/config.ts';
import type { Lookup } from '../../lambdas/domain/ports/dns.ts';
import type { ShownCertificate, TlsEndpoints } from '../../lambdas/domain/ports/tls-endpoints.ts';

/** TLS servers by `host:port`. A server without a certificate refuses the connection. */
export class FakeTlsEndpoints implements TlsEndpoints {
  readonly #servers = new Map<string, () => ShownCertificate | undefined>();
  /** Number of open connections. */
  #open = 0;
  /** Highest number of connections that were open at the same time. */
  mostAtOnce = 0;
  readonly asked: { readonly endpoint: string; readonly keyType: KeyType }[] = [];

  /** Makes a server present this certificate. */
  serve(endpoint: string, serialNumber: string, notAfter = '2026-04-01T00:00:00.000Z'): void {
    this.serveBy(endpoint, () => ({ serialNumber, notAfter }));
  }

  /** Makes a server call `load` for the certificate of each connection. */
  serveBy(endpoint: string, load: () => ShownCertificate | undefined): void {
    this.#servers.set(endpoint, load);
  }

  stop(endpoint: string): void {
    this.#servers.delete(endpoint);
  }

  async shown(endpoint: string, keyType: KeyType): Promise<Lookup<ShownCertificate>> {
    this.asked.push({ endpoint, keyType });
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.#open);
    await Promise.resolve();
    this.#open -= 1;
    const found = this.#servers.get(endpoint)?.();
    return found ? { found } : { failed: 'it refuses the connection' };
  }
}
