/** The player's buttons: play, frames, position, speed, sound, and which layers are drawn over the picture. */
import type { RefObject } from 'preact';
import type { WordKey } from '../words/zh.ts';
import { icons } from './icons.tsx';
import type { Layers } from './overlay.ts';
import type { PlayerHandle } from './player.tsx';
import { useWords } from './use.ts';

const SPEEDS = [0.25, 0.5, 1, 2, 4] as const;
const LAYERS: readonly (readonly [keyof Layers, WordKey])[] = [
  ['seats', 'layerSeats'],
  ['tracks', 'layerTracks'],
  ['pose', 'layerPose'],
  ['words', 'layerWords'],
];

export interface ControlsProps {
  readonly playing: boolean;
  readonly position: string;
  readonly muted: boolean;
  readonly speed: number;
  readonly layers: Layers;
  readonly hasOverlay: boolean;
  /** Why there is none, where it is not that nothing was analysed. */
  readonly why?: string;
  readonly handle: RefObject<PlayerHandle | null>;
  readonly onMuted: (muted: boolean) => void;
  readonly onLayers: (layers: Layers) => void;
  readonly onSpeed: (speed: number) => void;
}

export function Controls(props: ControlsProps) {
  const { t } = useWords();
  const { playing, handle, layers, muted } = props;
  return (
    <div class="controls">
      <div class="controls-group">
        <button
          type="button"
          class="plain icon-button"
          aria-label={t('frameBack')}
          title={`${t('frameBack')} ←`}
          onClick={() => handle.current?.frame(-1)}
        >
          <icons.frameBack />
        </button>
        <button
          type="button"
          class="plain icon-button controls-play"
          aria-label={t(playing ? 'pause' : 'play')}
          title={t(playing ? 'pause' : 'play')}
          onClick={() => handle.current?.toggle()}
        >
          {playing ? <icons.pause /> : <icons.play />}
        </button>
        <button
          type="button"
          class="plain icon-button"
          aria-label={t('frameForward')}
          title={`${t('frameForward')} →`}
          onClick={() => handle.current?.frame(1)}
        >
          <icons.frameForward />
        </button>
        <span class="controls-time">{props.position}</span>
        <select
          aria-label={t('speed')}
          title={t('speed')}
          value={String(props.speed)}
          onChange={(event) => props.onSpeed(Number(event.currentTarget.value))}
        >
          {SPEEDS.map((speed) => (
            <option key={speed} value={String(speed)}>
              {speed}×
            </option>
          ))}
        </select>
        <button type="button" class="toggle" aria-pressed={!muted} onClick={() => props.onMuted(!muted)}>
          {t('audio')}
        </button>
      </div>
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset cannot be laid out in one line in every browser */}
      <div class="controls-group" role="group" aria-label={t('layers')}>
        {props.hasOverlay ? (
          LAYERS.map(([layer, words]) => (
            <button
              key={layer}
              type="button"
              class="toggle"
              aria-pressed={layers[layer]}
              onClick={() => props.onLayers({ ...layers, [layer]: !layers[layer] })}
            >
              {t(words)}
            </button>
          ))
        ) : (
          <span class="controls-none">{props.why ?? t('noOverlay')}</span>
        )}
      </div>
    </div>
  );
}
