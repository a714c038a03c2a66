/** The parts of the rule desk that need no cloud: recordings in all their forms, which placement counts, the thread and its bounds. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../cloud/clock.ts';
import { createRulesBench } from '../../../cloud/review/rules-bench.ts';
import { openRulesKey } from '../../../cloud/review/rules-key.ts';
import { placementFor } from '../../../cloud/review/rules-place.ts';
import { peakDb, readWav } from '../../../cloud/review/rules-sound.ts';
import type { RulePlacement } from '../../../cloud/store/rules.ts';
import { loadRulePack } from '../../../models/rules/load.ts';
import { readDraft } from '../../../models/rules/problems.ts';

const SECONDS = 0.5;

/** A tone as a WAV file; the second channel is silent. */
function tone(format: {
  rate: number;
  bits: number;
  channels?: number;
  hz?: number;
  float?: boolean;
  extensible?: boolean;
}): Uint8Array {
  const { rate, bits, channels = 1, hz = 440, float = false, extensible = false } = format;
  const frames = Math.round(rate * SECONDS);
  const size = bits / 8;
  const head = extensible ? 40 : 16;
  const bytes = Buffer.alloc(20 + head + 8 + frames * channels * size);
  bytes.write('RIFF', 0);
  bytes.writeUInt32LE(bytes.length - 8, 4);
  bytes.write('WAVEfmt ', 8);
  bytes.writeUInt32LE(head, 16);
  const kind = float ? 3 : 1;
  bytes.writeUInt16LE(extensible ? 0xfffe : kind, 20);
  bytes.writeUInt16LE(channels, 22);
  bytes.writeUInt32LE(rate, 24);
  bytes.writeUInt16LE(bits, 34);
  if (extensible) bytes.writeUInt16LE(kind, 44);
  const data = 20 + head;
  bytes.write('data', data);
  bytes.writeUInt32LE(frames * channels * size, data + 4);
  for (let i = 0; i < frames; i++) {
    const value = 0.5 * Math.sin((2 * Math.PI * hz * i) / rate);
    const at = data + 8 + i * channels * size;
    if (float) bytes.writeFloatLE(value, at);
    else if (bits === 8) bytes.writeUInt8(Math.round(128 + value * 127), at);
    else bytes.writeIntLE(Math.round(value * (2 ** (bits - 1) - 1)), at, size);
    if (channels === 2 && !float && bits !== 8) bytes.writeIntLE(0, at + size, size);
  }
  return new Uint8Array(bytes);
}
const crossings = (samples: Int16Array) =>
  samples.filter((value, i) => i > 0 && value >= 0 && samples[i - 1]! < 0).length;

describe('readWav', () => {
  it.each([
    { rate: 16_000, bits: 16 },
    { rate: 8000, bits: 8 },
    { rate: 44_100, bits: 16 },
    { rate: 48_000, bits: 24 },
    { rate: 48_000, bits: 32 },
    { rate: 48_000, bits: 32, float: true },
    { rate: 44_100, bits: 16, extensible: true },
  ])('hears the same tone at $rate Hz with $bits bit', (format) => {
    const samples = readWav(tone(format));
    expect(Math.abs(samples.length - 8000)).toBeLessThan(4);
    expect(Math.abs(crossings(samples) - 220)).toBeLessThan(4);
    expect(peakDb(samples)).toBeCloseTo(-6, 0);
  });

  it('mixes channels, and lets nothing above half its rate fold back into speech', () => {
    expect(peakDb(readWav(tone({ rate: 16_000, bits: 16, channels: 2 })))).toBeCloseTo(-12, 0);
    expect(peakDb(readWav(tone({ rate: 48_000, bits: 16, hz: 12_000 })).slice(200, -200))).toBeLessThan(-45);
  });

  it('says what is wrong with anything else', () => {
    const good = tone({ rate: 16_000, bits: 16 });
    for (const [bytes, code] of [
      [new Uint8Array(), 'sound_bad'],
      [new Uint8Array(1000), 'sound_bad'],
      [good.slice(0, 40), 'sound_bad'],
      [tone({ rate: 4000, bits: 16 }), 'sound_bad'],
      [Uint8Array.from(good, (value, i) => (i === 34 ? 12 : value)), 'sound_bad'],
      [Uint8Array.from(good, (value, i) => (i === 22 ? 0 : value)), 'sound_bad'],
    ] as const)
      expect(() => readWav(bytes)).toThrowError(expect.objectContaining({ code }));
    const long = Buffer.concat([good.slice(0, 44), new Uint8Array(16_000 * 2 * 361)]);
    long.writeUInt32LE(0xffffffff, 40);
    expect(() => readWav(long)).toThrowError(expect.objectContaining({ code: 'sound_long' }));
  });
});

