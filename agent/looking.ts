/** Beside main.ts: the eyes on all cameras and what they go by: the layout in force, the pictures that it was drawn on, who sat where. */
import type { Logger } from 'pino';
import type { Camera } from '../hardware/camera.ts';
import type { Eyes } from '../models/pose/eyes.ts';
import type { RoomLayout } from '../protocol/room.ts';
import type { Clock } from '../protocol/time.ts';
import { createScouts, type Scouts } from './calibrate.ts';
import type { RoomConfig } from './config.ts';
import type { LayoutHolder } from './layout.ts';
import { createPerceive, doorRegions, type Perceive } from './perceive.ts';
import { createReferenceStore } from './reference.ts';

export interface LookingParts {
  readonly config: Pick<RoomConfig, 'dataFolder' | 'blurHeads'>;
  readonly laid: Pick<LayoutHolder, 'current' | 'confirmedWallMs'>;
  readonly eyes: Eyes;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface Looking {
  /** Begins to look at a camera; whoever asks for it closes it. */
  open(camera: Camera): Perceive;
  /** All that were opened, by camera. */
  readonly perceives: ReadonlyMap<string, Perceive>;
  readonly scouts: Scouts;
  /** By the layout that is in force now; cameras go on, only what depends on what is drawn begins anew. */
  relay(): void;
  /** Keeps the picture of each camera that its shifts are measured against, where it is another. */
  keepReferences(): void;
  /** Over all cameras. */
  sum(what: 'analysedFps' | 'drops'): number;
}

export function createLooking({ config, laid, eyes, clock, log }: LookingParts): Looking {
  const { dataFolder, blurHeads } = config;
  const perceives = new Map<string, Perceive>();
  const scouts = createScouts();
  let confirmedWallMs = laid.confirmedWallMs();
  const referencesFor = (drawn: RoomLayout) =>
    createReferenceStore({ folder: dataFolder, layout: drawn, confirmedWallMs, log });
  let references = referencesFor(laid.current());
  const keepReferences = () => {
    for (const [cameraId, perceive] of perceives) references.keep(cameraId, perceive.watch.reference());
  };
  return {
    open(camera) {
      const layout = laid.current();
      const regions = doorRegions(layout, camera.cameraId);
      const perceive = createPerceive({ camera, eyes, layout, clock, log, regions, blurHeads });
      perceive.watch.setReference(references.load(camera.cameraId));
      perceives.set(camera.cameraId, perceive);
      return perceive;
    },
    perceives,
    scouts,
    relay() {
      const layout = laid.current();
      keepReferences();
      const before = confirmedWallMs;
      confirmedWallMs = laid.confirmedWallMs();
      // Where people sat in a picture of before is no longer where they sit.
      for (const [cameraId, atMs] of confirmedWallMs) if (before.get(cameraId) !== atMs) scouts.forget(cameraId);
      references = referencesFor(layout);
      for (const [cameraId, perceive] of perceives) {
        perceive.relay(layout, doorRegions(layout, cameraId));
        perceive.watch.setReference(references.load(cameraId));
      }
    },
    keepReferences,
    sum: (what) => [...perceives.values()].reduce((sum, perceive) => sum + perceive.health()[what], 0),
  };
}
