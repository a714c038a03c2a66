/** Splicing on made-up sound and posteriors, where every border is known. */
import { describe, expect, it } from 'vitest';
import type { Phrase } from '../../../protocol/rules.ts';
import { seeded } from '../../../scripts/eval-speech-sound.ts';
import { alignSpoken } from '../../../scripts/splice/align.ts';
import { bySyllable, chooseUnits, missingFor } from '../../../scripts/splice/choose.ts';
import { cutSyllables } from '../../../scripts/splice/cut.ts';
import { crossfade, inTurn, joinUnits, runsOf } from '../../../scripts/splice/join.ts';
import { drawSayings, sayingsOf } from '../../../scripts/splice/say.ts';
import { type Recording, soundsIn, type Unit } from '../../../scripts/splice/units.ts';

const RATE = 16_000;

/** Voice (200 Hz and its overtones) in these stretches of seconds, a microphone's noise elsewhere. */
function voiceIn(
  stretches: readonly (readonly [from: number, to: number])[],
  lengthS: number,
  loud = 3000,
): Float32Array {
  const random = seeded(3);
  return Float32Array.from({ length: lengthS * RATE }, (_, i) => {
    const t = i / RATE;
    const voiced = stretches.some(([from, to]) => t >= from && t < to);
    return (
      random() * 20 + (voiced ? loud * (Math.sin(2 * Math.PI * 200 * t) + 0.5 * Math.sin(2 * Math.PI * 400 * t)) : 0)
    );
  });
}

function recordingOf(transcript: string, over: Partial<Recording> = {}): Recording {
  const sound = voiceIn([[0, 0.2 * transcript.length]], 0.2 * transcript.length);
  return { speaker: 'a', transcript, sound, begin: 0, end: sound.length, neutral: true, ...over };
}

const unitsIn = (recording: Recording): Unit[] =>
  soundsIn(recording.transcript).map((one, place) => ({
    ...one,
    recording,
    place,
    begin: place * 0.2 * RATE,
    end: (place + 1) * 0.2 * RATE,
  }));

describe('alignSpoken', () => {
  /** Log probabilities of three classes: the blank and two syllables. */
  const frames = (path: string) =>
    [...path].map((top) => Float32Array.from(['-', 'a', 'b'], (one) => (one === top ? -0.1 : -8)));

  it('finds each syllable where it is likeliest', () => {
    const aligned = alignSpoken(frames('--aa---b--'), [[1], [2]]);
    expect(aligned?.peaks[0]).toBeGreaterThanOrEqual(2);
    expect(aligned?.peaks[0]).toBeLessThanOrEqual(3);
    expect(aligned?.peaks[1]).toBe(7);
    expect(aligned?.score).toBeCloseTo(0);
  });

  it('asks for a blank between two that may be the same', () => {
    expect(alignSpoken(frames('-a-a-'), [[1], [1]])?.peaks).toEqual([1, 3]);
    expect(alignSpoken(frames('-aa-'), [[1], [1]])?.score).toBeLessThan(-3);
  });

  it('says how far a transcript is from what was heard', () => {
    expect(alignSpoken(frames('--a-a--'), [[1], [2]])?.score).toBeLessThan(-3);
    expect(alignSpoken(frames('a'), [[1], [2]])).toBeUndefined();
    expect(alignSpoken(frames('a'), [])).toBeUndefined();
  });
});

describe('cutSyllables', () => {
  const inSeconds = (cuts: readonly { begin: number; end: number }[]) =>
    cuts.map(({ begin, end }) => [begin / RATE, end / RATE]);

  it('puts the border where the voice dips, and all of the consonant behind it', () => {
    // Three syllables, each with 60 ms of voiceless consonant before its vowel.
    const sound = voiceIn(
      [
        [0.56, 0.75],
        [0.81, 1.0],
        [1.06, 1.3],
      ],
      2,
    );
    const [one, two, three] = inSeconds(
      cutSyllables(
        sound,
        [0.72, 0.97, 1.25].map((s) => s * RATE),
      ),
    );
    expect(one![0]).toBeGreaterThan(0.45);
    expect(one![0]).toBeLessThan(0.56);
    expect(one![1]).toBeCloseTo(0.75, 1);
    expect(two![0]).toBe(one![1]);
    expect(two![1]).toBeCloseTo(1.0, 1);
    expect(three![1]).toBeGreaterThan(1.29);
    expect(three![1]).toBeLessThan(1.4);
  });

  it('leaves a pause out', () => {
    const sound = voiceIn(
      [
        [0.5, 0.7],
        [1.7, 1.9],
      ],
      2.5,
    );
    const [one, two] = inSeconds(
      cutSyllables(
        sound,
        [0.66, 1.86].map((s) => s * RATE),
      ),
    );
    expect(one![1]).toBeLessThan(0.85);
    expect(two![0]).toBeGreaterThan(1.55);
  });

  it('stays in order and inside, whatever the peaks', () => {
    const sound = voiceIn([[0, 0.3]], 0.3);
    const cuts = cutSyllables(sound, [0, 480, 960, 1440, 4799]);
    for (const { begin, end } of cuts) {
      expect(begin).toBeLessThan(end);
      expect(end).toBeLessThanOrEqual(sound.length);
    }
  });
});

