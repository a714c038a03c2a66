/** Row 8, phone: one hand held at the ear, as it is with a telephone in it. */
import type { Point } from '../../protocol/seat.ts';
import { angle, apart, type Body, bodiesOf, joint, looking, worthOf } from './bodies.ts';
import { seatEn, seatZh, spanEn, spanZh } from './sentence.ts';
import { type Evidence, spellRule } from './spell.ts';

/**
 * All in shoulder widths, and with slack: a small person's wrist jumps by a tenth of the shoulders from pose to pose. A
 * hand that holds a telephone at the ear has the wrist its own length below the ear …
 */
const BELOW_EAR = 0.12;
/** … and hardly below the shoulders, where a hand at the chin or with a cup is not; */
const ABOVE_SHOULDERS = -0.05;
/** beside the face, not before it; */
const BESIDE = 0.4;
const NEAR_EAR = 1.15;
/** the elbow hangs, which it does not when one scratches or folds the hands behind the head; */
const ELBOW = -0.15;
/** the arm is folded, degrees; */
const FOLDED = 80;
/** and the other hand is down. */
const OTHER_DOWN = 0.5;
/** Nose above the shoulders of somebody upright: who turns sideways has narrow shoulders in the picture. */
const NECK = 0.8;

export const phone = spellRule({
  behaviour: 'phone',
  // A pose is made every second or two of who has a hand up.
  windowMs: 6500,
  beginShare: 0.5,
  fineMs: 3000,
  samples: 3,
  rule: ({ pack }) => pack.rules.phone,
  figure: 'wristToEar',
  look(scene) {
    return looking(scene.cameras).flatMap((camera) =>
      bodiesOf(camera).flatMap((body): Evidence[] => {
        const seatId = body.homeId ?? body.seatId;
        // A pose that was only moved along says nothing new.
        if (seatId === undefined || !body.posed) return [];
        const gap = phoneArm(body);
        return [
          {
            key: seatId,
            seatIds: [seatId],
            cameraId: body.cameraId,
            holds: gap !== undefined,
            value: gap ?? 0,
            threshold: NEAR_EAR,
            unit: 'shoulders',
            worth: worthOf(camera, [seatId]),
          },
        ];
      }),
    );
  },
  sentence: ({ seatIds: [seatId = ''], lastingMs }, limitMs, { layout }) => ({
    zh: `${seatZh(layout, seatId)}专家手持电话贴耳 ${spanZh(lastingMs)}（阈值 ${spanZh(limitMs)}）`,
    en: `${seatEn(seatId)}: hand at the ear as with a telephone for ${spanEn(lastingMs)} (threshold ${spanEn(limitMs)})`,
  }),
});

/** Distance wrist to ear in shoulder widths where one arm is held as with a telephone; undefined where none is. */
export function phoneArm({ track }: Pick<Body, 'track'>): number | undefined {
  const [nose, left, right] = [joint(track, 0), joint(track, 5), joint(track, 6)];
  if (!nose || !left || !right) return undefined;
  const chest: Point = [(left[0] + right[0]) / 2, (left[1] + right[1]) / 2];
  // The pose's own measure: boxes grow with arms and at the border of the picture.
  const shoulders = Math.max(apart(left, right), apart(nose, chest) / NECK);
  const otherDown = (w: number) => {
    const wrist = joint(track, w);
    return wrist === undefined || wrist[1] - chest[1] > OTHER_DOWN * shoulders;
  };
  const held = ([w, e, s, r]: readonly [number, number, number, number]): number | undefined => {
    const [wrist, elbow, shoulder, ear] = [joint(track, w), joint(track, e), joint(track, s), joint(track, r) ?? nose];
    if (!wrist || !elbow || !shoulder) return undefined;
    const gap = apart(wrist, ear) / shoulders;
    const holds =
      gap <= NEAR_EAR &&
      (wrist[1] - ear[1]) / shoulders >= BELOW_EAR &&
      (chest[1] - wrist[1]) / shoulders >= ABOVE_SHOULDERS &&
      apart([wrist[0], 0], [nose[0], 0]) / shoulders >= BESIDE &&
      (elbow[1] - chest[1]) / shoulders >= ELBOW &&
      angle(shoulder, elbow, wrist) <= FOLDED;
    return holds ? gap : undefined;
  };
  const [one, other] = [held([9, 7, 5, 3]), held([10, 8, 6, 4])];
  if (one !== undefined && otherDown(10)) return one;
  return other !== undefined && otherDown(9) ? other : undefined;
}
