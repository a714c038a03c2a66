import { describe, expect, it } from 'vitest';
import type { Input } from '../../../../agent/decide/room.ts';
import type { Person, PictureState } from '../../../../protocol/observation.ts';
import { ALL, at, begin, episodes, feed, others, play, seat, told } from './world.ts';

const lost = (dx: number, confidence: number) => ({ shift: { dx, dy: 0, confidence } });

describe('camera faults', () => {
  /** What the picture is like, and what must be told after 12 s of it. */
  const table: readonly (readonly [string, Partial<PictureState>, string | undefined])[] = [
    ['covered by a hand: no edges, no pattern', { brightness: 15, edgeEnergy: 0.05, ...lost(0, 0.1) }, 'covered'],
    ['a bright cloth: no edges, no pattern', { brightness: 200, edgeEnergy: 1.2, ...lost(0, 0.1) }, 'covered'],
    [
      'lights dimmed: edges fall with the light, the pattern stays',
      { brightness: 20, edgeEnergy: 1.2, ...lost(0, 0.75) },
      undefined,
    ],
    ['knocked sideways: the same edges elsewhere', lost(0.2, 0.5), 'moved'],
    ['turned to another wall: edges, but not these', { edgeEnergy: 5, ...lost(0, 0.1) }, 'moved'],
    ['a small vibration', lost(0.02, 0.9), undefined],
    ['a shift that nothing confirms', lost(0.3, 0.25), undefined],
    ['frozen: the same bytes', { change: 0 }, 'frozen'],
    ['a still room: hardly any change', { change: 0.001 }, undefined],
  ];
  it.each(table)('%s', (_name, picture, fault) => {
    const run = begin();
    play(run, 20, { persons: ALL });
    play(run, 32, { persons: fault ? [] : ALL, picture });
    const blind = run.view.seats.map((s) => s.occupancy);
    if (!fault) {
      expect(told(run)).toEqual([]);
      expect(blind).toEqual(['yes', 'yes', 'yes']);
      return;
    }
    expect(told(run)).toEqual([`begin camera_fault:${fault} alarm`]);
    expect(blind).toEqual(['unknown', 'unknown', 'unknown']);
    expect(run.view.faults).toEqual([expect.objectContaining({ sourceId: 'cam-a', fault })]);
    expect(episodes(run)[0]!.beganWallMs).toBe(at(20).wallMs);
    play(run, 40, { persons: ALL });
    expect(told(run).at(-1)).toBe(`end camera_fault:${fault} alarm`);
    expect(run.view.seats.map((s) => s.occupancy)).toEqual(['yes', 'yes', 'yes']);
    expect(run.view.faults).toEqual([]);
  });

  it('keeps a moved camera at fault until it is back', () => {
    const run = begin();
    play(run, 10, { persons: ALL });
    play(run, 70, { persons: ALL, picture: lost(0.2, 0.6) });
    expect(told(run).filter((t) => !t.startsWith('update'))).toEqual(['begin camera_fault:moved alarm']);
    play(run, 80, { persons: ALL });
    expect(told(run).at(-1)).toBe('end camera_fault:moved alarm');
  });

  it('goes on with the zones and habits of a camera that was nudged', () => {
    const run = begin();
    play(run, 20, { persons: ALL });
    const offset = { dx: -0.03, dy: 0.03 };
    const nudged = (persons: readonly Person[]) =>
      persons.map(
        ({ box: [x0, y0, x1, y1], score }): Person => ({
          box: [x0 - 0.03, y0 + 0.03, x1 - 0.03, y1 + 0.03],
          score,
        }),
      );
    const picture = { shift: { ...offset, confidence: 0.8 }, offset };
    play(run, 60, { persons: nudged(ALL), picture });
    expect(run.view.seats.map((s) => s.occupancy)).toEqual(['yes', 'yes', 'yes']);
    expect(told(run)).toEqual([]);
    // What is drawn over the live picture lies where the people are in it.
    expect(run.view.tracks.map((t) => t.box[0]).sort()).toEqual(nudged(ALL).map((p) => expect.closeTo(p.box[0])));
  });

  it('says nothing about a hand that passes', () => {
    const run = begin();
    for (let s = 10; s < 100; s += 10) {
      play(run, s, { persons: ALL });
      play(run, s + 2, { picture: { edgeEnergy: 0.1, ...lost(0, 0.05) } });
    }
    expect(told(run)).toEqual([]);
  });

  it('is down when frames stop, reported or not, and blind long before', () => {
    const run = begin();
    play(run, 20, { persons: ALL });
    play(run, 25, 'nothing');
    expect(seat(run, '1').occupancy).toBe('unknown');
    expect(told(run)).toEqual([]);
    play(run, 40, 'nothing');
    expect(told(run)).toEqual(['begin camera_fault:down alarm']);
    expect(episodes(run)[0]!.durationMs).toBeGreaterThanOrEqual(15_000);
    play(run, 50, { persons: ALL });
    expect(told(run).at(-1)).toBe('end camera_fault:down alarm');
  });

  it('says that a camera which never gave a frame is down', () => {
    const run = begin();
    play(run, 17, 'nothing');
    expect(told(run)).toEqual(['begin camera_fault:down alarm']);
  });

  it('tells a broken recording apart and trusts the eyes meanwhile', () => {
    const run = begin();
    play(run, 20, { persons: ALL });
    const record = (s: number, state: 'running' | 'down'): Input => ({
      kind: 'stream',
      sourceId: 'cam-a',
      role: 'record',
      at: at(s),
      state,
      silentMs: state === 'down' ? (s - 20) * 1000 : 0,
      reason: 'disk full',
    });
    for (; run.s < 40; ) {
      play(run, run.s + 1, { persons: ALL });
      feed(run, record(run.s, 'down'));
    }
    expect(told(run)).toEqual(['begin camera_fault:record_down alarm']);
    expect(episodes(run)[0]!.sentence.zh).toContain('disk full');
    expect(seat(run, '1').occupancy).toBe('yes');
    for (; run.s < 45; ) {
      play(run, run.s + 1, { persons: ALL });
      feed(run, record(run.s, 'running'));
    }
    expect(told(run).at(-1)).toBe('end camera_fault:record_down alarm');
  });

  it('goes on after a restart and ends when the picture is clear', () => {
    const before = begin();
    play(before, 20, { persons: ALL });
    play(before, 30, { picture: { edgeEnergy: 0.05, ...lost(0, 0.1) } });
    const run = begin(before.drafts.slice(-1));
    play(run, 15, { picture: { edgeEnergy: 0.05, ...lost(0, 0) } });
    play(run, 25, { persons: ALL });
    expect(told(run).some((t) => t.startsWith('begin'))).toBe(false);
    expect(told(run).at(-1)).toBe('end camera_fault:covered alarm');
    expect(new Set(episodes(run).map((e) => e.episodeId))).toEqual(new Set(['run-1']));
  });

  it('never raises a left seat out of a fault', () => {
    const run = begin();
    play(run, 20, { persons: ALL });
    play(run, 200, { picture: { edgeEnergy: 0.05, ...lost(0, 0.1) } });
    play(run, 300, 'nothing');
    play(run, 330, { persons: others('2') });
    expect(told(run).filter((t) => t.includes('left_seat'))).toEqual([]);
  });
});