describe('chooseUnits', () => {
  const random = () => 0;
  const wordsOf = (units: readonly Unit[] | undefined) =>
    units && runsOf(units).map((run) => run.map(({ character }) => character).join(''));

  it('takes the longest runs, then the same voice', () => {
    const units = [
      ...unitsIn(recordingOf('评审')),
      ...unitsIn(recordingOf('评标太少了')),
      ...unitsIn(recordingOf('审费', { speaker: 'b' })),
      ...unitsIn(recordingOf('费')),
    ];
    const chosen = chooseUnits({ text: soundsIn('评审费太少了'), there: bySyllable(units), random });
    expect(wordsOf(chosen)).toEqual(['评审', '费', '太少了']);
    expect(new Set(chosen?.map(({ recording }) => recording.speaker))).toEqual(new Set(['a']));
  });

  it('takes the tone that is asked for where there is one, else any', () => {
    const units = [...unitsIn(recordingOf('妈')), ...unitsIn(recordingOf('马'))];
    const there = bySyllable(units);
    expect(wordsOf(chooseUnits({ text: soundsIn('码'), there, random }))).toEqual(['马']);
    expect(wordsOf(chooseUnits({ text: soundsIn('骂'), there, random }))).toHaveLength(1);
  });

  it('names what nobody has said, and reads characters where they stand', () => {
    const there = bySyllable(unitsIn(recordingOf('银行长大')));
    expect([...there.keys()]).toEqual(['yin', 'hang', 'zhang', 'da']);
    expect(missingFor(soundsIn('银行行长'), there)).toEqual([]);
    expect(missingFor(soundsIn('大家好'), there)).toEqual(['jia', 'hao']);
    expect(chooseUnits({ text: soundsIn('大家'), there, random })).toBeUndefined();
  });

  it('keeps out what may not be used', () => {
    const units = unitsIn(recordingOf('大家'));
    expect(
      chooseUnits({ text: soundsIn('大家'), there: bySyllable(units), random, mayUse: () => false }),
    ).toBeUndefined();
  });
});

describe('joining', () => {
  const loudness = (sound: ArrayLike<number>) =>
    Math.sqrt(Array.from(sound).reduce((sum, value) => sum + value * value, 0) / sound.length);

  it('makes all parts equally loud and loses nothing but the fades', () => {
    const quiet = recordingOf('大家', { sound: voiceIn([[0, 0.4]], 0.4, 800) });
    const units = [unitsIn(quiet)[0]!, unitsIn(recordingOf('评标'))[1]!];
    const joined = joinUnits(units, 2000);
    expect(Math.abs(joined.length - 0.4 * RATE)).toBeLessThan(300);
    expect(loudness(joined.subarray(500, 2500))).toBeCloseTo(2000, -2);
    expect(loudness(joined.subarray(4000, 6000))).toBeCloseTo(2000, -2);
  });

  it('fades without a click', () => {
    const flat = new Float32Array(1000).fill(1000);
    const joined = crossfade([flat, flat]);
    expect(joined).toHaveLength(2000 - 128);
    for (let i = 200; i < joined.length - 200; i++) expect(joined[i]).toBeCloseTo(1000);
    expect(Math.abs(joined[0]!)).toBeLessThan(10);
    expect(crossfade([])).toHaveLength(0);
    expect(crossfade([flat.subarray(0, 1), flat.subarray(0, 1)])).toHaveLength(2);
  });

  it('says where each part ends', () => {
    const { samples, ends } = inTurn([new Float32Array(1600), new Float32Array(800)], 0.1, 1);
    expect(ends).toEqual([3200, 5600]);
    expect(samples).toHaveLength(7200);
    expect(loudness(samples)).toBeGreaterThan(5);
  });
});

describe('what is said', () => {
  const phrase: Phrase = {
    phraseId: 'p',
    language: 'zh-CN',
    category: 'tendentious',
    forms: ['就选{NUMBER}吧', '大家关照一下'],
    context: { needs: ['这家', '那家'], unless: ['不得'] },
    citation: 'c',
  };

  it('fills slots, and puts before a phrase what it needs or what takes it back', () => {
    const needed = sayingsOf(phrase, '就选{NUMBER}吧', 'zh', false);
    expect(needed).toContainEqual(expect.objectContaining({ lead: '那家', text: '就选第二家吧' }));
    const forbidden = sayingsOf(phrase, '大家关照一下', 'zh', true);
    expect(forbidden).toEqual([
      expect.objectContaining({ lead: '不得', text: '大家关照一下', category: 'tendentious' }),
    ]);
    const { context: _, ...bare } = phrase;
    expect(sayingsOf(bare, '大家关照一下', 'zh', true)).toEqual([]);
  });

  it('takes the forms in turn, and names those that cannot be said', () => {
    const drawn = drawSayings({
      phrases: [phrase],
      language: 'zh',
      forbidden: false,
      count: 3,
      random: () => 0,
      missingFor: (text) => (text.includes('选') ? ['xuan'] : []),
    });
    expect(drawn.sayings.map(({ form }) => form)).toEqual(['大家关照一下', '大家关照一下', '大家关照一下']);
    expect(drawn.unsayable).toEqual([{ phraseId: 'p', form: '就选{NUMBER}吧', missing: ['xuan'] }]);
    expect(drawn.forms).toBe(2);
  });
});
