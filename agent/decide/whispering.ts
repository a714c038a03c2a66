/** Row 6, whispering: two people at their seats have put their heads together. */
import type { Point } from '../../protocol/seat.ts';
import { apart, type Body, bodiesOf, faintBody, isInReach, joint, looking, spotIn, worthOf } from './bodies.ts';
import { covers, type Spot } from './place.ts';
import type { RuleContext } from './rule.ts';
import type { CameraScene, Scene } from './scene.ts';
import { seatEn, seatZh, spanEn, spanZh } from './sentence.ts';
import { type Evidence, spellRule } from './spell.ts';

/** Heads are this wide, in shoulder widths: the gap is between them, not between their middles. */
const HEAD = 0.4;
/** Seats may be near in the picture without anybody leaning: the gap must have become smaller by so much, in shoulder widths. */
const NEARER = 0.5;
/** Gap of heads that are put together, for a pack that does not watch for it. */
const NEAR = 1.5;
/** Of people who are hardly detected, or whose faces no pose shows, both must lean, by so many shoulder widths … */
const LEANS = 0.3;
/** … and one of the seats must look otherwise than usual: a box that trembles leans, too. */
const CHANGED_LOOK = 0.25;
/** Who leans so far has the head out of the own place; the head that it is put to may be hidden by it, for longer than a blink. */
const LEANS_OVER = 0.8;
const HIDDEN_MS = 2000;
/** Two who put their heads together are lost within so long, and nobody's box covers so much of their seats. */
const SAME_MS = 3000;
const BEFORE_IT = 0.2;

/** With a track, or seen too weakly for one. */
type Sitter = Omit<Body, 'track'> & Partial<Pick<Body, 'track'>>;

export const whispering = spellRule({
  behaviour: 'whispering',
  // Who whispers draws back now and then, and a nose is not seen in every frame.
  windowMs: 4000,
  beginShare: 0.5,
  fineMs: 4000,
  vetoed: true,
  rule: ({ pack }) => pack.rules.whispering,
  repeats: ({ pack: { rules } }) =>
    rules.whispering?.repeats == null
      ? undefined
      : { count: rules.whispering.repeats, withinMs: rules.whispering.repeatMs },
  figure: 'headGap',
  look: together,
  sentence: ({ seatIds: [a = '', b = ''], lastingMs }, limitMs, { layout }) => ({
    zh: `${seatZh(layout, a)}与${seatZh(layout, b)}交头接耳 ${spanZh(lastingMs)}（阈值 ${spanZh(limitMs)}）`,
    en: `${seatEn(a)} and ${seatEn(b).toLowerCase()}: heads together for ${spanEn(lastingMs)} (threshold ${spanEn(limitMs)})`,
  }),
});

/** What each camera's frame says of every two who could put their heads together; `going`: of whom it holds already. */
export function together(
  scene: Scene,
  { pack, layout }: Pick<RuleContext, 'pack' | 'layout'>,
  going: readonly string[] = [],
): readonly Evidence[] {
  const limit = pack.rules.whispering?.shoulderWidths ?? NEAR;
  const persons = scene.input.kind === 'frame' ? scene.input.persons : [];
  const gone = scene.seats.filter((s) => s.occupancy === 'no').map((s) => s.seatId);
  return looking(scene.cameras).flatMap((camera) => {
    const seen = bodiesOf(camera).filter(
      // Who has left, by what all cameras know, is not whom this one shows there.
      (b) => b.homeId !== undefined && b.seatId === b.homeId && b.home && !gone.includes(b.homeId),
    );
    const missed = scene.seats.filter((s) => s.occupancy === 'yes' && !seen.some((b) => b.homeId === s.seatId));
    const faint = missed.flatMap(({ seatId }) => faintBody(camera, seatId, persons, seen) ?? []);
    const sitting: readonly Sitter[] = [...seen, ...faint];
    const changed = camera.rests.filter((r) => r.unlikeTaken >= CHANGED_LOOK).map((r) => r.seatId);
    const hidden = missed.flatMap(({ seatId }) => hiddenBy(camera, seatId, sitting, { scene, layout, changed, going }));
    const both = sitting.flatMap((a, i) =>
      sitting.slice(i + 1).flatMap((b): Evidence[] => {
        if (!isInReach(a, b, layout)) return [];
        const seatIds = [a.homeId!, b.homeId!].sort();
        const gap = gapOf(a, b);
        const sure = a.faced && b.faced;
        const moved = going.includes(seatIds.join('+')) || seatIds.some((id) => changed.includes(id));
        const nearer = usualGap(a, b) - gap >= NEARER && (sure || (moved && leansTo(a, b) && leansTo(b, a)));
        const holds = gap < limit && (nearer || (faces(a, b) && faces(b, a)));
        return [
          {
            key: seatIds.join('+'),
            seatIds,
            cameraId: camera.cameraId,
            holds,
            value: gap,
            threshold: limit,
            unit: 'shoulders',
            worth: worthOf(camera, seatIds),
          },
        ];
      }),
    );
    return [...both, ...hidden, ...goneTogether(camera, missed, { scene, layout, changed, going })];
  });
}

interface Leaning {
  readonly scene: Scene;
  readonly layout: RuleContext['layout'];
  /** Seats that look otherwise than usual. */
  readonly changed: readonly string[];
  readonly going: readonly string[];
}

