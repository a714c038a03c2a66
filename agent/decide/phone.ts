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
/** beside the face, not before it, and more beside the ear than below it, where a hand at the chin or the mouth is; */
const BESIDE = 0.4;
const BELOW_OF_BESIDE = 0.75;
const NEAR_EAR = 1.15;
/** the elbow hangs, which it does not when one scratches or folds the hands behind the head; */
const ELBOW = -0.15;
/**
 * but not by a whole upper arm, as it does when it rests on the desk and the chin on the hand: an elbow so low under the
 * shoulders, the wrist's height above them taken off, leaves the hand at the chin;
 */
const ELBOW_RESTS = 0.5;
/** the arm is folded, degrees, and its wrist is not put onto its elbow, as poses that see neither do; */
const FOLDED = 80;
const FOREARM = 0.12;
/** The wrist is about as likely seen as not, in the model's own opinion: one that is guessed is drawn to the face. */
const SEEN = 0.4;
/** and the other hand is down. */
const OTHER_DOWN = 0.5;
/** Shoulders as they are seen from the front: from behind and from the side the model guesses where the hand is. */
const FRONT = 0.35;
/** Nose above the shoulders of somebody upright: who turns sideways has narrow shoulders in the picture. */
const NECK = 0.8;

export const phone = spellRule({
  behaviour: 'phone',
  // A pose is made every second or two of who has a hand up. Of hands that a monitor hides the model guesses where they
  // are, and now and then it guesses such an arm: a telephone is there in most poses, and in more than a few.
  windowMs: 8000,
  beginShare: 0.6,
  fineMs: 3000,
  endShare: 0,
  samples: 4,
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
  if (((left[0] - right[0]) * 16) / 9 < FRONT * shoulders) return undefined;
  const otherDown = (w: number) => {
    const wrist = joint(track, w);
    return wrist === undefined || wrist[1] - chest[1] > OTHER_DOWN * shoulders;
  };
  const held = ([w, e, s, r]: readonly [number, number, number, number]): number | undefined => {
    const [wrist, elbow, shoulder, ear] = [joint(track, w), joint(track, e), joint(track, s), joint(track, r) ?? nose];
    if (!wrist || !elbow || !shoulder || track.pose![w]![2] < SEEN) return undefined;
    const gap = apart(wrist, ear) / shoulders;
    const below = (wrist[1] - ear[1]) / shoulders;
    const beside = apart([wrist[0], 0], [nose[0], 0]) / shoulders;
    const lift = (chest[1] - wrist[1]) / shoulders;
    const drop = (elbow[1] - chest[1]) / shoulders;
    const holds =
      gap <= NEAR_EAR &&
      below >= BELOW_EAR &&
      lift >= ABOVE_SHOULDERS &&
      beside >= BESIDE &&
      below <= BELOW_OF_BESIDE * beside &&
      drop >= ELBOW &&
      drop - lift <= ELBOW_RESTS &&
      apart(wrist, elbow) >= FOREARM * shoulders &&
      angle(shoulder, elbow, wrist) <= FOLDED;
    return holds ? gap : undefined;
  };
  const [one, other] = [held([9, 7, 5, 3]), held([10, 8, 6, 4])];
  if (one !== undefined && otherDown(10)) return one;
  return other !== undefined && otherDown(9) ? other : undefined;
}
