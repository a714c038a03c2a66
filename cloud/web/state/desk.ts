/** All that the page knows, as signals: session, feed, place, preferences; made once by main.tsx and handed down. */
import { batch, computed, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { ActionKind, AlertView, RoomCard, UserView } from '../../http/api.ts';
import type { EvaluationView } from '../../http/sessions-api.ts';
import { formatAddress, invitationToken, type Place, parseAddress, setupToken } from '../address.ts';
import { wallNow } from '../clock.ts';
import type { Lang } from '../words/time.ts';
import { type Client, createClient, type Refusal } from './client.ts';
import type { Connection } from './connection.ts';
import {
  applyLine,
  type DeskFeed,
  type FeedLine,
  fromOverview,
  KnownIds,
  withAlert,
  withSession,
  withSessions,
} from './feed.ts';
import { keepLine } from './line.ts';
import { createPace } from './pace.ts';
import { readShelf, writeShelf } from './shelf.ts';

export type Gate =
  | { readonly kind: 'loading' }
  | { readonly kind: 'setup'; readonly token?: string }
  | { readonly kind: 'login'; readonly expired: boolean }
  | { readonly kind: 'invited'; readonly token: string; readonly name: string }
  | { readonly kind: 'failed'; readonly refusal: Refusal }
  | { readonly kind: 'open'; readonly user: UserView };

/** After the line is back, rooms have this long to be heard. */
const SETTLE_MS = 3_000;

export type Theme = 'light' | 'dark' | 'system';

export interface Desk {
  readonly client: Client;
  readonly gate: ReadonlySignal<Gate>;
  readonly feed: ReadonlySignal<DeskFeed | undefined>;
  readonly alerts: ReadonlySignal<ReadonlyMap<string, AlertView>>;
  /** Newest event of each episode, as the live line brought it. */
  readonly latest: ReadonlySignal<ReadonlyMap<string, string>>;
  /** Rooms by name and layout; changes only when one of these does, not with every state heard. */
  readonly plates: ReadonlySignal<ReadonlyMap<string, RoomCard>>;
  readonly connection: ReadonlySignal<Connection>;
  readonly place: ReadonlySignal<Place>;
  readonly lang: Signal<Lang>;
  readonly theme: Signal<Theme>;
  /** What the tiles of the wall show: one choice for all rooms, so that they stay comparable. */
  readonly shows: Signal<'plan' | 'picture'>;
  /** Server's wall time, moving on once a second: only what shows a running time reads it. */
  readonly now: ReadonlySignal<number>;
  /** The moment up to which the rooms are known: stands still while the line is down, so that no room is blamed for it. */
  readonly knownNow: ReadonlySignal<number>;
  /** Episodes that came in through the live line and have not been seen at the top of the queue yet. */
  readonly arrived: Signal<ReadonlySet<string>>;
  /** Server's wall time at this moment. */
  nowMs(): number;
  start(stop: AbortSignal): void;
  retry(): void;
  entered(user: UserView | undefined): Promise<void>;
  /** Ends the session; the refusal where the cloud did not hear it, and then the desk stays open. */
  leave(): Promise<Refusal | undefined>;
  /** False for those who may only look. */
  mayAct(): boolean;
  /** Shows a place; `replace` where Back should not come here again. */
  go(place: Place, replace?: boolean): void;
  act(episodeId: string, kind: ActionKind, note?: string): Promise<Refusal | undefined>;
  take(alert: AlertView): void;
  /** An answer about a room's evaluation, before the live line brings it. */
  takeSession(evaluation: EvaluationView): void;
}

const DeskContext = createContext<Desk | undefined>(undefined);
export const DeskProvider = DeskContext.Provider;

/** The desk of the page around. */
export function useDesk(): Desk {
  const desk = useContext(DeskContext);
  if (!desk) throw new TypeError('A part of the page stands outside of the desk.');
  return desk;
}

function remembered<T extends string>(key: string, allowed: readonly T[], otherwise: T): Signal<T> {
  const kept = readShelf(key);
  const value = signal<T>(allowed.find((one) => one === kept) ?? otherwise);
  value.subscribe((now) => void writeShelf(key, now));
  return value;
}

export function createDesk(): Desk {
  const gate = signal<Gate>({ kind: 'loading' });
  const feed = signal<DeskFeed | undefined>(undefined);
  const connection = signal<Connection>({ kind: 'connecting' });
  const place = signal<Place>(parseAddress(location.hash));
  const lang = remembered<Lang>('evalroom.lang', ['zh', 'en'], 'zh');
  const theme = remembered<Theme>('evalroom.theme', ['light', 'dark', 'system'], 'system');
  const shows = remembered('evalroom.wall', ['plan', 'picture'], 'plan');
  const offsetMs = signal(0);
  const now = signal(wallNow());
  const lineDown = signal<{ since: number; until: number } | undefined>(undefined);
  const knownNow = computed(() => {
    const down = lineDown.value;
    return down && now.value < down.until ? down.since : now.value;
  });
  const arrived = signal<ReadonlySet<string>>(new Set());
  const none: ReadonlyMap<string, AlertView> = new Map();
  const noEvents: ReadonlyMap<string, string> = new Map();
  const alerts = computed(() => feed.value?.alerts ?? none);
  let platesBefore: ReadonlyMap<string, RoomCard> = new Map();
  const plates = computed(() => {
    const rooms = feed.value?.rooms ?? new Map<string, RoomCard>();
    const changed = [...rooms.values()].some((room) => {
      const old = platesBefore.get(room.roomId);
      return !old || old.name !== room.name || old.state?.layout !== room.state?.layout;
    });
    if (changed || rooms.size !== platesBefore.size) platesBefore = rooms;
    return platesBefore;
  });
  const latest = computed(() => feed.value?.latestEvent ?? noEvents);
  const known = new KnownIds(20_000);
  let token = setupToken(location.hash);
  let line: AbortController | undefined;
  let life: AbortSignal | undefined;

  const client = createClient({
    onUnauthorised: () => {
      line?.abort();
      if (gate.value.kind === 'open') gate.value = { kind: 'login', expired: true };
    },
  });
  const nowMs = (): number => wallNow() + offsetMs.peek();
  const hear = (serverWallMs: number): void => {
    offsetMs.value = serverWallMs - wallNow();
  };

  async function check(): Promise<void> {
    const invite = invitationToken(location.hash);
    if (invite) {
      const whose = await client.invitation(invite);
      if (whose.ok) {
        gate.value = { kind: 'invited', token: invite, name: whose.value.name };
        return;
      }
      // A link that is not good will not be: what comes next is the login.
      if (whose.refusal.kind === 'forbidden') history.replaceState(null, '', formatAddress({ page: 'wall' }));
      gate.value = { kind: 'failed', refusal: whose.refusal };
      return;
    }
    const answer = await client.session();
    if (!answer.ok) gate.value = { kind: 'failed', refusal: answer.refusal };
    else if (answer.value.user) await entered(answer.value.user);
    else if (answer.value.setupNeeded) gate.value = { kind: 'setup', ...(token ? { token } : {}) };
    else gate.value = { kind: 'login', expired: false };
  }

  async function entered(user: UserView | undefined): Promise<void> {
    if (!user) return check();
    if (token || invitationToken(location.hash)) {
      token = undefined;
      history.replaceState(null, '', formatAddress(place.value));
    }
    if (await load()) {
      gate.value = { kind: 'open', user };
      listen();
    }
  }

  async function load(): Promise<boolean> {
    const answer = await client.overview();
    if (!answer.ok) {
      if (answer.refusal.kind === 'unauthorised') gate.value = { kind: 'login', expired: false };
      else if (gate.value.kind !== 'open') gate.value = { kind: 'failed', refusal: answer.refusal };
      return false;
    }
    // A line that waits is older than this screen.
    pace.flush();
    batch(() => {
      hear(answer.value.serverWallMs);
      feed.value = fromOverview(answer.value, feed.value);
    });
    return true;
  }

  /** What came since the page was last drawn, folded and drawn at once. */
  function take(lines: readonly FeedLine[]): void {
    const before = feed.peek();
    if (!before) return;
    batch(() => {
      let after = before;
      const fresh = new Set<string>();
      for (const got of lines) {
        if (got.kind === 'beat') {
          hear(got.body.serverWallMs);
          if (sessionsOwed) void askSessions();
        }
        const next = applyLine(after, got, known);
        const episodeId = got.kind === 'event' ? got.body.alert?.episodeId : undefined;
        if (episodeId !== undefined && !after.alerts.has(episodeId) && next.alerts.has(episodeId)) fresh.add(episodeId);
        after = next;
      }
      if (fresh.size > 0) arrived.value = new Set([...arrived.peek(), ...fresh]);
      feed.value = after;
    });
  }
  const pace = createPace(take);

  /** An answer that did not come is asked for again with the next beat. */
  let sessionsOwed = false;
  async function askSessions(): Promise<void> {
    sessionsOwed = false;
    const asked = feed.peek()?.sessions ?? new Map();
    const answer = await client.evaluations(undefined, 1);
    if (!answer.ok) sessionsOwed = true;
    else if (feed.value) feed.value = withSessions(feed.value, answer.value.open, asked);
  }

  function listen(): void {
    line?.abort();
    line = new AbortController();
    connection.value = { kind: 'connecting' };
    const stop = life ? AbortSignal.any([life, line.signal]) : line.signal;
    keepLine(
      {
        cursor: () => {
          pace.flush();
          return feed.value?.cursor ?? '';
        },
        now: nowMs,
        onConnection: (next) => {
          // Between the first screen, or the end of the line before, and now evaluations may have changed.
          if (next.kind === 'live' && connection.peek().kind !== 'catching') void askSessions();
          connection.value = next;
          // Back on the line, every room has a moment to be heard before it counts as silent.
          if (next.kind === 'offline') lineDown.value = { since: next.sinceWallMs, until: Number.POSITIVE_INFINITY };
          else if (lineDown.peek()?.until === Number.POSITIVE_INFINITY)
            lineDown.value = { since: lineDown.peek()?.since ?? nowMs(), until: nowMs() + SETTLE_MS };
        },
        onLine: (got) => pace.add(got),
        onRefused: async (attempt) => {
          const answer = await client.session();
          if (answer.ok && !answer.value.user) {
            gate.value = { kind: 'login', expired: true };
            return false;
          }
          // The cursor itself may be what is refused (a restored database): take the first screen anew.
          if (answer.ok && attempt >= 2) await load();
          return true;
        },
      },
      stop,
    );
  }

  return {
    client,
    gate,
    feed,
    alerts,
    latest,
    plates,
    connection,
    place,
    lang,
    theme,
    shows,
    now,
    knownNow,
    arrived,
    nowMs,
    entered,
    start(stop) {
      life = stop;
      const tick = setInterval(() => {
        now.value = nowMs();
      }, 1_000);
      stop.addEventListener('abort', () => clearInterval(tick));
      addEventListener(
        'hashchange',
        () => {
          const fresh = setupToken(location.hash);
          if (fresh) token = fresh;
          const link = fresh ?? invitationToken(location.hash);
          if (link && gate.value.kind !== 'open') void check();
          else place.value = parseAddress(location.hash);
        },
        { signal: stop },
      );
      void check();
    },
    retry() {
      gate.value = { kind: 'loading' };
      void check();
    },
    async leave() {
      const answer = await client.logout();
      // A session that is over already is what was wanted.
      if (!answer.ok && answer.refusal.kind !== 'unauthorised') return answer.refusal;
      line?.abort();
      batch(() => {
        feed.value = undefined;
        gate.value = { kind: 'login', expired: false };
      });
      return undefined;
    },
    mayAct: () => gate.value.kind === 'open' && gate.value.user.role === 'supervisor',
    go(next, replace = false) {
      const hash = formatAddress(next);
      if (hash === location.hash) return;
      if (replace) history.replaceState(null, '', hash);
      else history.pushState(null, '', hash);
      place.value = next;
    },
    async act(episodeId, kind, note) {
      const answer = await client.act(episodeId, { kind, ...(note ? { note } : {}) });
      if (!answer.ok) return answer.refusal;
      // The feed brings the same; asking directly keeps the desk right while the line is down.
      const detail = await client.alert(episodeId);
      if (detail.ok && feed.value) feed.value = withAlert(feed.value, detail.value.alert);
      return undefined;
    },
    take(alert) {
      if (feed.value) feed.value = withAlert(feed.value, alert);
    },
    takeSession(evaluation) {
      if (feed.value) feed.value = withSession(feed.value, evaluation.roomId, evaluation);
    },
  };
}
