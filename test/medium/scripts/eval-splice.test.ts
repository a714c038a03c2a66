/** Recordings of phrases as the command makes them: real files, a real voice, and where a model is there real splices that its ear finds. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readLabels } from '../../../scripts/eval-speech-labels.ts';
import { decodeSound } from '../../../scripts/eval-speech-sound.ts';
import { evalSplice } from '../../../scripts/eval-splice.ts';
import { writeSmallModel } from '../../unit/models/speech/small-net.ts';

const scratch = mkdtempSync(join(tmpdir(), 'evalroom-splice-test-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const silent = () => undefined;
const flags = { rules: 'default', seed: 1, perPhrase: 1 } as const;
const labelsOf = (folder: string) => JSON.parse(readFileSync(join(folder, 'labels.json'), 'utf8')).clips;

/** A pack of these Mandarin phrases, each with a word that takes it back. */
function packOf(name: string, language: string, forms: readonly string[], unless: string): string {
  const folder = join(scratch, name);
  mkdirSync(folder, { recursive: true });
  const phrases = forms.map(
    (form, i) => `  - {id: own-${i}, category: prohibited, forms: [${form}], unless: [${unless}], citation: c}`,
  );
  writeFileSync(join(folder, 'phrases.yaml'), `language: ${language}\nphrases:\n${phrases.join('\n')}\n`);
  return folder;
}

describe('eval splice', () => {
  it('refuses what contradicts itself, and a folder that is in use', async () => {
    const out = join(scratch, 'refused');
    const ask = (more: object) => evalSplice({ ...flags, language: 'zh', out, ...more }, silent);
    await expect(ask({})).rejects.toMatchObject({ code: 'bad_option' });
    await expect(ask({ language: 'en', dir: [scratch] })).rejects.toMatchObject({ code: 'bad_option' });
    await expect(ask({ dir: [scratch], drawPhrases: 3, takenBack: true })).rejects.toMatchObject({
      code: 'bad_option',
    });
    expect(existsSync(out)).toBe(false);
    await expect(ask({ dir: [join(scratch, 'nowhere')], out: '/usr' })).rejects.toMatchObject({
      code: 'splice_folder',
    });
  });

  it('reads English phrases aloud, plainly and behind words that take them back', async (ctx) => {
    if (!existsSync('/usr/bin/espeak-ng')) ctx.skip('needs the Debian package espeak-ng');
    const rules = packOf('english', 'en', ['we get a kickback from them', 'it was arranged beforehand'], 'must not');
    const out = join(scratch, 'spoken');
    const made = await evalSplice({ ...flags, rules, language: 'en', out }, silent);
    expect(made).toMatchObject({ recordings: 2, phrases: 2, forms: 2, unsayable: [] });
    const [alone, between] = labelsOf(out);
    expect(alone).toMatchObject({ phrase: 'we get a kickback from them', language: 'en', category: 'prohibited' });
    expect(between.phrase_end_s).toBeLessThan(between.duration_s - 1);
    const sound = await decodeSound(join(out, between.file));
    expect(sound.length / 16_000).toBeCloseTo(between.duration_s, 2);
    const took = join(scratch, 'spoken-back');
    await evalSplice({ ...flags, rules, language: 'en', out: took, takenBack: true }, silent);
    expect(labelsOf(took)[0]).toMatchObject({ phrase: null, transcript: 'must not we get a kickback from them' });
    expect(readLabels(took)).toMatchObject({ entries: 2, leftOut: [] });
  });

  it('leaves out, by name, what does not sound like its transcript, and says what cannot be said', async () => {
    const models = join(scratch, 'models');
    writeSmallModel(models);
    const dir = join(scratch, 'made-up');
    mkdirSync(dir, { recursive: true });
    const tone = ['-f', 'lavfi', '-i', 'sine=frequency=200:duration=2', '-ar', '16000', '-y'];
    execFileSync('ffmpeg', ['-v', 'error', ...tone, join(dir, 'tone.wav')]);
    const clips = [
      { file: 'tone.wav', language: 'zh', transcript: '这是一个很长的句子' },
      { file: 'tone.wav', language: 'zh', transcript: 'apple' },
    ];
    writeFileSync(join(dir, 'labels.json'), JSON.stringify({ clips }));
    const before = process.env.EVALROOM_MODELS;
    process.env.EVALROOM_MODELS = models;
    try {
      const lines: string[] = [];
      const rules = packOf('unsaid', 'zh-CN', ['回扣给百分之五'], '不得');
      const out = join(scratch, 'unsaid-out');
      const made = await evalSplice({ ...flags, rules, language: 'zh', dir: [dir], out }, (line) => lines.push(line));
      expect(made).toMatchObject({ recordings: 0, neutral: 2, forms: 1 });
      expect(made.unsayable).toEqual([
        { phraseId: 'own-0', form: '回扣给百分之五', missing: expect.arrayContaining(['hui', 'kou']) },
      ]);
      expect(lines.join('\n')).toMatch(/left out: tone.wav: words that are not Chinese/);
      expect(lines.join('\n')).toMatch(/cannot be said: own-0 回扣给百分之五: .*hui/);
    } finally {
      if (before === undefined) delete process.env.EVALROOM_MODELS;
      else process.env.EVALROOM_MODELS = before;
    }
  });

  it('splices Mandarin phrases out of other words, with the end of each where it is', async (ctx) => {
    const { EVALROOM_MODELS: models, EVALROOM_MEDIA: media } = process.env;
    if (!models || !media) ctx.skip('needs EVALROOM_MODELS and EVALROOM_MEDIA');
    const from = join(media!, 'audio', 'zh-splice');
    const names = /^splice-(sug-02|ten-04|pro-04|neg-32|neg-34)-t1/;
    const clips = JSON.parse(readFileSync(join(from, 'labels.json'), 'utf8'))
      .clips.filter(({ file }: { file: string }) => names.test(file))
      .map((clip: { file: string }) => ({ ...clip, file: join(from, clip.file) }));
    const dir = join(scratch, 'few');
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, 'labels.json'), JSON.stringify({ clips }));
    const rules = packOf('spliced', 'zh-CN', ['大家打过招呼', '收了大家的红包'], '请');
    const out = join(scratch, 'spliced-out');
    const made = await evalSplice({ ...flags, rules, language: 'zh', dir: [dir], out }, silent);
    expect(made).toMatchObject({ recordings: 2, neutral: 2, unsayable: [], voices: 1 });
    const [first, , neutral] = labelsOf(out);
    expect(first).toMatchObject({
      phrase: '大家打过招呼',
      runs: ['大家', '打过招呼'],
      kind: 'spliced',
      speaker: 'few',
    });
    expect(first.phrase_end_s).toBeLessThan(first.duration_s);
    expect(neutral).toMatchObject({ phrase: null, kind: 'neutral' });
    const sound = await decodeSound(join(out, first.file));
    expect(sound.length / 16_000).toBeCloseTo(first.duration_s, 2);
    const back = join(scratch, 'taken-back');
    await evalSplice({ ...flags, rules, language: 'zh', dir: [dir], out: back, takenBack: true }, silent);
    expect(labelsOf(back)[0]).toMatchObject({ phrase: null, transcript: '请大家打过招呼', lead: '请' });
  });
});
