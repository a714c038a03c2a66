/** Beside perceive.ts: keeps each camera's reference picture over restarts, so that one turned while the agent was down is noticed. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Luma } from '../models/picture.ts';
import type { RoomLayout } from '../protocol/room.ts';
import { keepFile } from './keep.ts';

export interface ReferenceStore {
  /** The picture kept for a camera; undefined when there is none, or when its seats and zones were drawn anew since. */
  load(cameraId: string): Luma | undefined;
  /** Keeps a picture unless it is kept already. A disk that takes none is logged once, and watching goes on. */
  keep(cameraId: string, reference: Luma | undefined): void;
}

export interface ReferenceParts {
  /** The agent's data folder. */
  readonly folder: string;
  readonly layout: RoomLayout;
  /** When a person last said that a camera's picture is right: a reference from before counts no more. */
  readonly confirmedWallMs?: ReadonlyMap<string, number>;
  readonly log: Logger;
}

interface Kept {
  /** Of what was drawn on this camera's picture: whoever turns a camera on purpose draws it anew. */
  readonly drawn: string;
  readonly width: number;
  readonly height: number;
  /** Luminance, one byte a cell, base64. */
  readonly cells: string;
}

/** Nothing is read or written before it is asked. */
export function createReferenceStore({ folder, layout, confirmedWallMs, log }: ReferenceParts): ReferenceStore {
  const kept = new Set<Luma>();
  let failing = false;
  const fileOf = (cameraId: string) => join(folder, 'reference', `${cameraId}.json`);

  function drawn(cameraId: string): string {
    const views = layout.seats.flatMap((seat) => seat.views.filter((view) => view.cameraId === cameraId));
    const zones = layout.zones.filter((zone) => zone.cameraId === cameraId);
    const lines = [...layout.doorLines, ...layout.floor].filter((one) => one.cameraId === cameraId);
    const confirmed = confirmedWallMs?.get(cameraId);
    return createHash('sha256')
      .update(JSON.stringify([views, zones, lines, confirmed ?? null]))
      .digest('hex');
  }

  return {
    load(cameraId) {
      let found: Kept;
      try {
        found = JSON.parse(readFileSync(fileOf(cameraId), 'utf8')) as Kept;
      } catch {
        // None yet, or one that a power cut spoilt: the next good picture becomes it.
        return undefined;
      }
      const { width, height, cells } = found;
      const values = Float32Array.from(Buffer.from(String(cells), 'base64'));
      if (found.drawn !== drawn(cameraId) || values.length !== width * height) return undefined;
      const luma = { width, height, values };
      kept.add(luma);
      return luma;
    },
    keep(cameraId, reference) {
      if (!reference || kept.has(reference)) return;
      const { width, height, values } = reference;
      const cells = Buffer.from(Uint8Array.from(values, Math.round)).toString('base64');
      const whole: Kept = { drawn: drawn(cameraId), width, height, cells };
      try {
        keepFile(fileOf(cameraId), JSON.stringify(whole));
        kept.add(reference);
        failing = false;
      } catch (error) {
        if (!failing) log.warn({ err: error, cameraId }, 'the reference picture of a camera could not be kept');
        failing = true;
      }
    },
  };
}
