/** Whatever was going on when the agent stopped, or when the layout was changed, ends under its own id when it is over: of every rule. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Input, type RoomContext, startRoom } from '../../../../agent/decide/room.ts';
import { RULES } from '../../../../agent/decide/rules.ts';
import type { Behaviour, DraftEvent, EpisodeBody } from '../../../../protocol/event.ts';
import type { Person } from '../../../../protocol/observation.ts';
import type { RoomLayout } from '../../../../protocol/room.ts';
import { FLOOR, full, posed, session } from './bodies.ts';
import {
  ALL,
  at,
  BEGIN,
  begin,
  episodes,
  feed,
  layout,
  others,
  play,
  type Run,
  sitting,
  standing,
  told,
} from './world.ts';

const room: RoomLayout = {
  ...layout,
  floor: FLOOR,
};
const word = { citation: 'words', level: 'notice' as const, alarmAfter: null, mergeMs: 10_000 };
const ctx: RoomContext = {
  layout: room,
  runId: 'second',
  pack: {
    ...full,
    rules: {
      ...full.rules,
      microphone_fault: { ...full.rules.microphone_fault!, clippingMs: 10_000, speechlessMs: 600_000 },
      speech_tendentious: word,
      speech_fee: word,
      off_subject: { citation: 'subject', windowMs: 60_000, units: 60, share: 0.2, noticeMs: 120_000 },
      outside_contact: { citation: 'no contact', level: 'alarm', turns: 3, pauseMs: 1000 },
    },
  },
};

/** Everybody sits, sound is heard with some speech, the ear hears and the recorder runs. */
function calm(run: Run, until: number, with_ = ctx) {
  const microphone = { microphoneId: 'mic' };
  while (run.s < until) {
    play(run, run.s + 1, { persons: ALL }, with_);
    const now = at(run.s);
    const inputs: Input[] = [
      { kind: 'level', ...microphone, at: now, rmsDb: -40, peakDb: -30, speech: run.s % 10 === 0 ? 1 : 0, clipped: 0 },
      { kind: 'ear', ...microphone, language: 'en', at: now, state: 'hearing' },
      { kind: 'stream', sourceId: 'cam-a', role: 'record', at: now, state: 'running', silentMs: 0 },
    ];
    for (const input of inputs) feed(run, input, with_);
  }
}
const open = (behaviour: Behaviour, more: Partial<EpisodeBody> = {}): DraftEvent => ({
  at: at(-2),
  body: {
    kind: 'episode',
    episodeId: 'first-1',
    phase: 'update',
    behaviour,
    level: 'alarm',
    beganWallMs: at(-7).wallMs,
    durationMs: 5000,
    seatIds: [],
    from: 'BEFORE',
    to: 'GOING_ON',
    figures: [],
    sentence: { zh: '', en: '' },
    rule: { pack: 'test', packVersion: '1.0.0', ruleId: behaviour, citation: '' },
    ...more,
  },
});

const camera = { sourceId: 'cam-a' };
const mic = { sourceId: 'mic' };
/** Name of the rule, and events that it takes up. `late_or_early` says begin and end in one breath. */
const going: readonly (readonly [string, DraftEvent])[] = [
  ['left_seat', open('left_seat', { seatIds: ['1'] })],
  ['too_far', open('too_far', { seatIds: ['1'], ...camera })],
  ['left_room', open('left_room', { seatIds: ['1'], ...camera })],
  ['left_together', open('left_together', { seatIds: ['1', '2'] })],
  ['standing', open('standing', { seatIds: ['1'], ...camera })],
  ['at_other_seat', open('at_other_seat', { seatIds: ['1', '2'], ...camera })],
  ['whispering', open('whispering', { seatIds: ['1', '2'], ...camera })],
  ['gathering', open('gathering', { seatIds: ['1', '2', '3'], ...camera })],
  ['gathering', open('gathering', camera)],
  ['phone', open('phone', { seatIds: ['1'], ...camera })],
  ['outside_contact', open('outside_contact', { seatIds: ['1'], ...camera })],
  ['passing_items', open('passing_items', { seatIds: ['1', '2'], ...camera })],
  ['sleeping', open('sleeping', { seatIds: ['1'], ...camera })],
  ['walking_about', open('walking_about', { seatIds: ['1'], ...camera })],
  ['walking_about', open('walking_about', camera)],
  ['extra_person', open('extra_person', camera)],
  ['not_complete', open('not_complete')],
  ['not_complete', open('not_complete', { seatIds: ['3'], sessionId: 's-1' })],
  ...(['prohibited', 'suggestive', 'tendentious', 'irrelevant', 'fee'] as const).map(
    (category) => [`speech_${category}`, open(`speech_${category}`, { ...mic, to: 'SPOKEN' })] as const,
  ),
  ['off_subject', open('speech_irrelevant', { ...mic, to: 'OFF_SUBJECT' })],
  ...['covered', 'dark', 'moved', 'frozen', 'down', 'record_down'].map(
    (fault) => ['camera_fault', open('camera_fault', { ...camera, fault })] as const,
  ),
  ...['muted', 'down', 'deaf', 'unconfirmed'].map(
    (fault) =>
      ['microphone_fault', open('microphone_fault', { ...mic, fault, to: `${fault.toUpperCase()}:en` })] as const,
  ),
  ...['clipping', 'speechless'].map((fault) => ['poor_sound', open('microphone_fault', { ...mic, fault })] as const),
];

