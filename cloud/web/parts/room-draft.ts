/** The draft of one room on its way: loaded, changed with undo, kept over a reload, saved, followed until the box runs it. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { LayoutOrder, OrdersReport } from '../../../protocol/orders.ts';
import type { LayoutView, RoomCard } from '../../http/api.ts';
import type { Answer, Refusal } from '../state/client.ts';
import { useDesk } from '../state/desk.ts';
import type { Draft } from '../state/draft.ts';
import { readShelf, writeShelf } from '../state/shelf.ts';
import { begun, done, redone, type Undo, undone } from '../state/undo.ts';

export type Saved =
  | { readonly kind: 'idle' | 'saving' }
  | { readonly kind: 'saved'; readonly revision: number }
  | { readonly kind: 'failed'; readonly refusal: Refusal };

export interface Drafting {
  /** Undefined while it is loaded. */
  readonly draft: Draft | undefined;
  readonly failed: Refusal | undefined;
  /** Asks anew for what could not be loaded. */
  retry(): void;
  readonly dirty: boolean;
  readonly canUndo: boolean;
  readonly canRedo: boolean;
  /** Unsaved changes of an earlier visit were found. */
  readonly restored: boolean;
  /** Somebody else saved meanwhile: what is here is not saved until it is decided which one stays. */
  readonly overtaken: boolean;
  /** What is shown is somebody else's, and the own one is a redo away. */
  readonly aside: boolean;
  /** Theirs instead of what is here, which one step of redo brings back. */
  showTheirs(): Promise<void>;
  /** What is here instead of theirs, saved. */
  keepMine(): Promise<void>;
  /** A layout is ordered; without one the box runs by its own file. */
  readonly ordered: boolean;
  readonly saved: Saved;
  /** `step` false: a drag goes on, and what it changes is one step with what follows. */
  change(draft: Draft, step?: boolean): void;
  undo(): void;
  redo(): void;
  discard(): void;
  save(): Promise<void>;
  /** The box's own file counts again. */
  withdraw(): Promise<void>;
  /** The picture of a camera is right as it is now; the draft is left alone. */
  confirm(cameraId: string): Promise<boolean>;
}

const partsOf = ({ seats, zones, doorLines, floor }: Draft): Draft => ({ seats, zones, doorLines, floor });
const same = (a: Draft | undefined, b: Draft | undefined) =>
  JSON.stringify(a && partsOf(a)) === JSON.stringify(b && partsOf(b));
const isChanged = (answer: Answer<LayoutView>) => !answer.ok && answer.refusal.said?.code === 'layout_changed';
const keyOf = (roomId: string) => `evalroom.draft.${roomId}`;

function keptDraft(roomId: string): { readonly base: Draft; readonly draft: Draft } | undefined {
  try {
    const kept: unknown = JSON.parse(readShelf(keyOf(roomId)) ?? 'null');
    return kept ? (kept as { base: Draft; draft: Draft }) : undefined;
  } catch {
    return undefined;
  }
}

function keep(roomId: string, base: Draft, draft: Draft | undefined): void {
  // Where the browser keeps nothing, the draft lives as long as the page, which asks before it is closed.
  writeShelf(keyOf(roomId), draft && JSON.stringify({ base, draft }));
}

