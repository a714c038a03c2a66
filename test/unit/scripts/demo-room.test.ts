/** What the demo makes of the camera or the room that a person names. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { boxOf, CAMERA_ROOM, FILM_ROOM, ownRoom, parseCameraAddress, roomIdOf } from '../../../scripts/demo/room.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'evalroom-demo-room-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});
const yaml = async (text: string) => {
  const path = join(folder, 'room.yaml');
  await writeFile(path, text);
  return path;
};

describe('--camera', () => {
  it('takes a password as it is typed, encoded or not', () => {
    expect(parseCameraAddress('rtsp://viewer:100%sure@cam/path')).toEqual({
      main: 'rtsp://cam/path',
      user: 'viewer',
      password: '100%sure',
    });
    expect(parseCameraAddress('viewer:a%40b@cam')).toEqual({ onvif: 'cam:80', user: 'viewer', password: 'a@b' });
  });
});

describe('a box of the demo', () => {
  it('belongs to one room: each room shown on the same data has its own id, secret and outbox', () => {
    const boxes = [FILM_ROOM, CAMERA_ROOM, 'room-7', 'demo'].map((roomId) => boxOf(roomId, '/data'));
    for (const key of ['deviceId', 'secretFile', 'data'] as const)
      expect(new Set(boxes.map((box) => box[key])).size).toBe(boxes.length);
    expect(boxOf('r'.repeat(64), '/data').deviceId).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
  });
});

describe('--room', () => {
  it('says what is wrong with a file before anything is started', async () => {
    const refused = { code: 'room_unreadable' };
    await expect(roomIdOf(join(folder, 'missing.yaml'))).rejects.toMatchObject(refused);
    await expect(roomIdOf(await yaml('room: [\n'))).rejects.toMatchObject(refused);
    await expect(roomIdOf(await yaml('cameras: []\n'))).rejects.toMatchObject(refused);
    await expect(roomIdOf(await yaml('room: { id: ../../elsewhere }\n'))).rejects.toMatchObject(refused);
    expect(await roomIdOf(await yaml('room: { id: room-7 }\n'))).toBe('room-7');
  });

  it('keeps the paths of the file, and leaves what is no list to the agent', async () => {
    const path = await yaml('room: { id: room-7 }\nscript: ./script.json\nrulePack: ./pack\ncameras: none\n');
    const cloud = { mqttUrl: 'mqtt://m', uploadUrl: 'http://u', ...boxOf('room-7', folder) };
    const written = parse(await readFile((await ownRoom(path, cloud)).path, 'utf8'));
    expect(written).toMatchObject({
      script: join(folder, 'script.json'),
      rulePack: join(folder, 'pack'),
      cameras: 'none',
      identity: { deviceId: 'box-of-room-7', secretFile: cloud.secretFile },
      data: cloud.data,
    });
  });
});