/**
 * Of two heads that are put together a detector may find one alone, or neither: somebody who leans far over to a seat
 * whose person is missed, when neither seat has its usual look any more.
 */
function hiddenBy(
  camera: CameraScene,
  seatId: string,
  sitting: readonly Sitter[],
  { scene, layout, changed, going }: Leaning,
): readonly Evidence[] {
  const rest = camera.rests.find((r) => r.seatId === seatId);
  const habit = camera.owners.find((o) => o.seatId === seatId)?.habit;
  const home = spotIn(camera, seatId);
  if (!rest || !habit || !home || !changed.includes(seatId) || sitting.some((s) => s.homeId === seatId)) return [];
  // Whom any camera sees is not hidden.
  const seenMs = scene.cameras.flatMap((c) =>
    c.rests.flatMap((r) => (r.seatId === seatId ? (r.hereMonoMs ?? []) : [])),
  );
  if (seenMs.some((ms) => scene.at.monoMs - ms < HIDDEN_MS)) return [];
  const leans = (a: Sitter) =>
    leanOf(a, habit.middle) >= LEANS_OVER &&
    (changed.includes(a.homeId!) || going.includes([a.homeId!, seatId].sort().join('+')));
  return sitting
    .filter((a) => isInReach(a, { homeId: seatId, home }, layout) && leans(a))
    .map((a): Evidence => {
      const seatIds = [a.homeId!, seatId].sort();
      return {
        key: seatIds.join('+'),
        seatIds,
        cameraId: camera.cameraId,
        holds: true,
        sinceMonoMs: rest.sinceMonoMs,
        worth: worthOf(camera, seatIds),
      };
    });
}

/**
 * Or neither: two who vanish from every camera's sight in the same moment, each at a seat that is taken, looks
 * otherwise since, and is not hidden by anybody who stands before it.
 */
function goneTogether(
  camera: CameraScene,
  missed: readonly { readonly seatId: string }[],
  { scene, layout, changed }: Leaning,
): readonly Evidence[] {
  const now = camera.sight.frame?.monoMs;
  const gone = missed.flatMap(({ seatId }) => {
    const home = spotIn(camera, seatId);
    const stillMs = camera.rests.find((r) => r.seatId === seatId)?.sinceMonoMs ?? 0;
    const seenMs = Math.max(...scene.cameras.map((c) => c.rests.find((r) => r.seatId === seatId)?.hereMonoMs ?? 0));
    const isHidden = camera.tracks.some((t) => t.seenMonoMs === now && home && covers(t.box, home.zone) > BEFORE_IT);
    if (!home || seenMs === 0 || isHidden || !changed.includes(seatId)) return [];
    return scene.at.monoMs - seenMs < HIDDEN_MS ? [] : [{ homeId: seatId, home, seenMs, stillMs }];
  });
  return gone.flatMap((a, i) =>
    gone
      .slice(i + 1)
      // Both in the same moment: a sleeper lies still since before the neighbour went out of sight.
      .filter((b) => Math.max(Math.abs(a.seenMs - b.seenMs), Math.abs(a.stillMs - b.stillMs)) <= SAME_MS)
      .filter((b) => isInReach(a, b, layout))
      .map((b): Evidence => {
        const seatIds = [a.homeId, b.homeId].sort();
        return {
          ...{ key: seatIds.join('+'), seatIds, cameraId: camera.cameraId, holds: true },
          ...{ sinceMonoMs: Math.min(a.seenMs, b.seenMs), worth: worthOf(camera, seatIds) },
        };
      }),
  );
}

function gapOf(a: Sitter, b: Sitter): number {
  const mean = (a.shoulders + b.shoulders) / 2;
  return Math.max(0, apart(a.head, b.head) / mean - HEAD);
}

/** As the seats are drawn: who whispers for long must not become the habit. */
function usualGap(a: Sitter, b: Sitter): number {
  const mean = (a.shoulders + b.shoulders) / 2;
  return Math.max(0, apart(middle(a.home!), middle(b.home!)) / mean - HEAD);
}

const middle = ({ zone: [x0, y0, x1, y1] }: Spot): Point => [(x0 + x1) / 2, (y0 + y1) / 2];

/** Away from the own place towards the other one. */
const leansTo = (a: Sitter, b: Sitter) => leanOf(a, b.head[0]) >= LEANS;

/** How far the head is from its own place towards there, in shoulder widths. */
function leanOf({ head, habit, shoulders }: Sitter, towards: number): number {
  if (!habit) return 0;
  const lean = ((head[0] - habit.middle) * 16) / 9 / shoulders;
  return Math.sign(lean) === Math.sign(towards - head[0]) ? Math.abs(lean) : 0;
}

/** The nose is on the other's side of the middle of the ears. */
function faces(a: Sitter, b: Sitter): boolean {
  if (!a.track || !a.faced) return false;
  const [nose, left, right] = [joint(a.track, 0), joint(a.track, 3), joint(a.track, 4)];
  if (!nose || !left || !right) return false;
  const turned = nose[0] - (left[0] + right[0]) / 2;
  const wide = Math.abs(left[0] - right[0]);
  return Math.abs(turned) > 0.3 * wide && Math.sign(turned) === Math.sign(b.head[0] - a.head[0]);
}
