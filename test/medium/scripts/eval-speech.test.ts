/** `evalroom eval speech` as a whole: folders of generated sound through the command to its JSON, with an ear that hears tones and with made-up weights. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import type { Hit } from '../../../models/speech/recogniser.ts';
import { wavOf } from '../../../protocol/wav.ts';
import { evalSpeechCommand } from '../../../scripts/eval-speech.ts';
import type { OpenedEngine } from '../../../scripts/eval-speech-ears.ts';
import { writeSmallModel } from '../../unit/models/speech/small-net.ts';

const RATE = 16_000;
const scratch = mkdtempSync(join(tmpdir(), 'evalroom-eval-test-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

/** Silence with a loud second at each of these places. */
function sound(seconds: number, loud: readonly number[]): Int16Array {
  return Int16Array.from({ length: seconds * RATE }, (_, i) =>
    loud.some((at) => i >= at * RATE && i < (at + 1) * RATE) ? Math.round(8000 * Math.sin(i * 0.2)) : 0,
  );
}
let count = 0;
function folder(clips: readonly object[], sounds: Record<string, Int16Array | Buffer> = {}): string {
  const dir = join(scratch, String(count++));
  mkdirSync(dir);
  for (const [name, bytes] of Object.entries(sounds))
    writeFileSync(join(dir, name), bytes instanceof Int16Array ? wavOf(bytes) : bytes);
  writeFileSync(join(dir, 'labels.json'), JSON.stringify({ clips }));
  return dir;
}

/** An ear that tells the first phrase at the end of every loud second. */
const loudEar: OpenedEngine = {
  languages: ['zh'],
  listenFor: ({ phrases }) => ({
    unheard: [],
    close: () => undefined,
    fresh() {
      let position = 0;
      let loud = 0;
      return {
        accept(samples) {
          const hits: Hit[] = [];
          const isLoud = samples.some((value) => Math.abs(value) > 3000);
          const phraseId = phrases[0]?.phraseId;
          if (!isLoud && loud >= 8 && phraseId !== undefined) {
            const place = {
              beginSample: position - RATE,
              endSample: position,
              neededSample: position + samples.length,
            };
            hits.push({ phraseId, text: phraseId, score: 1, threshold: 0, heard: '', ...place });
          }
          loud = isLoud ? loud + 1 : 0;
          position += samples.length;
          return hits;
        },
      };
    },
  }),
};

interface Outcome {
  readonly json: Record<string, unknown> | undefined;
  readonly warned: string;
  readonly error: { readonly code?: string; readonly message: string } | undefined;
}
/** Runs the command; its last line is the JSON. */
async function run(args: readonly string[], open: (() => OpenedEngine) | null = () => loudEar): Promise<Outcome> {
  const [out, err]: [string[], string[]] = [[], []];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => out.push(String(text)) > 0);
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => err.push(String(text)) > 0);
  const program = new Command().exitOverride();
  if (open) evalSpeechCommand(program, open);
  else evalSpeechCommand(program);
  let error: Outcome['error'];
  try {
    await program.parseAsync(['speech', '--json', '--no-report', ...args], { from: 'user' });
  } catch (thrown) {
    error = thrown as Error;
  }
  vi.restoreAllMocks();
  const last = out.join('').trim().split('\n').at(-1) ?? '';
  return { json: last.startsWith('{') ? JSON.parse(last) : undefined, warned: err.join(''), error };
}

const KEYS = [
  ...['engine', 'clips', 'skipped', 'recall', 'recallByLevel', 'recallAll', 'falseAlarms', 'hours'],
  ...['falseAlarmsPerHour', 'falseAlarmsPerHour95', 'latencyMedianS', 'latencyP95S', 'rtf', 'rssMb'],
];
const DRAWN = ['phrases', 'phraseHours', 'falseAlarmsPerPhraseHour'];
const zh = (file: string, more: object = {}) => ({ file, language: 'zh-CN', ...more });
const SAID = { category: 'prohibited', phrase: '这个项目已经内定了' };

