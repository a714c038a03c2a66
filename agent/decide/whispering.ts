/** Row 6, whispering: two people at their seats have put their heads together. */
import type { Point } from '../../protocol/seat.ts';
import { apart, type Body, bodiesOf, isInReach, joint, looking, worthOf } from './bodies.ts';
import type { Spot } from './place.ts';
import { seatEn, seatZh, spanEn, spanZh } from './sentence.ts';
import { type Evidence, spellRule } from './spell.ts';

/** Heads are this wide, in shoulder widths: the gap is between them, not between their middles. */
const HEAD = 0.4;
/** Seats may be near in the picture without anybody leaning: the gap must have become smaller by so much, in shoulder widths. */
const NEARER = 0.5;

export const whispering = spellRule({
  behaviour: 'whispering',
  // Who whispers draws back now and then, and a nose is not seen in every frame.
  windowMs: 4000,
  beginShare: 0.5,
  fineMs: 4000,
  rule: ({ pack }) => pack.rules.whispering,
  repeats: ({ pack: { rules } }) =>
    rules.whispering?.repeats == null
      ? undefined
      : { count: rules.whispering.repeats, withinMs: rules.whispering.repeatMs },
  figure: 'headGap',
  look(scene, { pack, layout }) {
    const limit = pack.rules.whispering?.shoulderWidths ?? 0;
    return looking(scene.cameras).flatMap((camera) => {
      const sitting = bodiesOf(camera).filter((b) => b.homeId !== undefined && b.seatId === b.homeId && b.home);
      return sitting.flatMap((a, i) =>
        sitting.slice(i + 1).flatMap((b): Evidence[] => {
          if (!isInReach(a, b, layout)) return [];
          const seatIds = [a.homeId!, b.homeId!].sort();
          const gap = gapOf(a, b);
          const holds = gap < limit && (usualGap(a, b) - gap >= NEARER || (faces(a, b) && faces(b, a)));
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
    });
  },
  sentence: ({ seatIds: [a = '', b = ''], lastingMs }, limitMs, { layout }) => ({
    zh: `${seatZh(layout, a)}与${seatZh(layout, b)}交头接耳 ${spanZh(lastingMs)}（阈值 ${spanZh(limitMs)}）`,
    en: `${seatEn(a)} and ${seatEn(b).toLowerCase()}: heads together for ${spanEn(lastingMs)} (threshold ${spanEn(limitMs)})`,
  }),
});

function gapOf(a: Body, b: Body): number {
  const mean = (a.shoulders + b.shoulders) / 2;
  return Math.max(0, apart(a.head, b.head) / mean - HEAD);
}

/** As the seats are drawn: who whispers for long must not become the habit. */
function usualGap(a: Body, b: Body): number {
  const mean = (a.shoulders + b.shoulders) / 2;
  return Math.max(0, apart(middle(a.home!), middle(b.home!)) / mean - HEAD);
}

const middle = ({ zone: [x0, y0, x1, y1] }: Spot): Point => [(x0 + x1) / 2, (y0 + y1) / 2];

/** The nose is on the other's side of the middle of the ears. */
function faces(a: Body, b: Body): boolean {
  const [nose, left, right] = [joint(a.track, 0), joint(a.track, 3), joint(a.track, 4)];
  if (!nose || !left || !right) return false;
  const turned = nose[0] - (left[0] + right[0]) / 2;
  const wide = Math.abs(left[0] - right[0]);
  return Math.abs(turned) > 0.3 * wide && Math.sign(turned) === Math.sign(b.head[0] - a.head[0]);
}
