/** What a hostile box may send: bytes, JSON of any shape, and well-formed batches with something wrong in them. */
import fc from 'fast-check';
import type { RoomEvent } from '../../../protocol/event.ts';
import { episodeDraft, gapDraft } from '../../../scripts/storm/tickets.ts';

const AT = { wallMs: 1_790_000_000_000, monoMs: 1, bootId: 'boot', clock: 'sure' } as const;
const uuid = (n: number) => `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;

/** `count` events from `firstSeq`; ids are made of `salt`, so that different streams have different events. */
export function goodEvents(roomId: string, streamId: string, salt: number, count: number, firstSeq = 1): RoomEvent[] {
  return Array.from({ length: count }, (_, index) => ({
    ...episodeDraft(AT, `e-${salt}`, index, -1),
    eventId: uuid(salt * 1000 + firstSeq + index),
    streamId,
    seq: firstSeq + index,
    roomId,
  }));
}

export const batchJson = (streamId: string, events: readonly unknown[], lane = 'alert') =>
  JSON.stringify({ v: 1, streamId, lane, events });

const nested = (depth: number): unknown => JSON.parse('['.repeat(depth) + ']'.repeat(depth));

/** Values that have broken parsers, databases and pages. */
const junk: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(null, true, '', '\u0000', '\ud800', 'a\u0000b', 2 ** 53, 2 ** 53 - 1, -1, 0, 1.5),
  fc.constantFrom<unknown>(1e308, -1e308, [], {}, 'x'.repeat(70_000), '很'.repeat(5000), '__proto__', 9e15, -9e15),
  fc.constant({ toString: 1, constructor: null, __proto__: { a: 1 } }),
  fc.nat({ max: 1000 }).map((depth) => nested(depth + 1)),
  fc.jsonValue({ maxDepth: 4 }),
);

interface Change {
  readonly path: readonly number[];
  readonly kind: 'set' | 'remove' | 'add' | 'copy';
  readonly value: unknown;
}

const change: fc.Arbitrary<Change> = fc.record({
  path: fc.array(fc.nat({ max: 30 }), { minLength: 1, maxLength: 5 }),
  kind: fc.constantFrom('set', 'set', 'set', 'remove', 'add', 'copy'),
  value: junk,
});

/** Walks down the tree by numbers and changes what it finds there. */
function changed(tree: unknown, { path, kind, value }: Change): unknown {
  const root = { tree: structuredClone(tree) };
  let holder: Record<string, unknown> = root;
  let key = 'tree';
  for (const step of path) {
    const next = holder[key];
    if (typeof next !== 'object' || next === null) break;
    const keys = Object.keys(next);
    if (keys.length === 0) break;
    holder = next as Record<string, unknown>;
    key = keys[step % keys.length]!;
  }
  if (kind === 'set') holder[key] = value;
  else if (kind === 'remove') delete holder[key];
  else if (kind === 'add') Object.assign(holder, { [`extra${path.length}`]: value });
  else if (Array.isArray(holder)) holder.push(holder[Number(key)]);
  return root.tree;
}

/** A batch of room and stream with one to three things wrong in it. */
export const brokenBatch = (roomId: string, streamId: string, salt: number): fc.Arbitrary<string> =>
  fc
    .tuple(fc.integer({ min: 1, max: 6 }), fc.array(change, { minLength: 1, maxLength: 3 }))
    .map(
      ([count, changes]) =>
        JSON.stringify(
          changes.reduce<unknown>(changed, JSON.parse(batchJson(streamId, goodEvents(roomId, streamId, salt, count)))),
        ) ?? '',
    );

/** Anything at all on an events topic. */
export const anyPayload = (roomId: string, streamId: string, salt: number): fc.Arbitrary<Buffer> =>
  fc.oneof(
    { weight: 6, arbitrary: brokenBatch(roomId, streamId, salt).map((text) => Buffer.from(text)) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 4096 }).map((bytes) => Buffer.from(bytes)) },
    { weight: 1, arbitrary: fc.json({ maxDepth: 8 }).map((text) => Buffer.from(text)) },
    {
      weight: 1,
      // A number that JSON text can say and a double can not hold; NaN, which it can not say at all.
      arbitrary: fc
        .constantFrom('NaN', '1e999', '{"v":1e400}', '[', '"\\ud800"', `${'['.repeat(100_000)}`)
        .map(Buffer.from),
    },
  );

/** Wrong from end to end, each in its own way: what the list of threats names. */
export function namedPayloads(roomId: string, streamId: string): readonly Buffer[] {
  const [event] = goodEvents(roomId, streamId, 99, 1);
  const of = (over: object) => batchJson(streamId, [{ ...event, ...over }]);
  const gap = gapDraft(AT, 'gap');
  const deep = `{"v":1,"streamId":"${streamId}","lane":"alert","events":[${'{"seq":1,"a":'.repeat(30_000)}1${'}'.repeat(30_000)}]}`;
  return [
    of({ seq: 2 ** 53 }),
    of({ seq: -1 }),
    of({ seq: 0 }),
    of({ seq: 1.5 }),
    of({ seq: 1_000_000 }),
    of({ roomId: 'room-other' }),
    of({ streamId: 'somebody-else' }),
    of({ eventId: 'not-a-uuid' }),
    of({ at: { ...AT, wallMs: 9e15 } }),
    of({ body: { ...event!.body, sentence: { zh: 'x\u0000y', en: '' } } }),
    of({ body: gap.body }),
    batchJson(streamId, Array(51).fill(event)),
    batchJson(streamId, []),
    batchJson(streamId, [event, event]),
    batchJson(streamId, [event], 'routine'),
    deep,
    'x'.repeat(1024 * 1024),
    'x'.repeat(1024 * 1024 + 1),
  ].map((text) => Buffer.from(text));
}
