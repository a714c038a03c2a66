/** How a behaviour that is seen frame by frame becomes an episode: a window for each view, the best view counts, time adds up. */
import type { Behaviour, DraftEvent, Figure, Sentence } from '../../protocol/event.ts';
import type { TwoLevels } from '../../protocol/rules.ts';
import type { Instant } from '../../protocol/time.ts';
import { type Episode, follow, isOpen, levelOf, resume } from './episode.ts';
import type { Rule, RuleContext } from './rule.ts';
import type { Scene } from './scene.ts';
import { isAllowed } from './suppress.ts';

/** What one camera's frame says of one pair of seats, seat or track. */
export interface Evidence {
  /** Tells spells of one rule apart, such as the seat ids. */
  readonly key: string;
  readonly seatIds: readonly string[];
  /** False: seen that it is not so. Who is not seen at all gives no evidence. */
  readonly holds: boolean;
  readonly cameraId: string;
  /** The number that says so, against its threshold; absent: known otherwise, and there is none to tell. */
  readonly value?: number;
  readonly threshold?: number;
  readonly unit?: string;
  /** How well this camera sees those seats: of several views the better one counts. */
  readonly worth: number;
  /** When this began, where that is known better than by the window. */
  readonly sinceMonoMs?: number;
}

interface Run {
  readonly firstMs: number;
  readonly lastMs: number;
  readonly yes: number;
  readonly all: number;
}

interface View {
  readonly cameraId: string;
  readonly worth: number;
  /** The frames since the first that said so, without longer gaps between those that did. */
  readonly run?: Run | undefined;
  readonly window: readonly (readonly [number, boolean])[];
}

export interface Spell {
  readonly key: string;
  readonly seatIds: readonly string[];
  readonly views: readonly View[];
  readonly holds: boolean;
  readonly sinceWallMs: number;
  readonly lastingMs: number;
  /** Frames of this spell that said so. */
  readonly hits: number;
  readonly lastMonoMs: number;
  /** Last evidence of either kind. */
  readonly toldMonoMs: number;
  readonly fineMonoMs?: number | undefined;
  /** The next one cannot have begun before: until then it was allowed, another one, or not believed. */
  readonly fromMonoMs?: number | undefined;
  readonly value?: number | undefined;
  readonly threshold?: number | undefined;
  readonly unit: string;
  readonly cameraId?: string | undefined;
  /** Begins of spells that reached a level, for rules that count repeats. */
  readonly begins: readonly number[];
  readonly episode?: Episode | undefined;
}

export interface SpellRule {
  readonly behaviour: Behaviour;
  readonly windowMs?: number;
  readonly beginShare?: number;
  readonly endShare?: number;
  /** Must be over for this long. */
  readonly fineMs?: number;
  /** What two people do close together: who is seen apart by any view is apart, however near they look in a better one. */
  readonly vetoed?: boolean;
  /** A view about as good as the best that says no all the time outweighs it: one of them takes somebody for another. */
  readonly agreed?: boolean;
  /** Frames that say so before it is believed; default 1. */
  readonly samples?: number;
  /** Without any evidence for this long it is over: where people are is no longer known. */
  readonly lostMs?: number;
  rule(context: Omit<RuleContext, 'ids'>): TwoLevels | undefined;
  /** `going`: keys of what held before this step, for who must not be taken for another from frame to frame. */
  look(scene: Scene, context: RuleContext, going: readonly string[]): readonly Evidence[];
  /** Raises to an alarm after so many spells within so long. */
  repeats?(context: RuleContext): { readonly count: number; readonly withinMs: number } | undefined;
  /** Name of the value among the figures. */
  readonly figure: string;
  sentence(spell: Spell, limitMs: number, context: RuleContext): Sentence;
}

/** Frames further apart than this are not one run. */
const MAX_STEP_MS = 5000;
const MOST = 0.5;
/** So many frames that all say no. */
const VETO_FRAMES = 4;
/** A view that sees the seat so well against the best one sees it about as well. */
const ABOUT = 0.85;
/** A behaviour that was seen goes on for so long while nobody is seen to end it. */
const CARRY_MS = 3000;

/** The state machine of one such behaviour. */
export function spellRule(spec: SpellRule): Rule<readonly Spell[]> {
  return {
    name: spec.behaviour,
    start(_context, at, open) {
      return open.flatMap((event): Spell[] => {
        const { body } = event;
        if (body.kind !== 'episode' || body.behaviour !== spec.behaviour) return [];
        const figure = body.figures.find((f) => f.name === spec.figure);
        return [
          {
            key: body.seatIds.join('+'),
            seatIds: body.seatIds,
            views: [],
            holds: true,
            sinceWallMs: body.beganWallMs,
            lastingMs: body.durationMs,
            hits: Number.MAX_SAFE_INTEGER,
            lastMonoMs: at.monoMs,
            toldMonoMs: at.monoMs,
            value: figure?.value,
            threshold: figure?.threshold,
            unit: figure?.unit ?? '',
            begins: [],
            episode: resume(event, at),
          },
        ];
      });
    },
    step(spells, scene, context) {
      const rule = spec.rule(context);
      if (!rule) return [spells, []];
      const going = spells.filter((s) => s.holds).map((s) => s.key);
      const found = scene.input.kind === 'frame' ? spec.look(scene, context, going) : [];
      const keys = [...new Set([...spells.map((s) => s.key), ...found.map((e) => e.key)])];
      const drafts: DraftEvent[] = [];
      const next: Spell[] = [];
      for (const key of keys) {
        const before = spells.find((s) => s.key === key);
        const told = found.filter((e) => e.key === key);
        // Where one frame is not believed, those before it that said no count as well.
        if (!before && !told.some((e) => e.holds) && spec.samples === undefined) continue;
        const [after, said] = stepSpell(before, told, { spec, rule, scene, context });
        drafts.push(...said);
        if (after) next.push(after);
      }
      return [next, drafts];
    },
  };
}

