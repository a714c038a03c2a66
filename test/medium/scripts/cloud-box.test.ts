/** `evalroom cloud --box`: a box keeps its secret, also when the store it was known to is gone. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { startChild } from '../../../scripts/children.ts';
import { Box } from '../cloud/cloud.ts';

describe('evalroom cloud --box', () => {
  const folder = mkdtempSync(join(tmpdir(), 'evalroom-box-'));
  const secretFile = join(folder, 'box.secret');
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const start = (data: string) =>
    startChild({
      name: 'cloud',
      args: ['cloud', '--data', join(folder, data), '--port', '0', '--box', `box-1:room-1:${secretFile}`],
    });
  const comesIn = async (mqttUrl: unknown) => {
    const box = await Box.enter(
      { mqttUrl: String(mqttUrl) },
      'box-1',
      'room-1',
      readFileSync(secretFile, 'utf8').trim(),
    );
    box.leave();
  };

  it('gives a secret once, and lets the box in again after the store was wiped', async () => {
    const first = await start('data');
    await comesIn(first.ready.mqttUrl);
    await first.close();
    const secret = readFileSync(secretFile, 'utf8');
    rmSync(join(folder, 'data'), { recursive: true });
    const second = await start('data');
    await comesIn(second.ready.mqttUrl);
    await second.close();
    expect(readFileSync(secretFile, 'utf8')).toBe(secret);
  });

  it('says what is wrong with a file that holds no secret', async () => {
    writeFileSync(secretFile, 'hello\n');
    await expect(start('data')).rejects.toThrow(/box_secret/);
  });
});