describe('the placement that counts', () => {
  const place = (kind: RulePlacement['kind'], of: string, version: string, byAge = false): RulePlacement => ({
    ...(byAge ? { byAge } : {}),
    kind,
    of,
    pack: { name: 'p', version },
    placedWallMs: 1,
    placedBy: 'a',
  });
  const placements = [
    place('room', 'room-1', '1'),
    place('centre', '省中心', '3'),
    place('province', '浙江', '4'),
    place('all', '', '2'),
  ];
  it.each([
    ['room-1', '省中心', undefined, '1'],
    ['room-2', '省中心', '浙江', '3'],
    ['room-2', '市中心', '浙江', '4'],
    ['room-2', '市中心', undefined, '2'],
    ['room-2', '', undefined, '2'],
  ])('of %s in "%s" of %s is version %s, whichever came last', (roomId, centre, province, version) => {
    for (const order of [placements, placements.toReversed()])
      expect(placementFor(order, { roomId, centre, province })?.pack?.version).toBe(version);
    expect(placementFor(placements.slice(0, 1), { roomId: 'room-9', centre })).toBeUndefined();
  });

  it('is the next wider one where a place has nothing of its own any more', () => {
    const { pack: _pack, ...gone } = place('room', 'room-1', '-');
    const room = { roomId: 'room-1', centre: '省中心' };
    expect(placementFor([...placements, { ...gone, follows: true }], room)?.pack?.version).toBe('3');
    expect(placementFor([...placements, gone], room)).toMatchObject({ kind: 'room' });
    expect(placementFor([{ ...gone, follows: true }], room)).toMatchObject({ follows: true });
  });

  it('stays the newest one among those that were placed before places had an order', () => {
    const old = [place('room', 'room-1', '1', true), place('all', '', '2', true), place('centre', '省中心', '3', true)];
    const of = (all: readonly RulePlacement[], centre = '市中心') =>
      placementFor(all, { roomId: 'room-1', centre })?.pack?.version;
    expect([of(old), of(old, '省中心')]).toEqual(['2', '3']);
    // What it had superseded does not come back when its own place is written anew.
    expect(of([...old, place('all', '', '5')])).toBe('5');
    expect(of([...old, place('all', '', '5')], '省中心')).toBe('3');
    expect(of([...old, place('room', 'room-1', '6'), place('all', '', '5')], '省中心')).toBe('6');
  });
});

describe('the bench', () => {
  it('works on one try after the other, hands over errors as they were, and refuses what is too much', async () => {
    const bench = createRulesBench({ clock: systemClock(), log: pino({ level: 'silent' }) });
    try {
      const draft = loadRulePack('demo');
      const sentence = { kind: 'sentence', draft, language: 'zh-CN', text: '领导打过招呼' } as const;
      const bad = { kind: 'sound', wav: new Uint8Array(3) } as const;
      const many = await Promise.allSettled([
        bench.run(sentence),
        bench.run(bad),
        ...Array.from({ length: 20 }, () => bench.run(bad)),
      ]);
      expect(many[0]).toMatchObject({ status: 'fulfilled', value: { hits: [{ phraseId: 'zh-sug-25' }] } });
      expect(many[1]).toMatchObject({ status: 'rejected', reason: { kind: 'InvalidInput', code: 'sound_bad' } });
      expect(many.at(-1)).toMatchObject({ status: 'rejected', reason: { kind: 'Full', code: 'rules_busy' } });
    } finally {
      await bench.close();
    }
    await expect(bench.run({ kind: 'sound', wav: new Uint8Array(3) })).rejects.toMatchObject({ code: 'rules_busy' });
  }, 30_000);
});

