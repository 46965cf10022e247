import { describe, expect, test } from 'vitest';
import type { HostedZones, TxtRecordSet } from '../../../../../lambdas/domain/ports/hosted-zones.ts';

/** Route 53, with what a test needs beside the port. */
export interface HostedZonesWorld {
  readonly hostedZones: HostedZones;
  /** Makes a public zone and returns its id. */
  createZone(name: string): Promise<string>;
  /** Creates a CNAME as another program does. */
  createCname(zone: string, name: string, target: string): Promise<void>;
  /** Lets Route 53 report every change as INSYNC. */
  settle(): Promise<void>;
}

const txt = (name: string, ...values: string[]): TxtRecordSet => ({
  name: `${name}.`,
  ttl: 60,
  values,
  unsuitable: null,
});

/** What the port promises. It runs against Route 53 and against the fake. Each test has a zone of its own. */
export function hostedZonesBehaviour(worldOf: () => HostedZonesWorld): void {
  describe('a TXT set', () => {
    test('is read to the byte as it was created, and only at its own name', async () => {
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

    test('is not created where one exists', async () => {
      const { hostedZones, createZone } = worldOf();
      const zone = await createZone('exists.test');
      const name = '_acme-challenge.exists.test';
      const there = txt(name, '"theirs"');
      await hostedZones.change(zone, [{ name, before: null, after: there }]);
      const refused = await hostedZones.change(zone, [{ name, before: null, after: txt(name, '"ours"') }]);
      expect(refused).toEqual({ refused: expect.stringContaining('already exists') });
      expect(await hostedZones.readTxt(zone, name)).toEqual(there);
    });

    test('is swapped and removed only as it was read', async () => {
      const { hostedZones, createZone } = worldOf();
      const zone = await createZone('swapped.test');
      const name = '_acme-challenge.swapped.test';
      const [before, after] = [txt(name, '"theirs"'), txt(name, '"theirs"', '"ours"')];
      await hostedZones.change(zone, [{ name, before: null, after: before }]);
      for (const stale of [{ ...before, ttl: 61 }, txt(name, '"other"'), after]) {
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

    test('is not changed by a batch of which another change is refused', async () => {
      const { hostedZones, createZone } = worldOf();
      const zone = await createZone('batch.test');
      const [one, two] = ['_acme-challenge.a.batch.test', '_acme-challenge.b.batch.test'];
      const there = txt(two, '"theirs"');
      await hostedZones.change(zone, [{ name: two, before: null, after: there }]);
      const ours = { name: one, before: null, after: txt(one, '"ours"') };
      expect(await hostedZones.change(zone, [ours, { name: two, before: null, after: there }])).toHaveProperty(
        'refused',
      );
      expect(await hostedZones.readTxt(zone, one)).toBeNull();
      expect(await hostedZones.change(zone, [ours, { name: two, before: there, after: null }])).toHaveProperty('id');
      expect(await hostedZones.readTxt(zone, one)).toEqual(ours.after);
      expect(await hostedZones.readTxt(zone, two)).toBeNull();
    });

    test('cannot be where a CNAME is', async () => {
      const { hostedZones, createZone, createCname } = worldOf();
      const zone = await createZone('cname.test');
      const name = '_acme-challenge.cname.test';
      await createCname(zone, name, 'x.example.test');
      expect(await hostedZones.readTxt(zone, name)).toMatchObject({
        unsuitable: 'a CNAME to x.example.test is at that name',
      });
    });
  });

  test('a change is pending until Route 53 reports INSYNC, and one that Route 53 has forgotten is not', async () => {
    const { hostedZones, createZone, settle } = worldOf();
    const zone = await createZone('pending.test');
    const name = '_acme-challenge.pending.test';
    const changed = await hostedZones.change(zone, [{ name, before: null, after: txt(name, '"ours"') }]);
    if ('refused' in changed) throw new Error(changed.refused);
    const change = { hostedZoneId: zone, id: changed.id };
    const forgotten = { hostedZoneId: zone, id: 'CFORGOTTEN' };
    expect(await hostedZones.pendingChanges([])).toEqual([]);
    expect(await hostedZones.pendingChanges([change, forgotten])).toEqual([change]);
    await settle();
    expect(await hostedZones.pendingChanges([change, forgotten])).toEqual([]);
  });

  test('name servers are those of a zone that has the expected name', async () => {
    const { hostedZones, createZone } = worldOf();
    const zone = await createZone('served.test');
    const servers = await hostedZones.nameServers(zone);
    expect(servers.length).toBeGreaterThan(0);
    expect(await hostedZones.nameServers(zone, 'served.test')).toEqual(servers);
    const other = hostedZones.nameServers(zone, 'other.test');
    await expect(other).rejects.toMatchObject({ name: 'ZoneNotFoundError', fields: { zone } });
  });

  test('a zone that does not exist is named', async () => {
    const { hostedZones } = worldOf();
    const zone = 'ZMISSING';
    const name = '_acme-challenge.missing.test';
    for (const call of [
      () => hostedZones.readTxt(zone, name),
      () => hostedZones.change(zone, [{ name, before: null, after: txt(name, '"ours"') }]),
      () => hostedZones.nameServers(zone),
    ])
      await expect(call()).rejects.toMatchObject({ name: 'ZoneNotFoundError', fields: { zone } });
  });
}
