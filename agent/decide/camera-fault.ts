/** Row 17, camera faults: covered, dark, moved, frozen, down. A fault of ours or a hand on the lens: either way the room is blind and says so. */
import type { DraftEvent, Figure, Sentence } from '../../protocol/event.ts';
import type { CameraFaultRule } from '../../protocol/rules.ts';
import { isDarkTold } from './dark.ts';
import { type Episode, follow, isOpen, resume } from './episode.ts';
import type { Rule, RuleContext } from './rule.ts';
import type { CameraScene, Scene } from './scene.ts';
import { excused, MAINTENANCE, seconds, spanEn, spanZh, UNHEARD_OF } from './sentence.ts';
import { CAMERA_FAULTS, type CameraFault, type Condition } from './sight.ts';
import { isAllowed } from './suppress.ts';

export interface FaultWatch {
  readonly sourceId: string;
  readonly fault: CameraFault;
  readonly sinceMonoMs: number;
  readonly sinceWallMs: number;
  /** Last step at which the condition held. */
  readonly heldMonoMs: number;
  /** Since when it is known not to hold. */
  readonly clearMonoMs?: number | undefined;
  readonly condition?: Condition | undefined;
  readonly episode?: Episode | undefined;
}

/** A fault must be gone for this long before it has ended. */
const CLEAR_MS = 2000;
/** After a restart: a camera of which nothing is heard for so long is the room's no longer. */
const REMOVED_MS = 60_000;

const WORDS: Readonly<Record<CameraFault, { zh: string; en: string }>> = {
  covered: { zh: '镜头被遮挡', en: 'lens covered' },
  dark: { zh: '画面全黑（室内无光）', en: 'sees nothing: the room is dark' },
  moved: { zh: '被移动', en: 'moved' },
  frozen: { zh: '画面冻结', en: 'picture frozen' },
  down: { zh: '无画面', en: 'gives no picture' },
  record_down: { zh: '录像中断', en: 'is not being recorded' },
};

export const cameraFault: Rule<readonly FaultWatch[]> = {
  name: 'camera_fault',
  start(_context, at, open) {
    const watches: FaultWatch[] = [];
    for (const event of open) {
      const { body } = event;
      if (body.kind !== 'episode' || body.behaviour !== 'camera_fault' || body.sourceId === undefined) continue;
      const fault = CAMERA_FAULTS.find((f) => f === body.fault);
      if (!fault) continue;
      watches.push({
        sourceId: body.sourceId,
        fault,
        sinceMonoMs: at.monoMs - body.durationMs,
        sinceWallMs: body.beganWallMs,
        heldMonoMs: at.monoMs,
        episode: resume(event, at),
      });
    }
    return watches;
  },
  step(watches, scene, context) {
    const rule = context.pack.rules.camera_fault;
    if (!rule) return [watches, []];
    const drafts: DraftEvent[] = [];
    const next: FaultWatch[] = [];
    for (const { sourceId, fault } of pairs(watches, scene)) {
      const watch = watches.find((w) => w.sourceId === sourceId && w.fault === fault);
      const [after, said] = stepFault(sourceId, fault, watch, scene, rule, context);
      drafts.push(...said);
      if (after) next.push(after);
    }
    return [next, drafts];
  },
};

/** Everything that is watched or holds now, in a steady order. */
function pairs(watches: readonly FaultWatch[], scene: Scene): readonly { sourceId: string; fault: CameraFault }[] {
  const list: { sourceId: string; fault: CameraFault }[] = watches.map(({ sourceId, fault }) => ({ sourceId, fault }));
  for (const camera of scene.cameras)
    for (const fault of CAMERA_FAULTS)
      if (camera.sight.conditions[fault] && !list.some((p) => p.sourceId === camera.cameraId && p.fault === fault))
        list.push({ sourceId: camera.cameraId, fault });
  return list;
}

