import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createReferenceStore } from '../../../agent/reference.ts';
import { EMPTY_ROOM } from '../../fixtures/empty-room.ts';

const layout = EMPTY_ROOM;
const log = pino({ level: 'silent' });
const luma = { width: 4, height: 2, values: Float32Array.from([0, 1, 2, 3, 100, 200, 254, 255]) };
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'evalroom-reference-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('the reference picture of a camera', () => {
  it('is there again after a restart, for its own camera only', () => {
    createReferenceStore({ folder, layout, log }).keep('cam', luma);
    const next = createReferenceStore({ folder, layout, log });
    expect(next.load('cam')).toEqual(luma);
    expect(next.load('other')).toBeUndefined();
  });

  it('is forgotten when a person says that the picture is right as it is now', () => {
    createReferenceStore({ folder, layout, log }).keep('cam', luma);
    const confirmedWallMs = new Map([['cam', 5]]);
    const next = createReferenceStore({ folder, layout, confirmedWallMs, log });
    expect(next.load('cam')).toBeUndefined();
    next.keep('cam', luma);
    expect(createReferenceStore({ folder, layout, confirmedWallMs, log }).load('cam')).toEqual(luma);
  });

  it('is forgotten when the seats of the camera were drawn anew', () => {
    createReferenceStore({ folder, layout, log }).keep('cam', luma);
    const zone = { zoneId: 'd', kind: 'door', cameraId: 'cam', polygon: [] } as const;
    expect(createReferenceStore({ folder, layout: { ...layout, zones: [zone] }, log }).load('cam')).toBeUndefined();
    const elsewhere = { ...zone, cameraId: 'other' };
    expect(createReferenceStore({ folder, layout: { ...layout, zones: [elsewhere] }, log }).load('cam')).toEqual(luma);
  });

  it('is not believed when its file is spoilt', () => {
    const store = createReferenceStore({ folder, layout, log });
    store.keep('cam', luma);
    const file = join(folder, 'reference', 'cam.json');
    writeFileSync(file, readFileSync(file, 'utf8').slice(0, 60));
    expect(store.load('cam')).toBeUndefined();
    writeFileSync(file, '{}');
    expect(store.load('cam')).toBeUndefined();
  });

  it('costs no failure where nothing can be written', () => {
    writeFileSync(join(folder, 'reference'), 'a file in the way');
    const store = createReferenceStore({ folder, layout, log });
    store.keep('cam', luma);
    store.keep('cam', undefined);
    expect(store.load('cam')).toBeUndefined();
  });
});
