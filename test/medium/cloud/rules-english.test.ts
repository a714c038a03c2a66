/** An English recording of the rule page through the real library in its child process: what is said in it, and what becomes of a try that cannot be. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../cloud/clock.ts';
import { createEnglishTry, spokenEnglish } from '../../../cloud/review/rules-english.ts';
import { loadRulePackFiles } from '../../../models/rules/load.ts';
import type { RulePack } from '../../../protocol/rules.ts';

const base = loadRulePackFiles({
  'pack.yaml': `name: one
version: '1.0.0'
title: { zh: 试, en: try }
cooldownMs: 1000
rules: { speech_prohibited: { citation: c, level: alarm, alarmAfter: null, mergeMs: 5000 } }
phrases: []
`,
});
const draftOf = (form: string): RulePack => ({
  ...base,
  phrases: [{ phraseId: 'p', language: 'en', category: 'prohibited', forms: [form], citation: 'c' }],
});

describe('a recording through the English ear of the rule page', () => {
  it('finds the phrase that is said in it, by the level of the pack', async (ctx) => {
    const path = join(process.env.EVALROOM_MEDIA ?? '', 'audio/real');
    if (!process.env.EVALROOM_MEDIA || !existsSync(join(path, 'labels.json'))) return ctx.skip('needs EVALROOM_MEDIA');
    if (!spokenEnglish().ok) return ctx.skip('needs pocketsphinx-en-us');
    const read = JSON.parse(readFileSync(join(path, 'labels.json'), 'utf8')) as unknown;
    const clips = (Array.isArray(read) ? read : (read as { clips: unknown[] }).clips) as {
      file: string;
      phrases?: readonly string[];
      language?: string;
    }[];
    const clip = clips.find(({ phrases, language }) => phrases?.[0] && (language ?? 'en').startsWith('en'));
    const said = clip?.phrases?.[0];
    if (!clip || said === undefined) return ctx.skip('needs an English recording with a phrase in EVALROOM_MEDIA');
    const args = ['-v', 'error', '-i', join(path, clip.file), '-ac', '1', '-ar', '16000', '-f', 's16le', '-'];
    const sound = execFileSync('ffmpeg', args, { maxBuffer: 2 ** 26 });
    const samples = new Int16Array(sound.buffer, sound.byteOffset, sound.length >> 1);
    const english = createEnglishTry({ clock: systemClock() });
    const { hits, seconds } = await english.listen({ draft: draftOf(said), samples });
    expect(hits).toMatchObject([{ phraseId: 'p', level: 'alarm', text: said }]);
    expect(hits[0]!.endS).toBeLessThanOrEqual(seconds);
    await english.close();
  }, 60_000);

  it('says what is missing, and what is wrong with a draft', async () => {
    const folder = '/nonexistent/en-us';
    const english = createEnglishTry({ clock: systemClock(), folder });
    const samples = new Int16Array(16_000);
    await expect(english.listen({ draft: draftOf('change the scores'), samples })).rejects.toMatchObject({
      code: 'model_missing',
    });
    await expect(english.listen({ draft: { nonsense: true }, samples })).rejects.toMatchObject({
      code: 'rules_draft_faults',
    });
    expect(spokenEnglish(folder)).toMatchObject({ ok: false, words: { en: expect.stringContaining('apt-get') } });
    await english.close();
  });

  it('gives a child up that dies, and frees the way for the next try', async (ctx) => {
    if (!spokenEnglish().ok) return ctx.skip('needs pocketsphinx-en-us');
    // A folder that is there and holds no model.
    const english = createEnglishTry({ clock: systemClock(), folder: import.meta.dirname });
    const asked = { draft: draftOf('change the scores'), samples: new Int16Array(16_000) };
    for (let i = 0; i < 2; i++) await expect(english.listen(asked)).rejects.toMatchObject({ kind: 'Unavailable' });
    await english.close();
  }, 30_000);
});