interface Step {
  readonly spec: SpellRule;
  readonly rule: TwoLevels;
  readonly scene: Scene;
  readonly context: RuleContext;
}

function stepSpell(
  before: Spell | undefined,
  told: readonly Evidence[],
  { spec, rule, scene, context }: Step,
): readonly [Spell | undefined, readonly DraftEvent[]] {
  const { at } = scene;
  const now = at.monoMs;
  const [windowMs, beginShare, endShare] = [spec.windowMs ?? 2000, spec.beginShare ?? 0.6, spec.endShare ?? 0.2];
  const state = before ?? fresh(told[0]!, at);
  const seatIds = told.find((e) => e.holds)?.seatIds ?? state.seatIds;
  const blind = scene.cameras.every((c) => c.blind);
  const stepMs = Math.min(Math.max(0, now - state.lastMonoMs), MAX_STEP_MS);
  const views = widened(state.views, told, now, windowMs);
  const view = better(views);
  const veto = spec.vetoed === true && views.some((v) => v.window.length >= VETO_FRAMES && shareOf(v.window) === 0);
  const against =
    spec.agreed === true &&
    views.some(
      (v) => v.window.length >= VETO_FRAMES && shareOf(v.window) === 0 && v.worth >= ABOUT * (view?.worth ?? 0),
    );
  const best = view && !veto && !against ? shareOf(view.window) : 0;
  const enough = (view?.window.length ?? 0) >= (spec.samples ?? 2);
  const allowed = isAllowed(scene.session, spec.behaviour, seatIds, at.wallMs);
  const toldMonoMs = told.length > 0 || blind ? now : state.toldMonoMs;
  const lost = now - toldMonoMs >= (spec.lostMs ?? 10_000);
  const quiet = views.every(({ window }) => window.length === 0);
  const holds = !allowed && !lost && (state.holds ? quiet || best > endShare : enough && best >= beginShare - 1e-9);
  const begins = holds && !state.holds && state.lastingMs === 0;
  const first = begins ? Math.max(firstOf(view, told, now), state.fromMonoMs ?? Number.NEGATIVE_INFINITY) : now;
  const fineMonoMs = holds ? undefined : (state.fineMonoMs ?? now);
  const over = allowed || lost || (fineMonoMs !== undefined && now - fineMonoMs >= (spec.fineMs ?? 2000));
  const unheard = Math.max(state.fromMonoMs ?? 0, now - windowMs);
  const endedMs = over && state.lastingMs > 0 ? (fineMonoMs ?? now) : state.fromMonoMs;
  // What has not been seen for long is not counted: the timer stands still then.
  const counted = holds && now - toldMonoMs <= CARRY_MS && !blind ? stepMs : 0;
  const strongest = told.filter((e) => e.holds).at(-1);
  let next: Spell = {
    ...state,
    seatIds,
    views,
    holds,
    fineMonoMs,
    fromMonoMs: allowed ? now : veto || against ? unheard : endedMs,
    toldMonoMs,
    lastMonoMs: now,
    hits: begins ? yesOf(view) : Math.min(state.hits + (strongest ? 1 : 0), Number.MAX_SAFE_INTEGER),
    lastingMs: begins ? now - first : state.lastingMs + counted,
    sinceWallMs: begins ? at.wallMs - (now - first) : state.sinceWallMs,
    ...(strongest
      ? {
          value: strongest.value,
          threshold: strongest.threshold,
          unit: strongest.unit ?? '',
          cameraId: strongest.cameraId,
        }
      : {}),
  };
  const repeats = spec.repeats?.(context);
  const held = holds && next.hits >= (spec.samples ?? 1) ? levelOf(next.lastingMs, rule) : undefined;
  const began = held !== undefined && !isOpen(state.episode);
  const begun = [...state.begins.filter((ms) => !repeats || now - ms < repeats.withinMs), ...(began ? [now] : [])];
  next = { ...next, begins: begun };
  const level = held && repeats && begun.length >= repeats.count ? 'alarm' : held;
  const { episode, drafts } = follow(
    {
      at,
      pack: context.pack,
      ids: context.ids,
      behaviour: spec.behaviour,
      citation: rule.citation,
      joinMs: context.pack.cooldownMs,
    },
    state.episode,
    { level, over, facts: () => factsOf(next, over, spec, rule, state, context) },
  );
  if (!over) return [{ ...next, episode }, drafts];
  const kept = isJoinable(episode, now, context) || (repeats !== undefined && begun.length > 0);
  const ended: Spell = {
    ...next,
    views: state.lastingMs > 0 ? anew(views) : views,
    lastingMs: 0,
    hits: 0,
    holds: false,
    episode,
  };
  const remembered = views.some((v) => v.window.some(([, yes]) => yes || spec.samples !== undefined));
  return [kept || remembered ? ended : undefined, drafts];
}

