import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Input, startRoom, step } from '../../../../agent/decide/room.ts';
import type { EpisodeBody } from '../../../../protocol/event.ts';
import type { Person } from '../../../../protocol/observation.ts';
import { ALL, at, BEGIN, begin, context, feed, frame, pack, play, type Run, sitting, standing } from './world.ts';

const person: fc.Arbitrary<Person> = fc.oneof(
  fc
    .record({
      id: fc.constantFrom('1', '2', '3'),
      dx: fc.double({ min: -1, max: 1, noNaN: true }),
      score: fc.double({ min: 0.05, max: 1, noNaN: true }),
    })
    .map(({ id, dx, score }) => sitting(id, dx, score)),
  fc
    .record({ x: fc.double({ min: 0, max: 1, noNaN: true }), score: fc.double({ min: 0.05, max: 1, noNaN: true }) })
    .map(({ x, score }) => standing(x, score)),
);
const picture = fc.oneof(
  { weight: 6, arbitrary: fc.constant({}) },
  fc.constant({ edgeEnergy: 0.1, shift: { dx: 0, dy: 0, confidence: 0.05 } }),
  fc.constant({ shift: { dx: 0.2, dy: 0, confidence: 0.6 } }),
  fc.constant({ change: 0 }),
);
const looks = fc.record({
  '1': fc.constantFrom('empty' as const, 'taken' as const),
  '3': fc.constantFrom('empty' as const, 'taken' as const),
});
/** A scene that holds for some seconds, a gap without frames, or something heard. */
const piece = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('scene' as const),
      persons: fc.array(person, { maxLength: 5 }),
      picture,
      looks,
      forS: fc.integer({ min: 1, max: 40 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('everybody' as const), forS: fc.integer({ min: 5, max: 40 }) }),
  },
  fc.record({ kind: fc.constant('nothing' as const), forS: fc.integer({ min: 1, max: 30 }) }),
  fc.record({
    kind: fc.constant('sound' as const),
    rmsDb: fc.constantFrom(-120, -90, -50),
    deaf: fc.boolean(),
    phrase: fc.boolean(),
  }),
);
type Piece = typeof piece extends fc.Arbitrary<infer T> ? T : never;

/** The phases that an episode may have gone through, one letter each: begin, then updates, an end, perhaps joined again. */
const VALID = /^b(u*)(eu+)*e?$/;

function perform(run: Run, pieces: readonly Piece[], with_ = context): void {
  for (const p of pieces) {
    if (p.kind === 'scene') play(run, run.s + p.forS, p, with_);
    else if (p.kind === 'everybody') play(run, run.s + p.forS, { persons: ALL }, with_);
    else if (p.kind === 'nothing') play(run, run.s + p.forS, 'nothing', with_);
    else for (const input of heard(run.s, p)) feed(run, input, with_);
  }
}

function heard(s: number, { rmsDb, deaf, phrase }: Extract<Piece, { kind: 'sound' }>): Input[] {
  const base = { microphoneId: 'mic', at: at(s) };
  const said = {
    engine: 'e',
    language: 'en',
    phraseId: 'p',
    category: 'prohibited' as const,
    text: 'x',
    score: 1,
    threshold: 0,
  };
  return [
    { kind: 'level', ...base, rmsDb, peakDb: rmsDb },
    { kind: 'ear', ...base, language: 'en', state: deaf ? 'deaf' : 'hearing' },
    ...(phrase
      ? [
          {
            kind: 'phrase' as const,
            ...base,
            ...said,
            beginMonoMs: base.at.monoMs - 1000,
            endMonoMs: base.at.monoMs - 500,
          },
        ]
      : []),
  ];
}

function phasesOf(bodies: readonly EpisodeBody[]): Map<string, string> {
  const phases = new Map<string, string>();
  for (const b of bodies) phases.set(b.episodeId, (phases.get(b.episodeId) ?? '') + b.phase[0]);
  return phases;
}
const bodies = (run: Run) => run.drafts.flatMap((d) => (d.body.kind === 'episode' ? [d.body] : []));

