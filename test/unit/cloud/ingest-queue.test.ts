/** What goes into the next transaction: order within a stream, patience with holes, bounds. */
import { describe, expect, it } from 'vitest';
import { createQueue } from '../../../cloud/ingest/queue.ts';
import type { Delivery } from '../../../cloud/store/store.ts';
import { batchBytes, gapBody, roomEvent } from '../../medium/cloud/events.ts';

const heard = (streamId: string, from: number, count = 1, roomId = 'room-1') => ({
  roomId,
  lane: 'routine' as const,
  payload: batchBytes(Array.from({ length: count }, (_, i) => roomEvent(streamId, from + i, gapBody(), roomId))),
});
const seqs = (taken: readonly Delivery[]) => taken.map(({ streamId, good }) => `${streamId} ${good[0]!.seq}`);

describe('the ingest queue', () => {
  it('takes a stream in order, and nothing of it while it is in a transaction', () => {
    const queue = createQueue(() => undefined);
    queue.offer(heard('a', 1));
    queue.offer(heard('a', 2));
    queue.offer(heard('b', 1));
    const first = queue.take(0);
    expect(seqs(first)).toEqual(['a 1', 'a 2', 'b 1']);
    queue.offer(heard('a', 3));
    queue.offer(heard('c', 1));
    expect(seqs(queue.take(0))).toEqual(['c 1']);
    queue.done(first);
    queue.reached('a', 2);
    expect(seqs(queue.take(0))).toEqual(['a 3']);
    expect(queue.length).toBe(0);
  });

  it('fills a transaction with at most 500 events, and leaves the rest in order', () => {
    const queue = createQueue(() => undefined);
    for (let i = 0; i < 12; i++) queue.offer(heard('a', 1 + i * 50, 50));
    expect(queue.ready(0)).toBe(500);
    expect(queue.ready(0)).toBe(500);
    const first = queue.take(0);
    expect(seqs(first)).toEqual(Array.from({ length: 10 }, (_, i) => `a ${1 + i * 50}`));
    queue.reached('a', 500);
    queue.done(first);
    expect(seqs(queue.take(0))).toEqual(['a 501', 'a 551']);
  });

  it('waits half a second for what another worker has, and no longer', () => {
    const queue = createQueue(() => undefined);
    queue.offer(heard('a', 3));
    queue.offer(heard('b', 2));
    queue.offer(heard('c', 7));
    expect(queue.take(0)).toEqual([]);
    expect(queue.doubtful()).toEqual(['a', 'b', 'c']);
    queue.reached('b', 1);
    queue.reached('c', Number.POSITIVE_INFINITY);
    const told = queue.take(10);
    expect(seqs(told)).toEqual(['b 2', 'c 7']);
    queue.done(told);
    expect(queue.take(499)).toEqual([]);
    expect(seqs(queue.take(500))).toEqual(['a 3']);
  });

  it('lets what fills the hole pass what waits behind it, and takes both together', () => {
    const queue = createQueue(() => undefined);
    queue.offer(heard('a', 2));
    expect(queue.take(0)).toEqual([]);
    queue.offer(heard('a', 1));
    const first = queue.take(0);
    expect(seqs(first)).toEqual(['a 1']);
    queue.done(first);
    queue.reached('a', 1);
    expect(seqs(queue.take(0))).toEqual(['a 2']);
  });

  it('has no patience with a room that sends holes, so that the others do not wait for it', () => {
    const queue = createQueue(() => undefined);
    for (let i = 0; i < 1000; i++) queue.offer(heard(`a-${i}`, 9));
    queue.offer(heard('b', 1, 1, 'room-2'));
    const taken: string[] = [];
    for (let turn = 0; turn < 3; turn++) taken.push(...seqs(queue.take(0)));
    expect(taken).toContain('b 1');
    expect(queue.length).toBeLessThanOrEqual(16);
  });

  it('does not let a room hold up the stream of another one', () => {
    const queue = createQueue(() => undefined);
    queue.offer(heard('a', 1, 1, 'room-2'));
    expect(seqs(queue.take(0))).toEqual(['a 1']);
    queue.offer(heard('a', 1));
    expect(seqs(queue.take(0))).toEqual(['a 1']);
  });

  it('is bounded in bytes and in payloads, and takes again what there is room for', () => {
    const queue = createQueue(() => undefined);
    const bytes = { roomId: 'room-1', lane: 'routine' as const, payload: new Uint8Array(1024 * 1024) };
    for (let i = 0; i < 32; i++) expect(queue.offer(bytes)).toBe(true);
    expect(queue.offer(bytes)).toBe(false);
    expect(queue.take(0)).toEqual([]);
    for (let i = 0; i < 20_000; i++) expect(queue.offer({ ...bytes, payload: new Uint8Array(1) })).toBe(true);
    expect(queue.offer({ ...bytes, payload: new Uint8Array(1) })).toBe(false);
  });

  it('tells of what cannot be read', () => {
    const codes: string[] = [];
    const queue = createQueue(({ code }) => codes.push(code));
    queue.offer({ roomId: 'room-1', lane: 'routine', payload: Buffer.from('{') });
    expect(queue.ready(0)).toBe(0);
    expect(codes).toEqual(['not_json']);
    expect(queue.length).toBe(0);
  });
});
