import { describe, expect, it } from 'vitest';
import { tilesFor } from '../../../agent/tiles.ts';
import type { Polygon } from '../../../protocol/seat.ts';

const zone = (x: number, width: number): Polygon => [
  [x, 0.4],
  [x + width, 0.4],
  [x + width, 0.6],
  [x, 0.6],
];

describe('a picture that is looked at in parts as well', () => {
  it('is one in which half of the seats or more are small', () => {
    expect(tilesFor([zone(0.1, 0.08), zone(0.4, 0.08), zone(0.7, 0.12)])).toHaveLength(2);
    expect(tilesFor([zone(0.1, 0.08), zone(0.4, 0.12), zone(0.7, 0.12)])).toEqual([]);
    expect(tilesFor([zone(0.1, 0.12)])).toEqual([]);
  });

  it('is none in a room whose seats nobody has drawn', () => expect(tilesFor([])).toEqual([]));

  it('is covered whole, and its parts overlap, so that whoever is cut by one is whole in the other', () => {
    const [left, right] = tilesFor([zone(0.1, 0.05)]);
    expect([left![0], right![2]]).toEqual([0, 1]);
    expect(left![2] - right![0]).toBeGreaterThan(0.1);
  });
});
