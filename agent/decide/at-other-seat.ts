/** Row 5, at another's seat: somebody who is not at the own seat stays with somebody who is at theirs. */
import type { RoomLayout } from '../../protocol/room.ts';
import { apart, type Body, bodiesOf, looking, SURE_SCORE, spotIn, standsAt, worthOf } from './bodies.ts';
import type { CameraScene, Scene } from './scene.ts';
import { seatEn, seatZh, spanEn, spanZh } from './sentence.ts';
import { type Evidence, spellRule } from './spell.ts';

/** Who stands in front or behind and only looks near is larger or smaller by more than this. */
const LIKE_SIZE = 2;
/** A head that is lower than the host's by more shoulder widths is no visitor's, but a part of the host below the chin. */
const BELOW = 0.8;
/** Without a known seat only a sure detection is a visitor, and one that appeared about when somebody left. */
const BEFORE_LEAVING_MS = 3000;
/** Who is with somebody has gone only at this many times the distance. */
const LEAVES = 1.25;
/** Whom they were with they are still with, unless another is nearer by this. */
const STAYS = 0.7;
/** With feet in sight, further from the seat than this is not at it. */
const AT_SEAT_M = 1.3;

export const atOtherSeat = spellRule({
  behaviour: 'at_other_seat',
  // A visitor is hidden now and then by who sits there.
  windowMs: 3000,
  beginShare: 0.5,
  rule: ({ pack }) => pack.rules.at_other_seat,
  figure: 'headGap',
  look(scene, { pack, layout }, going) {
    const rule = pack.rules.at_other_seat!;
    const limitOf = (from: string, seatId: string) =>
      rule.shoulderWidths * (going.includes(`${from}>${seatId}`) ? LEAVES : 1);
    const away = scene.seats.filter((s) => s.occupancy !== 'yes');
    return looking(scene.cameras).flatMap((camera) => {
      const bodies = bodiesOf(camera);
      // Who is seen at the own seat by any camera visits nobody, whatever another camera takes them for.
      const visitors = bodies.filter(
        (b) => b.seatId === undefined || (b.seatId !== b.homeId && away.some((s) => s.seatId === b.homeId)),
      );
      return camera.spots.flatMap(({ seatId }): Evidence[] => {
        if (!isTaken(scene, seatId)) return [];
        const near = visitors.flatMap((visitor) => {
          // Whom they stand between, they stand with the nearer one.
          const nearest = nearestHost(scene, visitor, bodies, camera, going);
          const from = visitor.homeId ?? absent(scene, seatId, visitor, bodies);
          const gap = from === seatId ? undefined : gapTo(visitor, seatId, bodies, camera);
          if (from === undefined || gap === undefined || !away.some((s) => s.seatId === from)) return [];
          return [
            {
              from,
              gap,
              holds: nearest === seatId && gap <= limitOf(from, seatId) && isBeside(visitor, seatId, layout),
            },
          ];
        });
        // A view that shows who sits there and nobody beside them says so, of everybody who is away.
        const alone = bodies.some((b) => b.seatId === seatId)
          ? away.map(({ seatId: from }) => ({ from, gap: Number.POSITIVE_INFINITY, holds: false }))
          : [];
        return [...near, ...alone.filter((a) => !near.some((n) => n.from === a.from))].map(({ from, gap, holds }) => ({
          key: `${from}>${seatId}`,
          seatIds: [from, seatId],
          cameraId: camera.cameraId,
          holds,
          value: Number.isFinite(gap) ? gap : 0,
          threshold: rule.shoulderWidths,
          unit: 'shoulders',
          worth: worthOf(camera, [seatId]),
        }));
      });
    });
  },
  sentence: ({ seatIds: [a = '', b = ''], lastingMs }, limitMs, { layout }) => ({
    zh: `${seatZh(layout, a)}专家停留在${seatZh(layout, b)}旁 ${spanZh(lastingMs)}（阈值 ${spanZh(limitMs)}）`,
    en: `${seatEn(a)}: expert at ${seatEn(b).toLowerCase()} for ${spanEn(lastingMs)} (threshold ${spanEn(limitMs)})`,
  }),
});

const isTaken = (scene: Scene, seatId: string) => scene.seats.some((s) => s.seatId === seatId && s.occupancy === 'yes');

/** Somebody without a known seat is taken for the owner who left last; with nobody away it is a stranger, and another rule's. */
function absent(scene: Scene, notId: string, { track }: Body, bodies: readonly Body[]): string | undefined {
  if (track.peak < SURE_SCORE) return undefined;
  const away = scene.seats.filter(
    (s) =>
      s.occupancy === 'no' &&
      s.seatId !== notId &&
      // Whom this very picture shows elsewhere is not here.
      !bodies.some((b) => b.homeId === s.seatId) &&
      s.leftMonoMs !== undefined &&
      track.bornMonoMs >= s.leftMonoMs - BEFORE_LEAVING_MS,
  );
  return away.sort((a, b) => (b.leftMonoMs ?? 0) - (a.leftMonoMs ?? 0))[0]?.seatId;
}

/** Between heads, in shoulder widths of who sits there; their usual place stands for them while they are hidden. */
function gapTo(visitor: Body, seatId: string, bodies: readonly Body[], camera: CameraScene): number | undefined {
  const habit = camera.owners.find((o) => o.seatId === seatId)?.habit;
  const host = bodies.find((b) => b.seatId === seatId && b !== visitor);
  if (!habit || !spotIn(camera, seatId)) return undefined;
  const width = visitor.track.box[2] - visitor.track.box[0];
  const top = host?.track.box[1] ?? habit.top;
  if (visitor.track.box[1] - top > BELOW * ((habit.width * 16) / 9 / 2)) return Number.POSITIVE_INFINITY;
  if (width > LIKE_SIZE * habit.width || width < habit.width / LIKE_SIZE) return Number.POSITIVE_INFINITY;
  const shoulders = host?.shoulders ?? (habit.width * 16) / 9 / 2;
  return apart(visitor.chest, host?.chest ?? habit.body) / shoulders;
}

function nearestHost(
  scene: Scene,
  visitor: Body,
  bodies: readonly Body[],
  camera: CameraScene,
  going: readonly string[],
): string | undefined {
  const stays = (seatId: string) => going.some((key) => key.endsWith(`>${seatId}`));
  const gaps = camera.spots
    .filter(({ seatId }) => seatId !== visitor.homeId && isTaken(scene, seatId))
    .map(({ seatId }) => ({
      seatId,
      gap: (gapTo(visitor, seatId, bodies, camera) ?? Number.POSITIVE_INFINITY) - (stays(seatId) ? STAYS : 0),
    }));
  return gaps.sort((a, b) => a.gap - b.gap)[0]?.seatId;
}

function isBeside(visitor: Body, seatId: string, layout: RoomLayout): boolean {
  const stands = standsAt(visitor, layout);
  const seat = layout.seats.find((s) => s.seatId === seatId)?.floor;
  if (!stands || stands.guessed || !seat) return true;
  return Math.hypot(stands.floor[0] - seat[0], stands.floor[1] - seat[1]) <= AT_SEAT_M;
}
