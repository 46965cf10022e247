/** The default event bus, which keeps the entries of PutEvents in their order. */
export class FakeEventBus {
  readonly published: { readonly detailType: string; readonly detail: Readonly<Record<string, unknown>> }[] = [];

  async publish(entries: readonly Readonly<Record<string, unknown>>[]): Promise<void> {
    for (const { DetailType, Detail } of entries)
      this.published.push({ detailType: String(DetailType), detail: Detail as Record<string, unknown> });
  }

  /** Returns the versions for which `Certificate Renewed` was published. */
  announcedVersions(): unknown[] {
    return this.published.flatMap(({ detailType, detail }) =>
      detailType === 'Certificate Renewed' ? [(detail.current as { readonly versionId: string }).versionId] : [],
    );
  }
}
