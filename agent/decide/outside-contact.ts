/** Row 23, contact with the outside: a hand held at the ear as with a telephone, and speech in turns with the pauses of a listener. */
import type { DraftEvent } from '../../protocol/event.ts';
import type { OutsideContactRule } from '../../protocol/rules.ts';
import { bodiesOf, looking } from './bodies.ts';
import { type Episode, follow, isOpen, resume } from './episode.ts';
import { phoneArm } from './phone.ts';
import type { Rule, RuleContext } from './rule.ts';
import type { Scene } from './scene.ts';
import { seatEn, seatZh, seconds, spanEn, spanZh } from './sentence.ts';
import { isAllowed } from './suppress.ts';

/** Speech between two pauses, as one microphone heard it. */
interface Turn {
  readonly beginMonoMs: number;
  readonly endMonoMs: number;
}

/** How many poses there were with the hand at the ear, and since the first of them at all. */
interface Poses {
  readonly held: number;
  readonly looked: number;
}

interface Caller {
  readonly seatId: string;
  readonly cameraId: string;
  /** First and last pose with the hand at the ear. */
  readonly firstMonoMs: number;
  readonly firstWallMs: number;
  readonly lastMonoMs: number;
  /** By each camera: a view from behind or over a monitor shows no hand, and does not speak against one that does. */
  readonly views: Readonly<Record<string, Poses>>;
  readonly episode?: Episode | undefined;
}

export interface OutsideContact {
  readonly turns: Readonly<Record<string, readonly Turn[]>>;
  readonly callers: readonly Caller[];
}

/** A block with this share of speech belongs to a turn; blocks are no shorter, so one is the shortest turn. */
const SPOKEN = 0.3;
const BLOCK_MS = 500;
/** A pose is made every two seconds of who sits still, and one may fail: the hand is still there for so long. */
const HELD_MS = 8000;
const POSES = 3;
/** Of hands that are hidden the pose model guesses one at the ear now and then: it is there in most poses. */
const SHARE = 0.6;
/** Turns are remembered for as long as a call may be looked back on. */
const KEPT_MS = 60_000;
/** Who answers a call speaks before the hand has settled. */
const BEFORE_MS = 2000;

export const outsideContact: Rule<OutsideContact> = {
  name: 'outside_contact',
  start(_context, at, open) {
    const callers = open.flatMap((event): Caller[] => {
      const { body } = event;
      if (body.kind !== 'episode' || body.behaviour !== 'outside_contact') return [];
      const cameraId = body.sourceId ?? '';
      const from = { firstMonoMs: at.monoMs - body.durationMs, firstWallMs: body.beganWallMs, lastMonoMs: at.monoMs };
      return [
        {
          seatId: body.seatIds[0] ?? '',
          cameraId,
          ...from,
          views: { [cameraId]: { held: POSES, looked: POSES } },
          episode: resume(event, at),
        },
      ];
    });
    return { turns: {}, callers };
  },
  step(state, scene, context) {
    const rule = context.pack.rules.outside_contact;
    if (!rule) return [state, []];
    const turns = listen(state.turns, scene, rule);
    const callers = watch(state.callers, scene);
    const drafts: DraftEvent[] = [];
    const next: Caller[] = [];
    for (const caller of callers) {
      const [after, said] = speak(caller, turns, { scene, rule, context });
      drafts.push(...said);
      if (after) next.push(after);
    }
    return [{ turns, callers: next }, drafts];
  },
};

/** The turns so far, with this block's speech added to the running one where the pause before it was short. */
function listen(turns: OutsideContact['turns'], scene: Scene, rule: OutsideContactRule): OutsideContact['turns'] {
  const { input, at } = scene;
  if (input.kind !== 'level' || (input.speech ?? 0) < SPOKEN) return turns;
  const kept = (turns[input.microphoneId] ?? []).filter((turn) => at.monoMs - turn.endMonoMs < KEPT_MS);
  const last = kept.at(-1);
  const beginMonoMs = at.monoMs - BLOCK_MS;
  const goesOn = last !== undefined && beginMonoMs - last.endMonoMs < rule.pauseMs;
  const turn: Turn = { beginMonoMs: goesOn ? last.beginMonoMs : beginMonoMs, endMonoMs: at.monoMs };
  return { ...turns, [input.microphoneId]: [...(goesOn ? kept.slice(0, -1) : kept), turn] };
}