describe('an episode that was open at a restart', () => {
  it.each(going)('of %s ends once all is calm', (_rule, event) => {
    const run = begin([event], { ...ctx, session: session() });
    calm(run, 150, ctx);
    const said = episodes(run).filter((b) => b.episodeId === 'first-1');
    expect(said.map((b) => b.phase).filter((phase) => phase !== 'update')).toEqual(['end']);
    expect(episodes(run).filter((b) => b.episodeId !== 'first-1')).toEqual([]);
  });

  it('is looked at of every rule there is', () => {
    const rules = RULES.map(({ name }) => name).filter((name) => name !== 'late_or_early');
    expect([...new Set(going.map(([name]) => name))].sort()).toEqual(rules.sort());
  });

  it.each(
    going.flatMap(([rule, { body }]) =>
      body.kind === 'episode' && body.fault
        ? [
            [
              `${rule}:${body.fault}`,
              open(body.behaviour, { fault: body.fault, to: body.to, sourceId: 'gone' }),
            ] as const,
          ]
        : [],
    ),
  )("of %s ends when the device is the room's no longer, and says so", (_name, event) => {
    const run = begin([event], ctx);
    calm(run, 50);
    expect(told(run).filter((line) => line.startsWith('end'))).toEqual([]);
    calm(run, 150);
    const last = episodes(run).at(-1)!;
    expect(last).toMatchObject({ episodeId: 'first-1', phase: 'end', to: 'UNKNOWN' });
    expect(last.sentence.en).toContain('nothing has been heard of it since the restart');
  });
});

const person: fc.Arbitrary<Person> = fc.oneof(
  fc
    .record({
      id: fc.constantFrom('1', '2', '3'),
      dx: fc.constantFrom(-0.5, 0, 0.3),
      arm: fc.constantFrom('down', 'ear', 'head'),
      low: fc.boolean(),
    })
    .map(({ id, dx, arm, low }) => posed(sitting(id, dx), { left: arm as 'ear', low })),
  fc.double({ min: 0, max: 1, noNaN: true }).map((x) => standing(x)),
);
/** What goes on for some seconds: people, one who walks to and fro, a picture that is not well, or no picture. */
const scene = fc.record({
  persons: fc.array(person, { maxLength: 5 }),
  walker: fc.constantFrom(undefined, '1', '2'),
  picture: fc.oneof(
    { weight: 6, arbitrary: fc.constant({}) },
    fc.constant({ brightness: 2, edgeEnergy: 0.1, shift: { dx: 0, dy: 0, confidence: 0.02 } }),
    fc.constant({ shift: { dx: 0.2, dy: 0, confidence: 0.6 } }),
    fc.constant({ change: 0 }),
  ),
  empty: fc.subarray(['1', '2', '3']),
  blank: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
  forS: fc.integer({ min: 5, max: 45 }),
  phase: fc.constantFrom(undefined, 'evaluating' as const, 'break' as const, 'idle' as const),
});
type Scene = typeof scene extends fc.Arbitrary<infer T> ? T : never;

function perform(run: Run, { persons, walker, picture, empty, blank, forS, phase }: Scene, with_: RoomContext) {
  if (phase) feed(run, { kind: 'session', at: at(run.s), session: session({ phase }) }, with_);
  const looks = Object.fromEntries([...empty, ...(walker ? [walker] : [])].map((id) => [id, 'empty' as const]));
  play(
    run,
    run.s + forS,
    blank
      ? 'nothing'
      : (s) => ({
          persons: walker ? [...others(walker), standing(0.3 + 0.08 * Math.abs((s % 12) - 6))] : persons,
          looks,
          picture,
        }),
    with_,
  );
}
const stillOpen = (drafts: readonly DraftEvent[]) =>
  [
    ...new Map(drafts.flatMap((d) => (d.body.kind === 'episode' ? [[d.body.episodeId, d] as const] : []))).values(),
  ].filter(({ body }) => body.kind === 'episode' && body.phase !== 'end');

describe('whatever goes on', { timeout: 120_000 }, () => {
  it('has ended some minutes after all is calm, with a restart and without', () => {
    const kinds = new Set<string>();
    fc.assert(
      fc.property(fc.array(scene, { minLength: 1, maxLength: 6 }), (scenes) => {
        const first = { ...ctx, runId: 'first' };
        const run = begin([], first);
        play(run, 15, { persons: ALL }, first);
        for (const one of scenes) perform(run, one, first);
        const left = stillOpen(run.drafts);
        for (const { body } of left) if (body.kind === 'episode') kinds.add(body.behaviour);
        const again: Run = { machine: startRoom(ctx, BEGIN, left), drafts: [...left], view: run.view, s: 0 };
        calm(again, 200);
        expect(stillOpen(again.drafts).map((d) => d.body)).toEqual([]);
        calm(run, run.s + 200, first);
        expect(stillOpen(run.drafts).map((d) => d.body)).toEqual([]);
      }),
      { seed: 4715, numRuns: 40 },
    );
    // What was cut through: enough kinds for this to say something.
    expect([...kinds].sort()).toEqual(expect.arrayContaining(['camera_fault', 'left_seat', 'walking_about']));
  });
});
