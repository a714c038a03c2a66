/** The clip: opened by a grant (which writes the entry in the log), drawn over in time, driven by keys and by the strip. */

import type { RefObject } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { ClipManifest, Overlay } from '../../../protocol/clip.ts';
import type { AlertView, ClipGrantView, RoomCard, StoredEvent } from '../../http/api.ts';
import { containRect } from '../geometry.ts';
import type { Refusal } from '../state/client.ts';
import { useDesk } from '../state/desk.ts';
import { timer } from '../words/time.ts';
import { ClipStrip } from './clipstrip.tsx';
import { Controls } from './controls.tsx';
import { drawOverlay, type Layers } from './overlay.ts';
import { Refused } from './states.tsx';
import { useWords } from './use.ts';

export interface PlayerHandle {
  toggle(): void;
  frame(way: 1 | -1): void;
  second(way: 1 | -1): void;
  fromBegin(): void;
}

/** Fallback for one picture until two pictures have told how far apart they are. */
const FRAME_S = 0.04;
/** Play begins this long before the behaviour does, where the clip has it. */
const LEAD_MS = 4_000;

export interface PlayerProps {
  readonly clip: ClipManifest;
  readonly alert: AlertView;
  readonly events: readonly StoredEvent[];
  readonly room: RoomCard | undefined;
  readonly handle: RefObject<PlayerHandle | null>;
  /** The viewing has been written down: who looked at it has changed. */
  readonly onViewed: () => void;
}

type Opening =
  | { readonly kind: 'opening' }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'open'; readonly grant: ClipGrantView };

