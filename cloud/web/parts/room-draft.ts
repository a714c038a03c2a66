/** The draft of one room on its way: loaded, changed with undo, kept over a reload, saved, followed until the box runs it. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { LayoutOrder, OrdersReport } from '../../../protocol/orders.ts';
import type { RoomCard } from '../../http/api.ts';
import type { Refusal } from '../state/client.ts';
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
      const fits = kept !== undefined && same(kept.base, start) && !same(kept.draft, start);
      if (!fits) keep(roomId, partsOf(start), undefined);
      setRestored(fits);
      setUndo(fits ? done(begun(partsOf(start)), kept.draft) : begun(partsOf(start)));
    });
    return () => {
      left = true;
    };
  }, [desk, roomId, heard, loads]);

  const now = going ?? undo?.now;
  const dirty = now !== undefined && base !== undefined && !same(now, base);
  useEffect(() => {
    if (base && now) keep(roomId, base, dirty ? now : undefined);
  }, [roomId, base, now, dirty]);

  async function send(layout: LayoutOrder | null, draft: Draft | undefined, was = tag): Promise<boolean> {
    if (sending.current) return false;
    sending.current = true;
    setSaved({ kind: 'saving' });
    const answer = await desk.client.orderLayout(roomId, layout, was);
    sending.current = false;
    if (!answer.ok) {
      setSaved({ kind: 'failed', refusal: answer.refusal });
      return false;
    }
    setOrder(answer.value.layout);
    setTag(answer.value.tag);
    setAside(undefined);
    setSaved({ kind: 'saved', revision: answer.value.revision });
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
    () => running !== undefined && base !== undefined && !same(running, atLoad.current) && !same(running, base),
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
    overtaken: (overtaken && dirty) || refused,
    aside: aside !== undefined && same(now, base),
    ordered: order !== undefined,
    saved,
    change: (draft, isStep = true) => (isStep ? step((before) => done(before, draft)) : setGoing(draft)),
    undo: () => step(undone),
    redo: () => step(redone),
    discard: () => base && step((before) => done(before, base)),
    async showTheirs() {
      const mine = now;
      const read = await reread();
      if (!read || !mine) return;
      setGoing(undefined);
      setUndo({ past: [], now: read.theirs, future: same(mine, read.theirs) ? [] : [mine] });
      setAside(mine);
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
    confirm(cameraId) {
      const counts = order ?? running;
      if (!counts) return Promise.resolve(false);
      const others = references?.filter((one) => one.cameraId !== cameraId) ?? [];
      const confirmed = { cameraId, confirmedWallMs: Math.round(desk.nowMs()) };
      return send({ ...partsOf(counts), references: [...others, confirmed] }, undefined);
    },
  };
}

/** What the box says of a layout that it would not take. */
export function isRefused(report: OrdersReport | undefined): OrdersReport['refused'][number] | undefined {
  return report?.refused.find(({ part }) => part === 'layout');
}
