/** Row 7, gathering: several people close together, most of them away from their seats. */
import type { RoomLayout } from '../../protocol/room.ts';
import { apart, type Body, bodiesOf, looking, standsAt } from './bodies.ts';
import { seatEn, seatZh, spanEn, spanZh } from './sentence.ts';
import { type Evidence, spellRule } from './spell.ts';

/** People whose box widths differ more than this stand at different depths of the room. */
const LIKE_SIZE = 1.6;

export const gathering = spellRule({
  behaviour: 'gathering',
  windowMs: 4000,
  rule: ({ pack }) => pack.rules.gathering,
  figure: 'group',
  look(scene, { pack, layout }) {
    const rule = pack.rules.gathering!;
    return looking(scene.cameras).flatMap((camera): Evidence[] => {
      const bodies = bodiesOf(camera);
      const groups = bodies.map((a) => bodies.filter((b) => isNear(a, b, rule, layout)));
      // Neighbours on their chairs are no gathering: all but one must have come.
      const came = (g: readonly Body[]) => g.filter((b) => b.seatId === undefined).length;
      const best = groups.filter((g) => came(g) >= g.length - 1).sort((a, b) => b.length - a.length)[0] ?? [];
      const seatIds = best.flatMap((b) => (b.homeId === undefined ? [] : [b.homeId])).sort();
      return [
        {
          key: 'room',
          seatIds,
          cameraId: camera.cameraId,
          holds: best.length >= rule.people,
          value: best.length,
          threshold: rule.people,
          worth: bodies.length,
        },
      ];
    });
  },
  sentence: ({ seatIds, value, lastingMs }, limitMs, { layout }) => ({
    zh: `${value} 人聚集${seatIds.length ? `（${seatIds.map((s) => seatZh(layout, s)).join('、')}）` : ''} ${spanZh(lastingMs)}（阈值 ${spanZh(limitMs)}）`,
    en: `${value} people close together${seatIds.length ? ` (${seatIds.map(seatEn).join(', ')})` : ''} for ${spanEn(lastingMs)} (threshold ${spanEn(limitMs)})`,
  }),
});

function isNear(
  a: Body,
  b: Body,
  { distanceM, shoulderWidths }: { readonly distanceM: number; readonly shoulderWidths: number },
  layout: RoomLayout,
): boolean {
  if (a === b) return true;
  const [p, q] = [standsAt(a, layout), standsAt(b, layout)];
  if (p && q && !p.guessed && !q.guessed)
    return Math.hypot(p.floor[0] - q.floor[0], p.floor[1] - q.floor[1]) <= distanceM;
  const size = a.shoulders / b.shoulders;
  if (size > LIKE_SIZE || size < 1 / LIKE_SIZE) return false;
  return apart(a.chest, b.chest) <= (shoulderWidths * (a.shoulders + b.shoulders)) / 2;
}
