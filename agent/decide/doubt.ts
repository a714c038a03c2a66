/** Distances on a floor whose camera was nudged: the zones go along, but what was measured on the floor was measured from elsewhere, and an event says so. */
import type { Figure } from '../../protocol/event.ts';
import type { CameraSight } from './sight.ts';

/** How far the camera's picture is off, as a share of it; undefined in place. A camera that was moved further is blind, and nothing is measured by it. */
export function doubtOf({ offset }: Pick<CameraSight, 'offset'>): number | undefined {
  return offset && Math.max(Math.abs(offset.dx), Math.abs(offset.dy));
}

/** For the figures of an event: by how much the camera was nudged while the distance was measured. */
export function doubtFigures(doubt: number | undefined): readonly Figure[] {
  return doubt === undefined ? [] : [{ name: 'nudge', value: Math.round(doubt * 1000) / 1000, unit: '' }];
}

/** For its sentence, at its end. */
export function doubtWords(doubt: number | undefined): { readonly zh: string; readonly en: string } {
  return doubt === undefined
    ? { zh: '', en: '' }
    : { zh: '；摄像机被碰动过，距离仅供参考', en: '; the camera was nudged: the distance is doubtful' };
}
