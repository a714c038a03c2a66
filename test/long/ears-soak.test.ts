/** An hour of talk through two Mandarin ears with 200 phrases each, in virtual time: what they hold does not grow. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, expect, it } from 'vitest';
import { readFsmnModel } from '../../models/speech/fsmn-files.ts';
import { createSpotter } from '../../models/speech/fsmn-spotter.ts';
import { createLevelMeter } from '../../models/speech/level.ts';
import { neutralSentences } from '../../models/speech/lexicon/neutral.ts';
import { seeded, writeSmallModel } from '../unit/models/speech/small-net.ts';

const own = mkdtempSync(join(tmpdir(), 'evalroom-soak-'));
afterAll(() => rmSync(own, { recursive: true, force: true }));

const MINUTES = 60;
const BLOCK = 1600;

it('holds no more after an hour than after a quarter of one', () => {
  const real = process.env.EVALROOM_MODELS;
  if (real === undefined) writeSmallModel(own);
  const model = readFsmnModel(real ?? own);
  const sentences = neutralSentences('zh');
  const phrases = Array.from({ length: 200 }, (_, i) => ({
    phraseId: `p${i}`,
    language: 'zh-CN',
    category: 'prohibited' as const,
    forms: [real === undefined ? ['领导打过招呼', '回扣五', '已内定了'][i % 3]! : sentences[i * 7]!.slice(0, 6)],
    citation: 'c',
  }));
  const ears = Array.from({ length: 2 }, () => ({
    spotter: createSpotter({ model, phrases }),
    meter: createLevelMeter(),
  }));
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const held = () => {
    collect();
    collect();
    const { heapUsed, arrayBuffers, rss } = process.memoryUsage();
    return { liveMb: (heapUsed + arrayBuffers) / 2 ** 20, rssMb: rss / 2 ** 20 };
  };
  const random = seeded(3);
  // Half a minute of sound that swells and falls as speech does, again and again.
  const sound = Int16Array.from(
    { length: 30 * 16_000 },
    (_, i) => random() * 3000 * (1 + Math.sin(i / 2000)) + random() * 20,
  );
  const rows: { minute: number; liveMb: number; rssMb: number }[] = [];
  for (let minute = 0; minute < MINUTES; minute++) {
    for (let half = 0; half < 2; half++)
      for (let at = 0; at < sound.length; at += BLOCK)
        for (const { spotter, meter } of ears) {
          const block = sound.slice(at, at + BLOCK);
          meter.push(block);
          spotter.accept(block);
        }
    if (minute % 15 === 14) rows.push({ minute: minute + 1, ...held() });
  }
  const [first, last] = [rows[0]!, rows.at(-1)!];
  process.stderr.write(
    `${rows.map((r) => `${r.minute} min: ${r.liveMb.toFixed(1)} MB live, ${r.rssMb.toFixed(0)} MB RSS`).join('\n')}\n`,
  );
  expect(last.liveMb - first.liveMb).toBeLessThan(5);
}, 1_200_000);