function stepFault(
  sourceId: string,
  fault: CameraFault,
  watch: FaultWatch | undefined,
  scene: Scene,
  rule: CameraFaultRule,
  context: RuleContext,
): readonly [FaultWatch | undefined, readonly DraftEvent[]] {
  const now = scene.at.monoMs;
  const camera = scene.cameras.find((c) => c.cameraId === sourceId);
  const condition = camera?.sight.conditions[fault];
  const excuse = excuseOf(fault, camera, scene);
  const removed = camera === undefined && watch !== undefined && now - watch.heldMonoMs >= REMOVED_MS;
  const known = condition === undefined && camera !== undefined && isSeen(fault, watch, camera, scene);
  const goesOn = watch !== undefined && (watch.clearMonoMs === undefined || isOpen(watch.episode));
  const next: FaultWatch = {
    sourceId,
    fault,
    sinceMonoMs: goesOn ? watch.sinceMonoMs : (condition?.sinceMonoMs ?? now),
    sinceWallMs: goesOn ? watch.sinceWallMs : (condition?.sinceWallMs ?? scene.at.wallMs),
    heldMonoMs: condition ? now : (watch?.heldMonoMs ?? now),
    // Without a frame (or word from the recorder) nobody can say that the fault is over.
    clearMonoMs: condition ? undefined : (watch?.clearMonoMs ?? (known ? now : undefined)),
    condition: condition ?? watch?.condition,
    episode: watch?.episode,
  };
  const clear = known && (!isOpen(watch?.episode) || now - next.clearMonoMs! >= CLEAR_MS);
  const over = clear || removed || excuse !== undefined;
  const lastingMs = next.heldMonoMs - next.sinceMonoMs;
  const limitMs = thresholdOf(fault, rule);
  const level = fault === 'dark' ? ('notice' as const) : ('alarm' as const);
  const { episode, drafts } = follow(
    {
      at: scene.at,
      pack: context.pack,
      ids: context.ids,
      behaviour: 'camera_fault',
      citation: rule.citation,
      joinMs: context.pack.cooldownMs,
    },
    next.episode,
    {
      level: condition !== undefined && limitMs !== null && lastingMs >= limitMs ? level : undefined,
      over,
      facts: () => ({
        seatIds: [],
        sourceId,
        fault,
        beganWallMs: next.sinceWallMs,
        durationMs: lastingMs,
        from: isOpen(watch?.episode) ? fault.toUpperCase() : 'CLEAR',
        to: clear ? 'CLEAR' : over ? 'UNKNOWN' : fault.toUpperCase(),
        figures: figures(next, lastingMs, limitMs ?? 0),
        sentence: sentence(next, lastingMs, limitMs ?? 0, clear ? BACK : removed ? UNHEARD_OF : excuse),
      }),
    },
  );
  // What is excused and still holds is counted from when that is over.
  if (excuse && condition) return [{ ...next, sinceMonoMs: now, sinceWallMs: scene.at.wallMs, episode }, drafts];
  // Kept after its end only while it may be joined.
  const joinable = episode?.endedMonoMs !== undefined && now - episode.endedMonoMs <= context.pack.cooldownMs;
  return [over && !joinable ? undefined : { ...next, episode }, drafts];
}

const BACK: Sentence = { zh: '', en: '' };
const NIGHT: Sentence = { zh: '无人评标时不提示', en: 'not told while nobody evaluates' };

/** Why nothing is said of a fault for now: somebody works on the equipment, or the lights are out and nobody needs them. */
function excuseOf(fault: CameraFault, camera: CameraScene | undefined, { session, at }: Scene): Sentence | undefined {
  if (isAllowed(session, 'camera_fault', [], at.wallMs)) return MAINTENANCE;
  return fault === 'dark' && camera && !isDarkTold(session, camera.sight.company) ? NIGHT : undefined;
}

/** Whether it can be said now that a fault which does not hold is over. */
function isSeen(
  fault: CameraFault,
  watch: FaultWatch | undefined,
  { cameraId, fresh, sight }: CameraScene,
  scene: Scene,
): boolean {
  if (fault === 'down') return true;
  if (fault === 'record_down') return heard(scene, cameraId);
  // In the dark nobody knows whether a lens that was covered is free, and where one looks that was moved.
  return fresh && (fault === 'dark' || !sight.conditions.dark || !isOpen(watch?.episode));
}

function heard(scene: Scene, sourceId: string): boolean {
  return scene.input.kind === 'stream' && scene.input.sourceId === sourceId && scene.input.role === 'record';
}

/** Null: this is not told. */
function thresholdOf(fault: CameraFault, rule: CameraFaultRule): number | null {
  if (fault === 'covered') return rule.coveredMs;
  if (fault === 'dark') return rule.darkMs === undefined ? rule.coveredMs : rule.darkMs;
  if (fault === 'moved') return rule.movedMs;
  return fault === 'frozen' ? rule.frozenMs : rule.downMs;
}

function figures(watch: FaultWatch, lastingMs: number, limitMs: number): readonly Figure[] {
  const lasting: Figure = { name: 'lasting', value: seconds(lastingMs), threshold: seconds(limitMs), unit: 's' };
  const c = watch.condition;
  if (!c || (watch.fault !== 'covered' && watch.fault !== 'moved')) return [lasting];
  const name = watch.fault === 'covered' ? 'edgeFall' : 'shift';
  return [lasting, { name, value: Math.round(c.value * 1000) / 1000, threshold: c.threshold, unit: c.unit }];
}

/** `end`: why it is over, `BACK` where all is well; undefined while it goes on. */
function sentence(watch: FaultWatch, lastingMs: number, limitMs: number, end: Sentence | undefined): Sentence {
  const { sourceId, condition } = watch;
  const word = WORDS[watch.fault];
  if (end === BACK)
    return {
      zh: `摄像机 ${sourceId} 已恢复：${word.zh} ${spanZh(lastingMs)}`,
      en: `Camera ${sourceId} is back: ${word.en} for ${spanEn(lastingMs)}`,
    };
  const said = {
    zh: `摄像机 ${sourceId} ${word.zh} ${spanZh(lastingMs)}`,
    en: `Camera ${sourceId} ${word.en} for ${spanEn(lastingMs)}`,
  };
  if (end) return excused(said, end);
  const why = condition?.reason ? ` (${condition.reason})` : '';
  return {
    zh: `${said.zh}（阈值 ${spanZh(limitMs)}）${why}`,
    en: `${said.en} (threshold ${spanEn(limitMs)})${why}`,
  };
}