function isJoinable(episode: Episode | undefined, now: number, { pack }: RuleContext): boolean {
  return episode !== undefined && (episode.endedMonoMs === undefined || now - episode.endedMonoMs <= pack.cooldownMs);
}

function fresh(e: Evidence, at: Instant): Spell {
  return {
    key: e.key,
    seatIds: e.seatIds,
    views: [],
    holds: false,
    sinceWallMs: at.wallMs,
    lastingMs: 0,
    hits: 0,
    lastMonoMs: at.monoMs,
    toldMonoMs: at.monoMs,
    value: e.value,
    threshold: e.threshold,
    unit: e.unit ?? '',
    begins: [],
  };
}

function widened(views: readonly View[], told: readonly Evidence[], now: number, windowMs: number): readonly View[] {
  const cameras = [...new Set([...views.map((v) => v.cameraId), ...told.map((e) => e.cameraId)])];
  return cameras.flatMap((cameraId) => {
    const old = views.find((v) => v.cameraId === cameraId)?.window ?? [];
    const mine = told.filter((e) => e.cameraId === cameraId);
    const add = mine.length > 0 ? [[now, mine.some((e) => e.holds)] as const] : [];
    const window = [...old, ...add].filter(([ms]) => ms > now - windowMs);
    const run = runOf(views.find((v) => v.cameraId === cameraId)?.run, mine, now);
    const worth = mine[0]?.worth ?? views.find((v) => v.cameraId === cameraId)?.worth ?? 0;
    return window.length > 0 ? [{ cameraId, worth, run, window }] : [];
  });
}

function runOf(run: View['run'], mine: readonly Evidence[], now: number): View['run'] {
  if (!mine.some((e) => e.holds)) return run && mine.length > 0 ? { ...run, all: run.all + 1 } : run;
  if (!run || now - run.lastMs > MAX_STEP_MS) return { firstMs: now, lastMs: now, yes: 1, all: 1 };
  return { ...run, lastMs: now, yes: run.yes + 1, all: run.all + 1 };
}

const anew = (views: readonly View[]) => views.map((view): View => ({ ...view, run: undefined }));

/** Of the views that told something twice, the one that sees best. */
function better(views: readonly View[]): View | undefined {
  const rank = (v: View) => (v.window.length >= 2 ? 1 : 0) + v.worth;
  return [...views].sort((a, b) => rank(b) - rank(a))[0];
}

const yesOf = (view: View | undefined) => (view?.window ?? []).filter(([, yes]) => yes).length;

const shareOf = (window: View['window']) => window.filter(([, yes]) => yes).length / Math.max(1, window.length);

/** First moment of the view that says so most. */
function firstOf(view: View | undefined, told: readonly Evidence[], now: number): number {
  const since = told.flatMap((e) => (e.holds && e.sinceMonoMs !== undefined ? [e.sinceMonoMs] : []));
  if (since.length > 0) return Math.min(now, ...since);
  const first = view?.window.find(([, yes]) => yes)?.[0] ?? now;
  const run = view?.run;
  // It may have taken longer than a window until enough frames said so; where most said no, they said so by chance.
  return run && run.yes >= MOST * run.all ? Math.min(first, run.firstMs) : first;
}

function factsOf(spell: Spell, over: boolean, spec: SpellRule, rule: TwoLevels, before: Spell, context: RuleContext) {
  const reached = rule.alarmMs !== null && spell.lastingMs >= rule.alarmMs;
  const limitMs = (reached ? rule.alarmMs : (rule.noticeMs ?? rule.alarmMs)) ?? 0;
  const figures: Figure[] = [
    { name: 'lasting', value: Math.round(spell.lastingMs / 100) / 10, threshold: limitMs / 1000, unit: 's' },
    ...(spell.value === undefined
      ? []
      : [
          {
            name: spec.figure,
            value: Math.round(spell.value * 100) / 100,
            ...(spell.threshold === undefined ? {} : { threshold: Math.round(spell.threshold * 100) / 100 }),
            unit: spell.unit,
          },
        ]),
  ];
  return {
    seatIds: spell.seatIds,
    ...(spell.cameraId === undefined ? {} : { sourceId: spell.cameraId }),
    beganWallMs: spell.sinceWallMs,
    durationMs: spell.lastingMs,
    from: isOpen(before.episode) ? 'GOING_ON' : 'CLEAR',
    to: over ? 'CLEAR' : 'GOING_ON',
    figures,
    sentence: spec.sentence(spell, limitMs, context),
  };
}