// Thousands of simulated frames: on a busy machine they take their time.
describe('whatever a room is fed with', { timeout: 120_000 }, () => {
  it('begins each episode once and in order, never lets a level or a duration fall, and gives finite numbers', () => {
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 12 }), (pieces) => {
        const run = begin();
        perform(run, pieces);
        for (const [id, phases] of phasesOf(bodies(run)))
          expect(`${id} ${phases}`).toMatch(new RegExp(`^${id} ${VALID.source.slice(1)}`));
        const last = new Map<string, EpisodeBody>();
        for (const b of bodies(run)) {
          const before = last.get(b.episodeId);
          last.set(b.episodeId, b);
          expect(
            b.figures.every(
              (f) => Number.isFinite(f.value) && (f.threshold === undefined || Number.isFinite(f.threshold)),
            ),
          ).toBe(true);
          expect(b.durationMs).toBeGreaterThanOrEqual(0);
          if (!before) continue;
          expect(b.beganWallMs).toBe(before.beganWallMs);
          expect(b.behaviour).toBe(before.behaviour);
          expect(before.level === 'alarm' ? b.level : 'alarm').toBe('alarm');
        }
      }),
      { seed: 4711, numRuns: 60 },
    );
  });

  it('gives the same for the same, leaves the old machine as it was, and survives JSON', () => {
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 5 }), (pieces) => {
        const run = begin();
        perform(run, pieces);
        const before = JSON.stringify(run.machine);
        const input = frame(run.s + 1, { persons: ALL });
        const once = step(run.machine, input, context);
        expect(JSON.stringify(run.machine)).toBe(before);
        expect(step(run.machine, input, context)).toEqual(once);
        const thawed = step(JSON.parse(before), input, context);
        expect({ drafts: thawed.drafts, view: thawed.view }).toEqual({ drafts: once.drafts, view: once.view });
      }),
      { seed: 4712, numRuns: 30 },
    );
  });

  it('goes on after a restart at any moment without a second begin', () => {
    fc.assert(
      fc.property(
        fc.array(piece, { minLength: 1, maxLength: 8 }),
        fc.array(piece, { minLength: 1, maxLength: 6 }),
        (first, second) => {
          const run = begin();
          perform(run, first);
          const latest = new Map(
            run.drafts.flatMap((d) => (d.body.kind === 'episode' ? [[d.body.episodeId, d] as const] : [])),
          );
          const open = [...latest.values()].filter((d) => d.body.kind === 'episode' && d.body.phase !== 'end');
          const other = { ...context, runId: 'second' };
          const again: Run = { machine: startRoom(other, BEGIN, open), drafts: [], view: run.view, s: 0 };
          perform(again, second, other);
          for (const d of open) {
            const id = d.body.kind === 'episode' ? d.body.episodeId : '';
            expect(phasesOf(bodies(again)).get(id) ?? '').toMatch(/^u*(eu+)*e?$/);
          }
        },
      ),
      { seed: 4713, numRuns: 40 },
    );
  });

  it('never calls a seat left that nobody was seen to leave and that never looked empty', () => {
    const blank = fc.record({
      forS: fc.integer({ min: 1, max: 200 }),
      who: fc.subarray(['1', '2', '3']),
      blind: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(blank, { minLength: 1, maxLength: 8 }), (spans) => {
        const run = begin();
        for (const { forS, who, blind } of spans)
          play(run, run.s + forS, {
            persons: who.map((id) => sitting(id)),
            picture: blind ? { edgeEnergy: 0, shift: { dx: 0, dy: 0, confidence: 0 } } : {},
          });
        expect(bodies(run).filter((b) => b.behaviour === 'left_seat')).toEqual([]);
        expect(run.view.seats.every((s) => s.occupancy !== 'no')).toBe(true);
      }),
      { seed: 4714, numRuns: 40 },
    );
  });

  it('is silent under a pack without rules', () => {
    const empty = { ...context, pack: { ...pack, rules: {} } };
    const run = begin([], empty);
    play(run, 30, { persons: [] }, empty);
    play(run, 60, 'nothing', empty);
    expect(run.drafts).toEqual([]);
  });
});
