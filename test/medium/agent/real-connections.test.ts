/** What a room with real eyes and real ears talks to, looked at again and again while it works: its camera and its cloud, and nobody else. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { OverviewView } from '../../../cloud/http/api.ts';
import { connectionsOf, startFaultRoom, strangers, strangersAsked } from './fault-room.ts';

const DEBIAN_MODEL = '/usr/share/pocketsphinx/model/en-us';
const models = process.env.EVALROOM_MODELS;

describe('a room that sees and hears', () => {
  it('opens no connection beyond its configured hosts, and listens to nobody', async (context) => {
    if (!models || !existsSync(join(models, 'fsmn-zh'))) return context.skip('needs EVALROOM_MODELS with fsmn-zh');
    const languages = existsSync(DEBIAN_MODEL) ? ['zh-CN', 'en'] : ['zh-CN'];
    const room = await startFaultRoom({ models, keys: { languages } });
    try {
      const seen = { peers: new Set<string>(), listening: new Set<string>(), looks: 0 };
      const ears = async () => (await room.desk.get<OverviewView>('/api/overview')).rooms[0]?.state?.health.ears ?? [];
      const look = () => {
        const { peers, listening } = connectionsOf(room.stand.agent().pid);
        for (const peer of peers) seen.peers.add(peer);
        for (const port of listening) seen.listening.add(port);
        seen.looks += 1;
      };
      const hears = async () => {
        look();
        const all = await ears();
        return all.length === languages.length && all.every(({ state }) => state === 'hearing') ? true : undefined;
      };
      await room.until('every ear hears', hears, 60_000);
      // A drop makes its ffmpegs connect anew, a fault makes clips that are sent.
      for (let i = 0; i < 80; i++) {
        if (i === 20) room.setFault('drop');
        look();
        await pause(200);
      }
      expect(seen.looks).toBeGreaterThan(80);
      expect(seen.peers.size).toBeGreaterThanOrEqual(3);
      expect(strangers(room, [...seen.peers])).toEqual([]);
      expect([...seen.listening]).toEqual([]);
      expect(strangersAsked(room)).toEqual([]);
    } finally {
      await room.close();
    }
  });
});
