/** Row 10, sleeping: a taken seat where nothing moves and no head is up. Does not depend on the detector: who lies on the desk is hardly ever detected. */
import { type Person, upperBody } from '../../protocol/observation.ts';
import { contains } from '../../protocol/seat.ts';
import { bodiesOf, joint, looking, spotIn, worthOf } from './bodies.ts';
import type { CameraScene } from './scene.ts';
import { seatEn, seatZh, spanEn, spanZh } from './sentence.ts';
import { type Evidence, spellRule } from './spell.ts';
import { together } from './whispering.ts';

/** Nothing moved for this long before it means anything. */
const STILL_MS = 4000;
/** The seat looks so different from the seat with its person upright; who bows over papers for long looks as ever. */
const CHANGED_LOOK = 0.25;
/** So different that nothing upright is there at all: then it need not have been seen to sink. */
const OTHER_LOOK = 0.5;
/** A head lower than usual by this, in shoulder widths, is at the line of the shoulders or below; who leans over is not so low. */
const LOW = 0.8;
/** Width of the shoulders in picture heights for a box of width one: half of it, in a picture of 16:9. */
const SHOULDERS_PER_WIDTH = 16 / 18;
/** Who goes to sleep was seen sinking before they were lost, box widths; who leans aside was not. */
const SINKING = 0.1;
/** Nobody detected for this long is missed, not blinked at. */
const MISSED_MS = 2000;

export const sleeping = spellRule({
  behaviour: 'sleeping',
  // Now and then a weak detection shows that a head is up after all: then the window is not full of lowered ones.
  windowMs: 8000,
  beginShare: 0.8,
  endShare: 0.5,
  rule: ({ pack }) => pack.rules.sleeping,
  figure: 'still',
  look(scene, context, going) {
    // Heads that are put together are low too, and hold as still.
    const awake = together(scene, context).flatMap(({ holds, cameraId, seatIds }) =>
      holds ? seatIds.map((seatId) => `${cameraId} ${seatId}`) : [],
    );
    const taken = scene.seats.filter((s) => s.occupancy === 'yes').map((s) => s.seatId);
    const now = scene.at.monoMs;
    const persons = scene.input.kind === 'frame' ? scene.input.persons : [];
    return looking(scene.cameras).flatMap((camera) =>
      camera.rests
        .filter(({ seatId }) => taken.includes(seatId))
        .map(({ seatId, sinceMonoMs, unlikeTaken, hereMonoMs, sunk }): Evidence => {
          const head = headOf(camera, seatId, persons);
          const missed = hereMonoMs === undefined || now - hereMonoMs >= MISSED_MS;
          const sank = sunk >= SINKING ? unlikeTaken >= CHANGED_LOOK : unlikeTaken >= OTHER_LOOK;
          // Whom the detector shows lying there teaches the usual look how a sleeper looks: so only for the beginning.
          const lies = head === 'low' && (unlikeTaken >= CHANGED_LOOK || going.includes(seatId));
          const low = lies || (head === 'unseen' && missed && sank);
          return {
            key: seatId,
            seatIds: [seatId],
            cameraId: camera.cameraId,
            holds: low && !awake.includes(`${camera.cameraId} ${seatId}`) && now - sinceMonoMs >= STILL_MS,
            value: Math.round((now - sinceMonoMs) / 1000),
            unit: 's',
            sinceMonoMs,
            worth: worthOf(camera, [seatId]),
          };
        }),
    );
  },
  sentence: ({ seatIds: [seatId = ''], lastingMs }, limitMs, { layout }) => ({
    zh: `${seatZh(layout, seatId)}专家伏案不动 ${spanZh(lastingMs)}（阈值 ${spanZh(limitMs)}）`,
    en: `${seatEn(seatId)}: head down and motionless for ${spanEn(lastingMs)} (threshold ${spanEn(limitMs)})`,
  }),
});

function headOf(camera: CameraScene, seatId: string, persons: readonly Person[]): 'low' | 'up' | 'unseen' {
  const body = bodiesOf(camera).find((b) => b.seatId === seatId);
  if (!body) {
    // Too weak for a track, and yet a head where the owner has it while sitting.
    const habit = camera.owners.find((o) => o.seatId === seatId)?.habit;
    const zone = spotIn(camera, seatId)?.view.zone;
    const upright = (p: Person) =>
      zone !== undefined &&
      contains(zone, upperBody(p)) &&
      (habit === undefined || p.box[1] - habit.top < LOW * habit.width * SHOULDERS_PER_WIDTH);
    return persons.some(upright) ? 'up' : 'unseen';
  }
  const nose = joint(body.track, 0);
  if (nose && body.track.pose && nose[1] >= body.chest[1] - 0.1 * body.shoulders) return 'low';
  return body.habit && (body.track.box[1] - body.habit.top) / body.shoulders >= LOW ? 'low' : 'up';
}