export function useDraft(room: RoomCard): Drafting {
  const desk = useDesk();
  const { roomId } = room;
  const running = room.state?.layout;
  const [order, setOrder] = useState<LayoutOrder | undefined>(undefined);
  const [tag, setTag] = useState('');
  const [aside, setAside] = useState<Draft | undefined>(undefined);
  const isAside = useRef(aside);
  isAside.current = aside;
  /** One order at a time: a second Ctrl+S while one is on its way saves nothing twice. */
  const sending = useRef(false);
  const [base, setBase] = useState<Draft | undefined>(undefined);
  const [undo, setUndo] = useState<Undo<Draft> | undefined>(undefined);
  const [going, setGoing] = useState<Draft | undefined>(undefined);
  const [failed, setFailed] = useState<Refusal | undefined>(undefined);
  const [restored, setRestored] = useState(false);
  const [saved, setSaved] = useState<Saved>({ kind: 'idle' });
  const [loads, setLoads] = useState(0);
  const heard = running !== undefined;
  const newest = useRef(running);
  newest.current = running;
  const atLoad = useRef<Draft | undefined>(undefined);
  /** What is on its way, or was sent and its answer never came: it may be what counts. */
  const lost = useRef<Draft | undefined>(undefined);

  useEffect(() => {
    if (!heard) return;
    let left = false;
    void desk.client.layout(roomId).then((answer) => {
      if (left) return;
      if (!answer.ok) return setFailed(answer.refusal);
      const own = newest.current;
      atLoad.current = own;
      const start = answer.value.layout ?? own;
      if (!start) return;
      setOrder(answer.value.layout);
      setTag(answer.value.tag);
      setBase(partsOf(start));
      const kept = keptDraft(roomId);
      // Only where it was made from what counts now: else it would take back what somebody else did since.
      const put = isAside.current;
      const fits = !put && kept !== undefined && same(kept.base, start) && !same(kept.draft, start);
      if (!fits) keep(roomId, partsOf(start), put);
      setRestored(fits);
      const fresh = { ...begun(partsOf(start)), future: put ? [put] : [] };
      setUndo(fits ? done(fresh, kept.draft) : fresh);
    });
    return () => {
      left = true;
    };
  }, [desk, roomId, heard, loads]);

  const now = going ?? undo?.now;
  const dirty = now !== undefined && base !== undefined && !same(now, base);
  useEffect(() => {
    // What was put aside is kept as well: else a reload would take it.
    if (base && now) keep(roomId, base, dirty ? now : aside);
  }, [roomId, base, now, dirty, aside]);
  const isDirty = useRef(dirty);
  isDirty.current = dirty;

  /** The own order once more, where the cloud says that another layout counts by now: it may be the own one, whose answer was lost. */
  async function settle(
    layout: LayoutOrder | null,
    draft: Draft | undefined,
    earlier: Draft | undefined,
  ): Promise<Answer<LayoutView> | undefined> {
    const counts = await desk.client.layout(roomId);
    if (!counts.ok) return undefined;
    const theirs = counts.value.layout;
    if (layout === null ? theirs === undefined : draft !== undefined && same(theirs, draft)) return counts;
    if (theirs && same(theirs, earlier)) return desk.client.orderLayout(roomId, layout, counts.value.tag);
    return undefined;
  }
  /** Sends one order at a time, and says what came of it. Undefined: another one is on its way. */
  async function sent(work: () => Promise<Answer<LayoutView>>): Promise<LayoutView | undefined> {
    if (sending.current) return undefined;
    sending.current = true;
    setSaved({ kind: 'saving' });
    const answer = await work();
    sending.current = false;
    if (answer.ok) {
      setSaved({ kind: 'saved', revision: answer.value.revision });
      return answer.value;
    }
    setSaved({ kind: 'failed', refusal: answer.refusal });
    // Nothing of one's own to decide about: what counts is shown.
    if (isChanged(answer) && !isDirty.current) setLoads((n) => n + 1);
    return undefined;
  }
  async function send(layout: LayoutOrder | null, draft: Draft | undefined, was = tag): Promise<boolean> {
    const now = await sent(async () => {
      const earlier = lost.current;
      lost.current = draft ?? earlier;
      const answer = await desk.client.orderLayout(roomId, layout, was);
      const last = isChanged(answer) ? ((await settle(layout, draft, earlier)) ?? answer) : answer;
      if (last.ok) lost.current = undefined;
      else if (last.refusal.kind !== 'unreachable' && last.refusal.kind !== 'server') lost.current = earlier;
      return last;
    });
    if (!now) return false;
    setOrder(now.layout);
    setTag(now.tag);
    setAside(undefined);
    setRestored(false);
    if (draft) setBase(draft);
    return true;
  }
  const references = order?.references;
  const step = (change: (undo: Undo<Draft>) => Undo<Draft>) => {
    setGoing(undefined);
    setUndo((before) => before && change(before));
    setSaved((before) => (before.kind === 'failed' ? { kind: 'idle' } : before));
  };
  // The box has begun to run what is neither what was loaded nor what was saved here: somebody else was faster.
  const overtaken = useMemo(
    () =>
      running !== undefined &&
      base !== undefined &&
      ![atLoad.current, base, lost.current].some((one) => same(running, one)),
    [running, base],
  );
  useEffect(() => {
    if (overtaken && !dirty) setLoads((n) => n + 1);
  }, [overtaken, dirty]);
  const refused = saved.kind === 'failed' && saved.refusal.said?.code === 'layout_changed';

  /** What counts by now: the base of all that follows. Undefined where the cloud does not say. */
  async function reread(): Promise<{ theirs: Draft; references: LayoutOrder['references']; tag: string } | undefined> {
    const answer = await desk.client.layout(roomId);
    if (!answer.ok) {
      setSaved({ kind: 'failed', refusal: answer.refusal });
      return undefined;
    }
    const theirs = answer.value.layout ?? newest.current;
    if (!theirs) return undefined;
    atLoad.current = newest.current;
    setOrder(answer.value.layout);
    setTag(answer.value.tag);
    setBase(partsOf(theirs));
    return { theirs: partsOf(theirs), references: answer.value.layout?.references, tag: answer.value.tag };
  }
  return {
    draft: now,
    failed,
    retry() {
      setFailed(undefined);
      setLoads((n) => n + 1);
    },
    dirty,
    canUndo: (undo?.past.length ?? 0) > 0,
    canRedo: (undo?.future.length ?? 0) > 0,
    restored: restored && dirty,
    overtaken: dirty && (overtaken || refused),
    aside: aside !== undefined && same(now, base),
    ordered: order !== undefined,
    saved,
    change(draft, isStep = true) {
      if (!isStep) return setGoing(draft);
      // Drawn on theirs: there is nothing any more that redo would bring back.
      setAside(undefined);
      step((before) => done(before, draft));
    },
    undo: () => step(undone),
    redo: () => step(redone),
    discard() {
      setAside(undefined);
      if (base) step((before) => done(before, base));
    },
    async showTheirs() {
      const mine = now;
      const read = await reread();
      if (!read || !mine) return;
      setGoing(undefined);
      setUndo({ past: [], now: read.theirs, future: same(mine, read.theirs) ? [] : [mine] });
      setAside(same(mine, read.theirs) ? undefined : mine);
      setRestored(false);
      setSaved({ kind: 'idle' });
    },
    async keepMine() {
      const mine = now;
      const read = await reread();
      if (!read || !mine) return;
      setUndo(done(begun(read.theirs), mine));
      await send(
        { ...partsOf(mine), ...(read.references ? { references: read.references } : {}) },
        partsOf(mine),
        read.tag,
      );
    },
    async save() {
      if (now) await send({ ...partsOf(now), ...(references ? { references } : {}) }, partsOf(now));
    },
    async withdraw() {
      // What the box's own file says is known once the box runs by it.
      if ((await send(null, undefined)) && base) step((before) => done(before, base));
    },
    async confirm(cameraId) {
      const counts = order ?? running;
      if (!counts) return false;
      const confirmed = { cameraId, confirmedWallMs: Math.round(desk.nowMs()) };
      const withIt = (layout: Draft, known: LayoutOrder['references'] = []): LayoutOrder => ({
        ...partsOf(layout),
        references: [...known.filter((one) => one.cameraId !== cameraId), confirmed],
      });
      let elsewhere = false;
      const now = await sent(async () => {
        const answer = await desk.client.orderLayout(roomId, withIt(counts, references), tag);
        if (!isChanged(answer)) return answer;
        // Somebody drew meanwhile, which is no matter of this picture: confirmed on top of theirs.
        const theirs = await desk.client.layout(roomId);
        const drawn = theirs.ok ? (theirs.value.layout ?? newest.current) : undefined;
        if (!theirs.ok || !drawn) return theirs.ok ? answer : theirs;
        elsewhere = true;
        return desk.client.orderLayout(roomId, withIt(drawn, theirs.value.layout?.references), theirs.value.tag);
      });
      if (!now) return false;
      if (elsewhere) {
        // The own draft is still made from the older one, and saving it has to ask first.
        if (!isDirty.current) setLoads((n) => n + 1);
        return true;
      }
      setOrder(now.layout);
      setTag(now.tag);
      return true;
    },
  };
}

/** What the box says of a layout that it would not take. */
export function isRefused(report: OrdersReport | undefined): OrdersReport['refused'][number] | undefined {
  return report?.refused.find(({ part }) => part === 'layout');
}
