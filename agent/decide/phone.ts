/** Row 8, phone: one hand held at the ear, as it is with a telephone in it. */
import type { Point } from '../../protocol/seat.ts';
import { angle, apart, type Body, bodiesOf, joint, looking, worthOf } from './bodies.ts';
import { seatEn, seatZh, spanEn, spanZh } from './sentence.ts';
import { type Evidence, spellRule } from './spell.ts';

/** All in shoulder widths. A hand that holds a telephone at the ear has the wrist its own length below the ear … */
const BELOW_EAR = 0.12;
/** … and clearly above the shoulders, where a hand at the chin or with a cup is not; */
const ABOVE_SHOULDERS = 0.08;
/** beside the face, not before it; */
const BESIDE = 0.3;
const NEAR_EAR = 1.1;
/** the elbow hangs, which it does not when one scratches or folds the hands behind the head; */
const ELBOW = -0.1;
/** the arm is folded, degrees; */
const FOLDED = 75;
/** and the other hand is down. */
const OTHER_DOWN = 0.3;

export const phone = spellRule({
  behaviour: 'phone',
  // A pose is made every two seconds of who sits still.
  windowMs: 6500,
  beginShare: 0.5,
  fineMs: 3000,
  samples: 2,
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
export function phoneArm(body: Body): number | undefined {
  const left = armOf(body, [9, 7, 5, 3]);
  const right = armOf(body, [10, 8, 6, 4]);
  const otherDown = (w: number) => {
    const wrist = joint(body.track, w);
    return wrist === undefined || wrist[1] - body.chest[1] > OTHER_DOWN * body.shoulders;
  };
  if (left !== undefined && otherDown(10)) return left;
  return right !== undefined && otherDown(9) ? right : undefined;
}

function armOf({ track, chest, shoulders }: Body, [w, e, s, r]: readonly [number, number, number, number]) {
  const [wrist, elbow, shoulder, nose] = [joint(track, w), joint(track, e), joint(track, s), joint(track, 0)];
  const ear: Point | undefined = joint(track, r) ?? nose;
  if (!wrist || !elbow || !shoulder || !nose || !ear) return undefined;
  const gap = apart(wrist, ear) / shoulders;
  const held =
    gap <= NEAR_EAR &&
    (wrist[1] - ear[1]) / shoulders >= BELOW_EAR &&
    (chest[1] - wrist[1]) / shoulders >= ABOVE_SHOULDERS &&
    apart([wrist[0], 0], [nose[0], 0]) / shoulders >= BESIDE &&
    (elbow[1] - chest[1]) / shoulders >= ELBOW &&
    angle(shoulder, elbow, wrist) <= FOLDED;
  return held ? gap : undefined;
}
