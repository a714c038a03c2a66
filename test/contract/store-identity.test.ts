/** One suite over both drivers of the cloud store: codes used once, certificates and their entries in the log together or not at all. */
import { describe, expect, it } from 'vitest';
import type { CertificateRow } from '../../cloud/store/identity.ts';
import type { Store } from '../../cloud/store/store.ts';
import { WALL } from '../medium/cloud/events.ts';
import { DRIVERS, standOn } from './store-stand.ts';

const DAY = 86_400_000;
const SECRET = '$7$101$AAAA$AAAA';

describe.each(DRIVERS)('identity in the store on %s', (driver) => {
  let store: Store;
  standOn(driver, (fresh) => {
    store = fresh;
    return undefined;
  });

  const certificate = (serial: string, deviceId = 'box-1', issuedWallMs = WALL): CertificateRow => ({
    serial,
    deviceId,
    roomId: `room-${deviceId}`,
    fingerprint: `f-${serial}`,
    issuedWallMs,
    notAfterWallMs: issuedWallMs + 90 * DAY,
  });
  const offer = (codeId: string, deviceId = 'box-1', roomId = `room-${deviceId}`) =>
    store.identity.offerCode({ codeId, deviceId, roomId, expiresWallMs: WALL + DAY }, '王监督', WALL);
  const enrol = async (serial: string, deviceId = 'box-1') => {
    await offer(`code-${serial}`, deviceId);
    return store.identity.enrol(`code-${serial}`, certificate(serial, deviceId), SECRET);
  };
  const actions = async () =>
    (await store.log({ limit: 100 })).map(({ action, object }) => `${action} ${object}`).reverse();

  it('a code is good once, until it expires, and until another one is given', async () => {
    await offer('c1');
    expect(await store.identity.code('c1', WALL)).toMatchObject({ deviceId: 'box-1', roomId: 'room-box-1' });
    expect(await store.identity.code('c1', WALL + DAY)).toBeUndefined();
    await offer('c2');
    expect(await store.identity.code('c1', WALL)).toBeUndefined();
    const both = await Promise.all(
      ['aa', 'bb'].map((serial) => store.identity.enrol('c2', certificate(serial), SECRET)),
    );
    expect(both.sort()).toEqual([false, true]);
    expect(await store.identity.code('c2', WALL)).toBeUndefined();
    expect(await store.identity.enrol('never', certificate('cc'), SECRET)).toBe(false);
    expect(await store.identity.certificates(WALL)).toHaveLength(1);
    expect(await store.devices()).toMatchObject([{ deviceId: 'box-1', roomId: 'room-box-1' }]);
  });

  it('enrolling again revokes what was there; a renewal does so when it is confirmed', async () => {
    await enrol('a1');
    await enrol('a2');
    expect(await store.identity.certificate('a1')).toMatchObject({ revokedWallMs: WALL, reason: 're_enrolled' });
    expect(await store.identity.renew(certificate('a3'))).toBe(true);
    expect((await store.identity.certificate('a2'))?.revokedWallMs).toBeUndefined();
    expect(await store.identity.confirm(certificate('a3'), WALL + 5)).toBe(1);
    expect(await store.identity.confirm(certificate('a3'), WALL + 6)).toBe(0);
    expect(await store.identity.certificate('a2')).toMatchObject({ revokedWallMs: WALL + 5, reason: 'superseded' });
    expect((await store.identity.certificate('a3'))?.revokedWallMs).toBeUndefined();
    expect(await actions()).toEqual([
      'offer_code box-1 → room-box-1',
      'add_device box-1 → room-box-1',
      'enrol_device box-1 serial a1',
      'offer_code box-1 → room-box-1',
      'add_device box-1 → room-box-1',
      'revoke_certificate box-1 serial a1: re_enrolled',
      'enrol_device box-1 serial a2',
      'renew_certificate box-1 serial a3',
      'revoke_certificate box-1 serial a2: superseded',
      'confirm_certificate box-1 serial a3',
    ]);
    expect(await store.chainHolds()).toBe(true);
  });

  it('a revoked device is gone for good, with its certificates and codes', async () => {
    await enrol('a1');
    await enrol('b1', 'box-2');
    await offer('open');
    expect(await store.identity.revokeDevice('box-1', 'stolen', '王监督', WALL + 1)).toBe(true);
    expect(await store.identity.revokeDevice('box-1', 'again', '王监督', WALL + 2)).toBe(false);
    expect(await store.identity.revokeDevice('nobody', 'x', '王监督', WALL)).toBe(false);
    expect(await store.identity.certificate('a1')).toMatchObject({ reason: 'stolen' });
    expect(await store.identity.code('open', WALL)).toBeUndefined();
    expect(await store.identity.renew(certificate('a9'))).toBe(false);
    await expect(offer('new')).rejects.toMatchObject({ code: 'device_exists' });
    await expect(offer('other', 'box-2', 'room-9')).rejects.toMatchObject({ code: 'device_exists' });
    expect((await store.devices()).map(({ deviceId }) => deviceId)).toEqual(['box-2']);
    expect((await store.identity.certificates(WALL)).map(({ serial }) => serial)).toEqual(['a1', 'b1']);
    expect(await store.identity.certificates(WALL + 90 * DAY)).toEqual([]);
  });

  it('a device whose certificate was copied is named with the last time', async () => {
    const entry = { actor: 'cloud', action: 'certificate_cloned' };
    await store.appendLog({ ...entry, wallMs: WALL, object: 'box-1: first: time' });
    await store.appendLog({ ...entry, wallMs: WALL + 5, object: 'box-1: second: time' });
    await store.appendLog({ ...entry, wallMs: WALL + 6, object: 'box-2: once' });
    expect(await store.identity.clones(WALL)).toEqual([
      { deviceId: 'box-1', wallMs: WALL + 5, words: 'second: time' },
      { deviceId: 'box-2', wallMs: WALL + 6, words: 'once' },
    ]);
    expect(await store.identity.clones(WALL + 6)).toEqual([]);
  });
});