/** Who holds a hand at the ear, each for as long as poses say so. */
function watch(callers: readonly Caller[], scene: Scene): readonly Caller[] {
  const { at } = scene;
  if (scene.input.kind !== 'frame') return callers;
  const looked = looking(scene.cameras).flatMap((camera) =>
    bodiesOf(camera).flatMap((body) => {
      const seatId = body.homeId ?? body.seatId;
      const isCalling = phoneArm(body) !== undefined;
      return seatId !== undefined && body.posed ? [{ seatId, cameraId: body.cameraId, isCalling }] : [];
    }),
  );
  const seen = looked.flatMap(({ isCalling, ...who }) => (isCalling ? [who] : []));
  const going = callers.map((caller): Caller => {
    const mine = looked.filter((l) => l.seatId === caller.seatId);
    const again = mine.find((l) => l.isCalling);
    const anew = again !== undefined && !isOpen(caller.episode) && at.monoMs - caller.lastMonoMs > HELD_MS;
    const views = { ...(anew ? {} : caller.views) };
    for (const { cameraId, isCalling } of mine) {
      const { held, looked: before } = views[cameraId] ?? { held: 0, looked: 0 };
      if (isCalling || before > 0) views[cameraId] = { held: held + (isCalling ? 1 : 0), looked: before + 1 };
    }
    return {
      ...caller,
      ...(anew ? { firstMonoMs: at.monoMs, firstWallMs: at.wallMs } : {}),
      ...(again ? { cameraId: again.cameraId, lastMonoMs: at.monoMs } : {}),
      views,
    };
  });
  const fresh = seen
    .filter((s, i) => !callers.some((c) => c.seatId === s.seatId) && seen.findIndex((o) => o.seatId === s.seatId) === i)
    .map(
      (s): Caller => ({
        ...s,
        firstMonoMs: at.monoMs,
        firstWallMs: at.wallMs,
        lastMonoMs: at.monoMs,
        views: { [s.cameraId]: { held: 1, looked: 1 } },
      }),
    );
  return [...going, ...fresh];
}

function speak(
  caller: Caller,
  turns: OutsideContact['turns'],
  { scene, rule, context }: { scene: Scene; rule: OutsideContactRule; context: RuleContext },
): readonly [Caller | undefined, readonly DraftEvent[]] {
  const { at } = scene;
  const seatIds = [caller.seatId];
  const gone = at.monoMs - caller.lastMonoMs > HELD_MS;
  const allowed = isAllowed(scene.session, 'outside_contact', seatIds, at.wallMs);
  const from = caller.firstMonoMs - BEFORE_MS;
  const said = Math.max(0, ...Object.values(turns).map((list) => list.filter((t) => t.endMonoMs >= from).length));
  const isHeld = Object.values(caller.views).some(({ held, looked }) => held >= POSES && held >= SHARE * looked);
  const holds = !gone && !allowed && isHeld && said >= rule.turns;
  const over = gone || allowed;
  const open = isOpen(caller.episode);
  const lastingMs = caller.lastMonoMs - caller.firstMonoMs;
  const { episode, drafts } = follow(
    {
      at,
      pack: context.pack,
      ids: context.ids,
      behaviour: 'outside_contact',
      citation: rule.citation,
      joinMs: context.pack.cooldownMs,
    },
    caller.episode,
    {
      level: holds ? rule.level : undefined,
      over: over && open,
      facts: () => ({
        seatIds,
        sourceId: caller.cameraId,
        beganWallMs: caller.firstWallMs,
        durationMs: lastingMs,
        from: open ? 'CALLING' : 'NOT_CALLING',
        to: over ? 'NOT_CALLING' : 'CALLING',
        figures: [
          { name: 'turns', value: said, threshold: rule.turns, unit: '' },
          { name: 'lasting', value: seconds(lastingMs), unit: 's' },
        ],
        sentence: {
          zh: `${seatZh(context.layout, caller.seatId)}专家手持电话贴耳并与对方通话 ${spanZh(lastingMs)}`,
          en: `${seatEn(caller.seatId)}: hand at the ear and speech in turns, as on the telephone, for ${spanEn(lastingMs)}`,
        },
      }),
    },
  );
  const joinable = episode?.endedMonoMs !== undefined && at.monoMs - episode.endedMonoMs <= context.pack.cooldownMs;
  if (over && !joinable) return [undefined, drafts];
  return [{ ...caller, episode }, drafts];
}