describe('microphone faults', () => {
  const level = (s: number, rmsDb: number): Input => ({
    kind: 'level',
    microphoneId: 'mic',
    at: at(s),
    rmsDb,
    peakDb: rmsDb + 6,
  });
  const ear = (s: number, state: 'hearing' | 'deaf' | 'unconfirmed', language = 'zh-CN', mic = 'mic'): Input => ({
    kind: 'ear',
    microphoneId: mic,
    language,
    at: at(s),
    state: state === 'unconfirmed' ? 'hearing' : state,
    ...(state === 'unconfirmed' ? { unconfirmed: true } : {}),
    reason: 'no model',
  });

  /** Level of each second after 60 s at -50 dB with people present, and what is told after 70 s of it. */
  it.each([
    ['a quiet room', -55, undefined],
    ['far under the floor', -80, 'muted'],
    ['digital zero', -120, 'muted'],
  ])('%s', (_name, rmsDb, fault) => {
    const run = begin();
    for (let s = 0; s < 60; s++) {
      play(run, s, { persons: ALL });
      feed(run, level(s, -50));
    }
    for (let s = 60; s < 130; s++) {
      play(run, s, { persons: ALL });
      feed(run, level(s, rmsDb));
    }
    expect(told(run)).toEqual(fault ? [`begin microphone_fault:${fault} alarm`] : []);
    for (let s = 130; s < 140; s++) feed(run, level(s, -50));
    expect(told(run).at(-1)).toBe(fault ? `end microphone_fault:${fault} alarm` : undefined);
  });

  it('counts digital zero without a learnt floor', () => {
    const run = begin();
    for (let s = 0; s < 70; s++) feed(run, level(s, -120));
    expect(told(run).filter((t) => t.includes('muted'))[0]).toBe('begin microphone_fault:muted alarm');
  });

  it('is down when blocks stop or capture says so', () => {
    const run = begin();
    for (let s = 0; s < 10; s++) feed(run, level(s, -50));
    for (let s = 10; s < 25; s++) feed(run, { kind: 'tick', at: at(s) });
    expect(told(run).filter((t) => t.includes('microphone'))).toEqual(['begin microphone_fault:down alarm']);
    const other = begin();
    feed(other, {
      kind: 'stream',
      sourceId: 'mic',
      role: 'audio',
      at: at(12),
      state: 'down',
      silentMs: 11_000,
      reason: '401',
    });
    expect(told(other)).toEqual(['begin microphone_fault:down alarm']);
  });

  it('says in which language the room is deaf, each for itself, as a notice', () => {
    const run = begin();
    for (let s = 0; s < 12; s++) {
      feed(run, ear(s, 'deaf'));
      feed(run, ear(s, 'hearing', 'en'));
    }
    expect(told(run)).toEqual(['begin microphone_fault:deaf notice']);
    expect(episodes(run)[0]).toMatchObject({ to: 'DEAF:zh-CN', sourceId: 'mic' });
    expect(episodes(run)[0]!.sentence).toMatchObject({
      zh: expect.stringContaining('听不到普通话'),
      en: expect.stringContaining('deaf in Mandarin'),
    });
    expect(run.view.faults).toContainEqual(expect.objectContaining({ sourceId: 'mic', fault: 'deaf' }));
    const again = begin(run.drafts);
    for (let s = 0; s < 6; s++) feed(again, ear(s, 'hearing'));
    expect(told(again)).toEqual(['end microphone_fault:deaf notice']);
  });

  // No camera gives frames here, which is a fault of its own.
  const ears = (run: ReturnType<typeof begin>) => told(run).filter((line) => line.includes('microphone_fault'));
  const own = (run: ReturnType<typeof begin>) =>
    episodes(run).filter(({ behaviour }) => behaviour === 'microphone_fault');

  it('is an alarm when the only language is deaf, since nothing is heard any more', () => {
    const run = begin();
    for (let s = 0; s < 12; s++) feed(run, ear(s, 'deaf'));
    expect(ears(run)).toEqual(['begin microphone_fault:deaf alarm']);
    expect(own(run)[0]!.sentence).toMatchObject({
      zh: expect.stringContaining('听不到普通话，也听不到其他语言'),
      en: expect.stringContaining('deaf in Mandarin and hears nothing else for'),
    });
    for (let s = 12; s < 16; s++) feed(run, ear(s, 'hearing'));
    expect(ears(run).at(-1)).toBe('end microphone_fault:deaf alarm');
    expect(own(run).at(-1)!.sentence.en).not.toContain('nothing else');
  });

  it('grows into one alarm when the last of several languages goes deaf', () => {
    const run = begin();
    for (let s = 0; s < 20; s++) {
      feed(run, ear(s, 'deaf'));
      feed(run, ear(s, 'hearing', 'en'));
    }
    for (let s = 20; s < 40; s++) {
      feed(run, ear(s, 'deaf'));
      feed(run, ear(s, 'deaf', 'en'));
    }
    const said = ears(run).filter((line) => line.startsWith('begin') || line.endsWith('alarm'));
    expect(said.slice(0, 3)).toEqual([
      'begin microphone_fault:deaf notice',
      'update microphone_fault:deaf alarm',
      'begin microphone_fault:deaf notice',
    ]);
    const alarms = own(run).filter(({ level }) => level === 'alarm');
    expect(new Set(alarms.map(({ to }) => to))).toEqual(new Set(['DEAF:zh-CN']));
  });

  it('tells each microphone for itself, and does not raise a second alarm where no sound comes at all', () => {
    const run = begin();
    for (let s = 0; s < 25; s++) {
      feed(run, ear(s, 'deaf'));
      feed(run, ear(s, 'hearing', 'zh-CN', 'other'));
    }
    expect(ears(run).filter((line) => line.startsWith('begin'))).toEqual(['begin microphone_fault:deaf alarm']);
    const silent = begin();
    for (let s = 0; s < 25; s++) {
      feed(silent, {
        kind: 'stream',
        sourceId: 'mic',
        role: 'audio',
        at: at(s),
        state: 'down',
        silentMs: s * 1000,
        reason: '401',
      });
      feed(silent, ear(s, 'deaf'));
    }
    expect(ears(silent).filter((line) => line.startsWith('begin'))).toEqual([
      'begin microphone_fault:down alarm',
      'begin microphone_fault:deaf notice',
    ]);
  });

  it('does not take one deaf language for all of them after a restart, before the others have spoken', () => {
    const run = begin();
    for (let s = 0; s < 12; s++) {
      feed(run, ear(s, 'deaf'));
      feed(run, ear(s, 'hearing', 'en'));
    }
    const again = begin(run.drafts);
    for (let s = 0; s < 20; s++) {
      feed(again, ear(s, 'deaf'));
      if (s > 1) feed(again, ear(s, 'hearing', 'en'));
    }
    expect(ears(again).filter((line) => line.endsWith('alarm'))).toEqual([]);
  });

  it('says as a notice that the engine which confirms is deaf, until it is back', () => {
    const run = begin();
    for (let s = 0; s < 12; s++) feed(run, ear(s, 'unconfirmed'));
    expect(ears(run)).toEqual(['begin microphone_fault:unconfirmed notice']);
    expect(own(run)[0]).toMatchObject({ to: 'UNCONFIRMED:zh-CN', fault: 'unconfirmed', sourceId: 'mic' });
    expect(own(run)[0]!.sentence).toMatchObject({
      zh: expect.stringContaining('普通话识别无第二引擎复核'),
      en: expect.stringContaining('unconfirmed in Mandarin (its second engine is deaf) for'),
    });
    const again = begin(run.drafts);
    for (let s = 0; s < 6; s++) feed(again, ear(s, 'hearing'));
    expect(ears(again)).toEqual(['end microphone_fault:unconfirmed notice']);
    // Who hears nothing at all is deaf, and no longer unconfirmed.
    const worse = begin(run.drafts);
    for (let s = 0; s < 22; s++) feed(worse, ear(s, 'deaf'));
    expect(ears(worse).slice(0, 2)).toEqual([
      'end microphone_fault:unconfirmed notice',
      'begin microphone_fault:deaf alarm',
    ]);
  });
});