describe('evalroom eval speech', () => {
  it('finds what is labelled, merges what the room merges, and names what it cannot read', async () => {
    const dir = folder(
      [
        zh('a.wav', { ...SAID, phrase_end_s: 3, duration_s: 8 }),
        // Said again 4 s later: one event.
        zh('b.wav', { ...SAID, phrase_end_s: 3 }),
        zh('c.wav', { category: null, phrase: null, duration_s: 99 }),
        zh('broken.wav', SAID),
        zh('gone.wav', SAID),
        { file: 'a.wav', language: 'en' },
      ],
      { 'a.wav': sound(8, [2]), 'b.wav': sound(9, [2, 6]), 'c.wav': sound(12, [1]), 'broken.wav': Buffer.from('no') },
    );
    const { json, warned, error } = await run(['--dir', dir]);
    expect(error).toBeUndefined();
    expect(Object.keys(json!)).toEqual(expect.arrayContaining(KEYS));
    expect(json).toMatchObject({
      clips: 3,
      skipped: 3,
      recall: { prohibited: 1 },
      recallByLevel: { firstPass: 1, suspected: 1, confirmed: 1 },
      recallAll: 1,
      falseAlarms: 1,
      hours: expect.closeTo(29 / 3600),
    });
    expect(json!.latencyMedianS).toBeLessThan(0.3);
    expect(warned).toMatch(/broken\.wav.*decoding/);
    expect(warned).toMatch(/gone\.wav.*there is no/);
    expect(warned).toMatch(/c\.wav: labelled 99 s, its sound has 12\.00 s/);
  });

  it('reads sound of other kinds, 8 kHz, 44.1 kHz and stereo', async () => {
    const dir = folder([zh('a.mp3', SAID), zh('b.m4a', SAID), zh('c.opus', SAID), zh('-d 8k.wav', SAID)], {
      'source.wav': sound(5, [2]),
    });
    const convert = (...args: string[]) =>
      execFileSync('ffmpeg', ['-v', 'error', '-i', join(dir, 'source.wav'), ...args]);
    convert('-ar', '44100', '-ac', '2', join(dir, 'a.mp3'));
    convert('-ar', '44100', join(dir, 'b.m4a'));
    convert('-ar', '48000', '-ac', '2', join(dir, 'c.opus'));
    convert('-ar', '8000', join(dir, '-d 8k.wav'));
    expect((await run(['--dir', dir])).json).toMatchObject({ clips: 4, skipped: 0, recallAll: 1, falseAlarms: 0 });
  });

  it('names a clip in which there is nothing to hear, as where two channels cancel each other', async () => {
    const dir = folder([zh('loud.wav', SAID), zh('out of phase.wav', SAID)], { 'loud.wav': sound(5, [2]) });
    const apart = ['-filter_complex', 'aeval=val(0)|-val(0):c=stereo', join(dir, 'out of phase.wav')];
    execFileSync('ffmpeg', ['-v', 'error', '-i', join(dir, 'loud.wav'), ...apart]);
    const { json, warned } = await run(['--dir', dir]);
    expect(json).toMatchObject({ clips: 2, said: 2, found: 1 });
    expect(warned).toMatch(/out of phase\.wav: nothing in it is louder/);
    expect(warned).not.toMatch(/loud\.wav: nothing/);
  });

  it('prints every key with drawn phrases, in what was augmented and in the curve', async () => {
    const dir = folder([zh('a.wav', { transcript: '这个项目已经内定了' })], { 'a.wav': sound(1, []) });
    const { json, error } = await run(['--dir', dir, '--draw-phrases', '5', '--augment', '--curve']);
    expect(error).toBeUndefined();
    const all = [json!, ...(json!.augmented as object[]), ...(json!.curve as object[])];
    expect(all.length).toBeGreaterThan(12);
    for (const one of all) expect(Object.keys(one)).toEqual(expect.arrayContaining([...KEYS, ...DRAWN]));
  });

  it('runs the Mandarin ear itself, and says what it cannot hear', async () => {
    writeSmallModel(join(scratch, 'models'));
    vi.stubEnv('EVALROOM_MODELS', join(scratch, 'models'));
    const dir = folder([zh('a.wav', SAID), zh('b.wav', { ...SAID, phrase: '乙醚' })], {
      'a.wav': sound(2, [1]),
      'b.wav': sound(1, []),
    });
    const { json, warned, error } = await run(['--dir', dir], null);
    expect(error).toBeUndefined();
    expect(json).toMatchObject({ engine: 'fsmn', clips: 2, said: 2, unheard: 1 });
    expect(warned).toContain('cannot be heard: 乙醚');
  });

  it('runs the phrases of a language on clips that are labelled otherwise', async () => {
    const dir = folder([zh('a.wav', { ...SAID, phrase: '没有人会这样说' })], { 'a.wav': sound(4, [2]) });
    for (const rules of ['zh-CN', 'default', join(import.meta.dirname, '../../../models/rules/zh-CN')])
      expect((await run(['--dir', dir, '--rules', rules])).json).toMatchObject({ recallAll: 0, falseAlarms: 1 });
  });

  it('leaves out and counts what is in no language of the engine, without an error', async () => {
    const dir = folder([{ file: 'a.wav', language: 'en' }], { 'a.wav': sound(1, []) });
    const { json, error } = await run(['--dir', dir]);
    expect(error).toBeUndefined();
    expect(json).toMatchObject({ clips: 0, skipped: 1, recallAll: null, falseAlarms: 0, falseAlarmsPerHour: null });
  });

  it('fails where nothing can be scored, and prints its figures all the same', async () => {
    const { json, error } = await run(['--dir', folder([zh('gone.wav')])]);
    expect(error?.code).toBe('nothing_scored');
    expect(json).toMatchObject({ clips: 0, skipped: 1 });
  });

  it.each([
    [['--draw-phrases', '2.5'], 'bad_option'],
    [['--seed', '1.5'], 'bad_option'],
    [['--rules', 'default', '--draw-phrases', '3'], 'bad_option'],
    [['--draw-phrases', '3'], 'nothing_to_draw'],
    [['--rules', '/nowhere'], 'rule_pack_unknown'],
  ])('refuses %j', async (args, code) => {
    const dir = folder([zh('a.wav', SAID)], { 'a.wav': sound(1, []) });
    expect((await run(['--dir', dir, ...args])).error?.code).toBe(code);
  });

  it('says first that an engine is not there, whatever the folder', async () => {
    vi.stubEnv('EVALROOM_MODELS', join(scratch, 'nothing'));
    for (const engine of ['sherpa', 'vosk', 'sherpa-kws'])
      expect((await run(['--dir', '/nowhere', '--engine', engine], null)).error).toMatchObject({
        code: 'model_missing',
        message: expect.stringContaining('models fetch'),
      });
  });

  it('writes the page where it is asked to, and prints the figures where it cannot', async () => {
    const dir = folder([zh('a.wav', { ...SAID, phrase_end_s: 3 }), zh('b.wav')], {
      'a.wav': sound(4, []),
      'b.wav': sound(40, [20]),
    });
    const page = join(scratch, 'pages', 'report.html');
    await run(['--dir', dir, '--report', page]);
    const html = readFileSync(page, 'utf8');
    expect(html.match(/<audio/g)).toHaveLength(2);
    // Of the long one only the seconds around its false alarm.
    expect(html.length).toBeLessThan(1_200_000);
    const { json, warned } = await run(['--dir', dir, '--report', join(page, 'below.html')]);
    expect(json).toMatchObject({ clips: 2 });
    expect(warned).toContain('no report');
    expect(existsSync(join(page, 'below.html'))).toBe(false);
  });
});