describe('readDraft', () => {
  const base = loadRulePack('default');
  const words = (draft: unknown) => {
    const read = readDraft(draft);
    return 'problem' in read ? [read.problem.words.en] : read.problems.map((one) => one.words.en);
  };
  const first = base.phrases[0]!;
  const withFirst = (more: object) => ({ ...base, phrases: [{ ...first, ...more }, ...base.phrases.slice(1)] });

  it('finds nothing wrong with the packs of the product', () => {
    expect(words(base)).toEqual([]);
    expect(words(loadRulePack('demo'))).toEqual([]);
  });

  it.each([
    ['an empty form', withFirst({ forms: [' '] }), /empty/],
    ['no form', withFirst({ forms: [] }), /at least one form/],
    ['another language', withFirst({ forms: ['change the scores'] }), /is not Chinese/],
    ['letters that nobody reads aloud', withFirst({ forms: ['给第b家高分'] }), /letters or signs/],
    ['an unknown slot', withFirst({ forms: ['给{WHO}高分'] }), /slot/],
    ['a form that stands elsewhere', withFirst({ forms: [base.phrases[1]!.forms[0]] }), /stands under/],
    ['an id twice', withFirst({ phraseId: base.phrases[1]!.phraseId }), /used twice/],
    ['a version in words', { ...base, version: 'new' }, /three numbers/],
    ['no title', { ...base, title: { zh: '', en: 'x' } }, /title/],
    [
      'a notice after the alarm',
      { ...base, rules: { ...base.rules, phone: { citation: 'c', noticeMs: 9000, alarmMs: 3000 } } },
      /later than the alarm/,
    ],
    [
      'neither of them',
      { ...base, rules: { ...base.rules, phone: { citation: 'c', noticeMs: null, alarmMs: null } } },
      /Neither/,
    ],
    [
      'a time below nothing',
      { ...base, rules: { ...base.rules, phone: { citation: 'c', noticeMs: null, alarmMs: -1 } } },
      /0 to 24 hours/,
    ],
    ['a rule that nobody knows', { ...base, rules: { ...base.rules, singing: { citation: 'c' } } }, /did not pass/],
    ['another shape', { ...base, phrases: 'none' }, /malformed/],
    ['nothing', undefined, /malformed/],
  ])('names %s', (_what, draft, expected) => {
    expect(words(draft).join(' ')).toMatch(expected);
  });
});

describe('the key that signs packs', () => {
  it('is made once, for its owner alone, and refused when it is something else', () => {
    const folder = mkdtempSync(join(tmpdir(), 'evalroom-rules-key-'));
    try {
      const made = openRulesKey(folder);
      expect(openRulesKey(folder)).toMatchObject({ keyId: made.keyId, publicPem: made.publicPem });
      expect(readFileSync(join(folder, 'rules.pem'), 'utf8')).toBe(made.publicPem);
      const path = join(folder, 'rules.key.pem');
      expect(statSync(path).mode & 0o777).toBe(0o600);
      const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
      for (const bytes of ['', 'no key', other.export({ type: 'pkcs8', format: 'pem' })]) {
        writeFileSync(path, bytes);
        expect(() => openRulesKey(folder)).toThrowError(expect.objectContaining({ code: 'rules_key_damaged' }));
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
