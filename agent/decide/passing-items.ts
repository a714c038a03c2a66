/** Row 9, passing items: wrists of two people meet with both arms stretched out. Low in precision, so a notice at most by default. */
import { angle, apart, type Body, bodiesOf, isInReach, joint, looking, worthOf } from './bodies.ts';
import { seatEn, seatZh, spanEn, spanZh } from './sentence.ts';
import { type Evidence, spellRule } from './spell.ts';

/** An arm is stretched when the elbow is open by this many degrees … */
const OPEN = 120;
/** … and the wrist is this far from its own shoulder, in shoulder widths. */
const REACH = 0.8;

export const passingItems = spellRule({
  behaviour: 'passing_items',
  windowMs: 2000,
  beginShare: 0.5,
  vetoed: true,
  rule: ({ pack }) => pack.rules.passing_items,
  figure: 'wristGap',
  look(scene, { pack, layout }) {
    const limit = pack.rules.passing_items?.shoulderWidths ?? 0;
    return looking(scene.cameras).flatMap((camera) => {
      const owners = bodiesOf(camera).filter(
        // Who stands with another is that rule's; here both sit, and reach.
        (b) => b.homeId !== undefined && b.seatId === b.homeId && b.track.pose,
      );
      return owners.flatMap((a, i) =>
        owners.slice(i + 1).flatMap((b): Evidence[] => {
          // Both arms in one frame: a pose that was moved along may show an arm that is no longer there.
          if ((!a.posed && !b.posed) || !isInReach(a, b, layout)) return [];
          const gap = meet(a, b);
          const seatIds = [a.homeId!, b.homeId!].sort();
          return [
            {
              key: seatIds.join('+'),
              seatIds,
              cameraId: camera.cameraId,
              holds: gap <= limit,
              value: Number.isFinite(gap) ? gap : 0,
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
    zh: `${seatZh(layout, a)}与${seatZh(layout, b)}疑似传递物品 ${spanZh(lastingMs)}（阈值 ${spanZh(limitMs)}）`,
    en: `${seatEn(a)} and ${seatEn(b).toLowerCase()}: hands meet as in passing something for ${spanEn(lastingMs)} (threshold ${spanEn(limitMs)})`,
  }),
});

/** Smallest distance of two stretched wrists in shoulder widths; infinite without a stretched arm on both sides. */
function meet(a: Body, b: Body): number {
  const mean = (a.shoulders + b.shoulders) / 2;
  let least = Number.POSITIVE_INFINITY;
  for (const p of stretched(a)) for (const q of stretched(b)) least = Math.min(least, apart(p, q) / mean);
  return least;
}

function stretched({ track, shoulders }: Body) {
  return [
    [9, 7, 5],
    [10, 8, 6],
  ].flatMap(([w = 0, e = 0, s = 0]) => {
    const [wrist, elbow, shoulder] = [joint(track, w), joint(track, e), joint(track, s)];
    if (!wrist || !elbow || !shoulder) return [];
    return angle(shoulder, elbow, wrist) >= OPEN && apart(wrist, shoulder) >= REACH * shoulders ? [wrist] : [];
  });
}