export function Player({ clip, alert, events, room, handle, onViewed }: PlayerProps) {
  const desk = useDesk();
  const { t } = useWords();
  const [opening, setOpening] = useState<Opening>({ kind: 'opening' });
  const [overlay, setOverlay] = useState<Overlay>();
  /** Its overlay could not be had. */
  const [bare, setBare] = useState(false);
  const [broken, setBroken] = useState<'interrupted' | 'undecodable'>();
  const [attempt, setAttempt] = useState(0);
  const [layers, setLayers] = useState<Layers>({ seats: true, tracks: true, pose: true, words: true });
  const [playing, setPlaying] = useState(false);
  const [speed, setSpeed] = useState(1);
  const [tMs, setTMs] = useState(0);
  const video = useRef<HTMLVideoElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const stage = useRef<HTMLDivElement>(null);
  const head = useRef<SVGGElement>(null);
  const frameS = useRef(FRAME_S);
  const resumeS = useRef<number>(undefined);
  const viewed = useRef(onViewed);
  viewed.current = onViewed;
  const speech = alert.behaviour.startsWith('speech_');
  const [muted, setMuted] = useState(!speech);

  useEffect(() => {
    let gone = false;
    setOpening({ kind: 'opening' });
    setBroken(undefined);
    setOverlay(undefined);
    setBare(false);
    void desk.client.view(clip.clipId).then(async (answer) => {
      if (gone) return;
      if (!answer.ok) return setOpening({ kind: 'refused', refusal: answer.refusal });
      setOpening({ kind: 'open', grant: answer.value });
      viewed.current();
      if (!answer.value.overlayUrl) return;
      const drawn = await desk.client.overlay(answer.value.overlayUrl);
      if (gone) return;
      if (drawn.ok) setOverlay(drawn.value);
      else setBare(true);
    });
    return () => {
      gone = true;
    };
  }, [clip.clipId, attempt, desk]);

  const draw = useRef<() => void>(() => undefined);
  draw.current = () => {
    const [player, board, box] = [video.current, canvas.current, stage.current];
    if (!player || !board || !box) return;
    const now = player.currentTime * 1000;
    const [w, h] = [box.clientWidth, box.clientHeight];
    const density = devicePixelRatio || 1;
    if (board.width !== Math.round(w * density) || board.height !== Math.round(h * density)) {
      board.width = Math.round(w * density);
      board.height = Math.round(h * density);
    }
    const ctx = board.getContext('2d');
    if (ctx) {
      ctx.setTransform(density, 0, 0, density, 0, 0);
      ctx.clearRect(0, 0, w, h);
      if (overlay && player.videoWidth > 0) {
        const colour = alert.level === 'alarm' ? '#ff7a3c' : '#ffb52e';
        const rect = containRect(player.videoWidth, player.videoHeight, w, h);
        drawOverlay(ctx, overlay, now, rect, layers, { seatIds: alert.seatIds, colour, level: alert.level });
      }
    }
    const lines = head.current?.ownerSVGElement?.clientWidth ?? 0;
    head.current?.setAttribute('transform', `translate(${Math.min(1, now / Math.max(1, clip.durationMs)) * lines} 0)`);
  };
  useLayoutEffect(() => draw.current());

  // One drawing for every picture that is shown, told by the browser itself.
  useEffect(() => {
    const player = video.current;
    if (!player || opening.kind !== 'open') return;
    let asked = 0;
    let before = -1;
    const shown = (_now: number, picture: VideoFrameCallbackMetadata) => {
      const step = picture.mediaTime - before;
      if (before >= 0 && step > 0.005 && step < 0.5 && !player.paused) frameS.current = step;
      before = picture.mediaTime;
      draw.current();
      asked = player.requestVideoFrameCallback(shown);
    };
    asked = player.requestVideoFrameCallback(shown);
    const resized = new ResizeObserver(() => draw.current());
    if (stage.current) resized.observe(stage.current);
    return () => {
      player.cancelVideoFrameCallback(asked);
      resized.disconnect();
    };
  }, [opening]);

  const seek = (ms: number) => {
    const player = video.current;
    if (!player) return;
    player.currentTime = Math.max(0, Math.min(ms / 1000, player.duration || clip.durationMs / 1000));
    setTMs(player.currentTime * 1000);
    draw.current();
  };
  handle.current = {
    toggle: () => {
      const player = video.current;
      if (player?.paused) void player.play().catch(() => setPlaying(false));
      else player?.pause();
    },
    frame: (way) => {
      video.current?.pause();
      seek((video.current?.currentTime ?? 0) * 1000 + way * frameS.current * 1000);
    },
    second: (way) => seek((video.current?.currentTime ?? 0) * 1000 + way * 1000),
    fromBegin: () => {
      seek(lead(clip, alert));
      void video.current?.play().catch(() => setPlaying(false));
    },
  };

  const spoken = layers.words
    ? (overlay?.words ?? []).filter((word) => word.tMs <= tMs + 200 && word.tMs > tMs - 3_000)
    : [];
  return (
    <div class="player" data-clip-id={clip.clipId} data-clip-state={broken ? 'broken' : opening.kind}>
      <div class="stage" ref={stage}>
        {opening.kind === 'open' && !broken && (
          <video
            ref={video}
            src={opening.grant.mp4Url}
            playsInline
            preload="auto"
            muted={muted}
            onLoadedMetadata={(event) => {
              event.currentTarget.currentTime = resumeS.current ?? lead(clip, alert) / 1000;
              resumeS.current = undefined;
              event.currentTarget.playbackRate = speed;
              // Without a gesture a browser may refuse to start by itself: then the first picture stands.
              void event.currentTarget.play().catch(() => setPlaying(false));
            }}
            onPlay={() => setPlaying(true)}
            onPause={() => setPlaying(false)}
            onTimeUpdate={(event) => setTMs(event.currentTarget.currentTime * 1000)}
            onSeeked={() => draw.current()}
            onError={(event) => {
              const { error, currentTime } = event.currentTarget;
              // A grant lasts ten minutes: one that ran out is asked for anew, at the same place.
              if (desk.nowMs() >= opening.grant.expiresWallMs) {
                resumeS.current = currentTime;
                setAttempt((count) => count + 1);
              } else setBroken(error?.code === MediaError.MEDIA_ERR_NETWORK ? 'interrupted' : 'undecodable');
            }}
            onClick={() => handle.current?.toggle()}
          />
        )}
        <canvas ref={canvas} />
        {spoken.length > 0 && (
          <p class="caption">
            {spoken.map((word) =>
              word.hit ? <mark key={word.tMs}>{word.text}</mark> : <span key={word.tMs}>{word.text}</span>,
            )}
          </p>
        )}
        {opening.kind === 'opening' && (
          <div class="stage-note" role="status">
            <span class="loading-bar" aria-hidden="true" />
            <p>{t('opening')}</p>
          </div>
        )}
        {opening.kind === 'refused' && (
          <div class="stage-note">
            <Refused title={t('clipRefused')} refusal={opening.refusal} onRetry={() => setAttempt(attempt + 1)} />
          </div>
        )}
        {opening.kind === 'open' && broken && (
          <div class="stage-note" role="alert">
            <p class="stage-title">{t(broken === 'interrupted' ? 'clipInterrupted' : 'clipFailed')}</p>
            <p>{t(broken === 'interrupted' ? 'clipInterruptedNote' : 'clipFailedNote')}</p>
            <p class="stage-buttons">
              <button type="button" class="button" onClick={() => setAttempt(attempt + 1)}>
                {t('retry')}
              </button>
              <a class="button" href={opening.grant.mp4Url} download={`${clip.clipId}.mp4`}>
                {t('download')}
              </a>
            </p>
          </div>
        )}
      </div>
      {opening.kind === 'open' && !broken && (
        <>
          <Controls
            playing={playing}
            position={`${timer(tMs)} / ${timer(clip.durationMs)}`}
            muted={muted}
            speed={speed}
            layers={layers}
            hasOverlay={opening.grant.overlayUrl !== undefined && !bare}
            {...(bare ? { why: t('overlayFailed') } : {})}
            handle={handle}
            onMuted={setMuted}
            onLayers={setLayers}
            onSpeed={(next) => {
              setSpeed(next);
              if (video.current) video.current.playbackRate = next;
            }}
          />
          <ClipStrip
            clip={clip}
            overlay={overlay}
            alert={alert}
            events={events}
            room={room}
            head={head}
            onScrub={seek}
          />
        </>
      )}
    </div>
  );
}

/** Where play begins: shortly before the behaviour, where the clip holds that moment. */
function lead(clip: ClipManifest, alert: AlertView): number {
  const began = alert.beganWallMs - clip.beginWallMs - LEAD_MS;
  return began > 0 && began < clip.durationMs - 2_000 ? began : 0;
}
