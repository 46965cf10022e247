import { describe, expect, test } from 'vitest';
import type { HostedZones, TxtRecordSet } from '../../../../../lambdas/domain/ports/hosted-zones.ts';

/** The port, and what the tests need besides. */
export interface HostedZonesWorld {
  readonly hostedZones: HostedZones;
  /** Creates a public zone and returns its id. */
  createZone(name: string): Promise<string>;
  /** Creates a CNAME as another program does. */
  createCname(zone: string, name: string, target: string): Promise<void>;
  /** Completes all changes, so that Route 53 reports them as INSYNC. */
  settle(): Promise<void>;
}

const txt = (name: string, ...values: string[]): TxtRecordSet => ({
  name: `${name}.`,
  ttl: 60,
  values,
  unsuitable: null,
});

/** The contract of the port, tested against Route 53 and against the fake. Each test uses its own zone. */
export function hostedZonesBehaviour(worldOf: () => HostedZonesWorld): void {
  describe('a TXT set', () => {
    test('is read exactly as it was created, and only at its own name', async () => {
      const { hostedZones, createZone } = worldOf();
      const zone = await createZone('read.test');
      const name = '_acme-challenge.read.test';
      expect(await hostedZones.readTxt(zone, name)).toBeNull();
      const after = txt(name, '"one"', '"t" "wo"');
      expect(await hostedZones.change(zone, [{ name, before: null, after }])).toEqual({ id: expect.any(String) });
      expect(await hostedZones.readTxt(zone, name)).toEqual(after);
      expect(await hostedZones.readTxt(zone, `${name}.`)).toEqual(after);
      expect(await hostedZones.readTxt(zone, '_acme-challenge.www.read.test')).toBeNull();
      expect(await hostedZones.readTxt(zone, 'read.test')).toBeNull();
    });

    test('is not created if one already exists', async () => {
      const { hostedZones, createZone } = worldOf();
      const zone = await createZone('exists.test');
      const name = '_acme-challenge.exists.test';
      const existing = txt(name, '"other"');
      await hostedZones.change(zone, [{ name, before: null, after: existing }]);
      const rejected = await hostedZones.change(zone, [{ name, before: null, after: txt(name, '"own"') }]);
      expect(rejected).toEqual({ refused: expect.stringContaining('already exists') });
      expect(await hostedZones.readTxt(zone, name)).toEqual(existing);
    });

    test('is replaced or removed only if it is unchanged since it was read', async () => {
      const { hostedZones, createZone } = worldOf();
      const zone = await createZone('swapped.test');
      const name = '_acme-challenge.swapped.test';
      const [before, after] = [txt(name, '"other"'), txt(name, '"other"', '"own"')];
      await hostedZones.change(zone, [{ name, before: null, after: before }]);
      for (const stale of [{ ...before, ttl: 61 }, txt(name, '"changed"'), after]) {
        expect(await hostedZones.change(zone, [{ name, before: stale, after }])).toHaveProperty('refused');
        expect(await hostedZones.change(zone, [{ name, before: stale, after: null }])).toHaveProperty('refused');
        expect(await hostedZones.readTxt(zone, name)).toEqual(before);
      }
      expect(await hostedZones.change(zone, [{ name, before, after }])).toHaveProperty('id');
      expect(await hostedZones.readTxt(zone, name)).toEqual(after);
      expect(await hostedZones.change(zone, [{ name, before: after, after: null }])).toHaveProperty('id');
      expect(await hostedZones.readTxt(zone, name)).toBeNull();
      expect(await hostedZones.change(zone, [{ name, before: after, after: null }])).toHaveProperty('refused');
    });

    test('is not changed by a batch in which another change is rejected', async () => {
      const { hostedZones, createZone } = worldOf();
      const zone = await createZone('batch.test');
      const [one, two] = ['_acme-challenge.a.batch.test', '_acme-challenge.b.batch.test'];
      const existing = txt(two, '"other"');
      await hostedZones.change(zone, [{ name: two, before: null, after: existing }]);
      const own = { name: one, before: null, after: txt(one, '"own"') };
      expect(await hostedZones.change(zone, [own, { name: two, before: null, after: existing }])).toHaveProperty(
        'refused',
      );
      expect(await hostedZones.readTxt(zone, one)).toBeNull();
      expect(await hostedZones.change(zone, [own, { name: two, before: existing, after: null }])).toHaveProperty('id');
      expect(await hostedZones.readTxt(zone, one)).toEqual(own.after);
      expect(await hostedZones.readTxt(zone, two)).toBeNull();
    });

    test('is reported as unsuitable where a CNAME exists', async () => {
      const { hostedZones, createZone, createCname } = worldOf();
      const zone = await createZone('cname.test');
      const name = '_acme-challenge.cname.test';
      await createCname(zone, name, 'x.example.test');
      expect(await hostedZones.readTxt(zone, name)).toMatchObject({
        unsuitable: expect.stringContaining('CNAME to x.example.test'),
      });
    });
  });

  test('a change is pending until Route 53 reports INSYNC, and a change that Route 53 no longer knows is not pending', async () => {
    const { hostedZones, createZone, settle } = worldOf();
    const zone = await createZone('pending.test');
    const name = '_acme-challenge.pending.test';
    const changed = await hostedZones.change(zone, [{ name, before: null, after: txt(name, '"own"') }]);
    if ('refused' in changed) throw new Error(changed.refused);
    const change = { hostedZoneId: zone, id: changed.id };
    const unknown = { hostedZoneId: zone, id: 'CUNKNOWN' };
    expect(await hostedZones.pendingChanges([])).toEqual([]);
    expect(await hostedZones.pendingChanges([change, unknown])).toEqual([change]);
    await settle();
    expect(await hostedZones.pendingChanges([change, unknown])).toEqual([]);
  });

  test('name servers are returned only for a zone with the expected name', async () => {
    const { hostedZones, createZone } = worldOf();
    const zone = await createZone('served.test');
    const servers = await hostedZones.nameServers(zone);
    expect(servers.length).toBeGreaterThan(0);
    expect(await hostedZones.nameServers(zone, 'served.test')).toEqual(servers);
    const other = hostedZones.nameServers(zone, 'other.test');
    await expect(other).rejects.toMatchObject({ name: 'ZoneNotFoundError', fields: { zone } });
  });

  test('a zone that does not exist is named in the error', async () => {
    const { hostedZones } = worldOf();
    const zone = 'ZMISSING';
    const name = '_acme-challenge.missing.test';
    for (const call of [
      () => hostedZones.readTxt(zone, name),
      () => hostedZones.change(zone, [{ name, before: null, after: txt(name, '"own"') }]),
      () => hostedZones.nameServers(zone),
    ])
      await expect(call()).rejects.toMatchObject({ name: 'ZoneNotFoundError', fields: { zone } });
  });
}
