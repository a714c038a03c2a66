/** The owner stands at the own seat: head higher than while sitting, and not for a stretch of the arms. */
import { type Body, bodiesOf, joint, looking, SURE_SCORE, worthOf } from './bodies.ts';
import { seatEn, seatZh, spanEn, spanZh } from './sentence.ts';
import { type Evidence, spellRule } from './spell.ts';

/** A box that is wider than this against the habit has arms stretched out. */
const SPREAD = 1.6;
/** The nose is this far below the upper edge of the box, in shoulder widths, and some more for a bowed head. */
const NOSE = 0.6;
/** Who stands up leaves the chair, and the seat looks so different from then on; who passes behind it is high, too. */
const CHANGED_LOOK = 0.35;

export const standing = spellRule({
  behaviour: 'standing',
  agreed: true,
  rule: ({ pack }) => pack.rules.standing,
  figure: 'rise',
  look(scene, { pack }, going) {
    const limit = pack.rules.standing?.rise ?? 0;
    const gone = scene.seats.filter((s) => s.occupancy === 'no').map((s) => s.seatId);
    return looking(scene.cameras).flatMap((camera) => [
      // Who has left stands there no longer.
      ...gone.map(
        (seatId): Evidence => ({
          key: seatId,
          seatIds: [seatId],
          cameraId: camera.cameraId,
          holds: false,
          value: 0,
          worth: worthOf(camera, [seatId]),
        }),
      ),
      ...bodiesOf(camera).flatMap((body): Evidence[] => {
        const { homeId, cameraId } = body;
        if (homeId === undefined || body.seatId !== homeId || gone.includes(homeId)) return [];
        const rise = riseOf(body);
        if (rise === undefined) return [];
        // Whom the detector shows standing for long teaches the usual look how that is: so only for the beginning.
        const look = camera.rests.find((r) => r.seatId === homeId)?.unlikeTaken;
        const left = look === undefined || look >= CHANGED_LOOK || going.includes(homeId);
        return [
          {
            key: homeId,
            seatIds: [homeId],
            cameraId,
            holds: rise >= limit && left,
            value: rise,
            threshold: limit,
            unit: 'shoulders',
            worth: worthOf(camera, [homeId]),
          },
        ];
      }),
    ]);
  },
  sentence: ({ seatIds: [seatId = ''], lastingMs }, limitMs, { layout }) => ({
    zh: `${seatZh(layout, seatId)}专家在席位站立 ${spanZh(lastingMs)}（阈值 ${spanZh(limitMs)}）`,
    en: `${seatEn(seatId)}: expert standing at the seat for ${spanEn(lastingMs)} (threshold ${spanEn(limitMs)})`,
  }),
});

/** How much higher than usual, in shoulder widths; undefined where arms above the head hide it. */
export function riseOf({ track, habit, shoulders }: Body): number | undefined {
  if (!habit) return undefined;
  const nose = joint(track, 0);
  const raised = [9, 10].some((w) => {
    const wrist = joint(track, w);
    return wrist !== undefined && nose !== undefined && wrist[1] < nose[1];
  });
  if (raised || track.box[2] - track.box[0] > SPREAD * habit.width) return undefined;
  // Without a face only a sure box says how high the head is: a weak one may hold what stands behind the chair.
  if (!nose && track.score < SURE_SCORE) return undefined;
  const rise = (habit.top - track.box[1]) / shoulders;
  // A coat stand behind the chair makes the box higher, and leaves the face where it was.
  return nose ? Math.min(rise, (habit.top + NOSE * shoulders - nose[1]) / shoulders) : rise;
}
