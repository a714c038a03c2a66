/** From "this version counts here" to the orders of each room: the narrowest place that covers a room counts, also for rooms that come later. */
import type { Logger } from 'pino';
import { InvalidInput } from '../../protocol/errors.ts';
import type { Sentence } from '../../protocol/event.ts';
import type { RulePackOrder } from '../../protocol/orders.ts';
import type { RoomCard } from '../http/api.ts';
import type { PlaceView, RoomRulesView } from '../http/rules-api.ts';
import type { Rooms } from '../ingest/rooms.ts';
import type { RulePlacement } from '../store/rules.ts';
import type { Store } from '../store/store.ts';
import type { Orders } from './orders.ts';

export interface Placing {
  view(): Promise<readonly RoomRulesView[]>;
  /**
   * Every room gets the order that its newest placement asks for, where it has another one; one that cannot take it keeps
   * none of the others from theirs. Throws what the first of those said.
   */
  apply(): Promise<void>;
  /** From now on rooms are looked at when they are heard for the first time, or under another centre. */
  start(): Promise<void>;
  close(): Promise<void>;
}

/** The province of a centre, by cloud.yaml; undefined where it names none. */
export type ProvinceOf = (centre: string) => string | undefined;

/** The narrower place goes before the wider one. */
const ORDER: readonly RulePlacement['kind'][] = ['room', 'centre', 'province', 'all'];

/**
 * The placement that counts for a room; `placements` are oldest first. One that only says that its place follows the next
 * wider one is the answer where no other covers the room: the box's own file counts then.
 */
export function placementFor(
  placements: readonly RulePlacement[],
  room: { readonly roomId: string; readonly centre: string; readonly province?: string | undefined },
): RulePlacement | undefined {
  const covering = placements.filter(
    ({ kind, of }) =>
      kind === 'all' ||
      (kind === 'province' && of === room.province) ||
      (kind === 'centre' && room.centre !== '' && of === room.centre) ||
      (kind === 'room' && of === room.roomId),
  );
  const byAge = covering.findLast((one) => one.byAge);
  // Of each kind one place at most covers a room.
  const standing = ORDER.flatMap((kind) => covering.findLast((one) => one.kind === kind) ?? []).filter(
    (one) => !one.byAge || one === byAge,
  );
  return standing.find(({ follows }) => !follows) ?? standing[0];
}

export function createPlacing(parts: {
  readonly store: Store;
  readonly rooms: Rooms;
  readonly orders: Pick<Orders, 'order' | 'current'>;
  readonly provinceOf: ProvinceOf;
  readonly log: Logger;
}): Placing {
  const { store, rooms, orders, provinceOf, log } = parts;
  const placeIn = (placements: readonly RulePlacement[], { roomId, centre }: Pick<RoomCard, 'roomId' | 'centre'>) =>
    placementFor(placements, { roomId, centre, province: provinceOf(centre) });
  /** Centre under which a room was last looked at. */
  const looked = new Map<string, string>();
  let work: Promise<void> = Promise.resolve();
  let stop = () => {};

  const cards = async (): Promise<RoomCard[]> => rooms.cards((await store.devices()).map(({ roomId }) => roomId));

  /** Rooms that could not be given theirs, with the reason. `automatic`: nobody has just published, the cloud does it by itself. */
  const applyTo = async (cardsNow: readonly RoomCard[], automatic: boolean): Promise<Map<string, unknown>> => {
    const placements = await store.rules.placements();
    const newest = placements.at(-1);
    const failed = new Map<string, unknown>();
    let read:
      | { readonly name: string; readonly version: string; readonly order: RulePackOrder | undefined }
      | undefined;
    for (const card of cardsNow) {
      const placement = placeIn(placements, card);
      if (!placement) continue;
      const { pack, placedBy } = placement;
      try {
        // A pack is up to some hundred kB, and most rooms have the same: the last one read is kept.
        if (pack && (read?.name !== pack.name || read.version !== pack.version))
          read = { ...pack, order: (await store.rules.version(pack.name, pack.version))?.order };
        const wanted = pack && read?.order;
        const { rulePack } = await orders.current(card.roomId);
        if (rulePack?.sha256 === wanted?.sha256 && rulePack?.keyId === wanted?.keyId) continue;
        await orders.order(
          card.roomId,
          { rulePack: wanted ?? null },
          {
            // Who published it did not do this hour's work: a room that comes later is given it by the cloud.
            actor: automatic || placement.placedWallMs !== newest?.placedWallMs ? 'cloud' : placedBy,
            action: wanted ? 'order_rules' : 'withdraw_rules',
            object: wanted ? `${card.roomId} ← ${wanted.name} ${wanted.version}` : card.roomId,
          },
        );
      } catch (error) {
        failed.set(card.roomId, error);
      }
    }
    return failed;
  };
  /** One after the other: two at once would order twice. */
  const inTurn = (
    cardsNow: () => Promise<readonly RoomCard[]>,
    automatic: boolean,
  ): Promise<ReadonlyMap<string, unknown>> => {
    const mine = work.then(async () => applyTo(await cardsNow(), automatic));
    work = mine.then(
      () => undefined,
      () => undefined,
    );
    return mine;
  };
  /** What a room can never take (its orders would be too large) is not asked of it again with each of its states. */
  const isForGood = (error: unknown) => error instanceof InvalidInput;

  return {
    async view() {
      const placements = await store.rules.placements();
      return (await cards()).map((card): RoomRulesView => {
        const placement = placeIn(placements, card);
        const province = provinceOf(card.centre);
        const refused = card.state?.orders?.refused.find(({ part }) => part === 'rulePack');
        return {
          roomId: card.roomId,
          name: card.name,
          centre: card.centre,
          ...(province === undefined ? {} : { province }),
          ...(placement && !placement.follows
            ? {
                placed: {
                  ...(placement.pack ? { pack: placement.pack } : {}),
                  by: placement.placedBy,
                  wallMs: placement.placedWallMs,
                  place: placeOf(placement),
                },
              }
            : {}),
          ...(card.state ? { running: card.state.rulePack } : {}),
          ...(card.heardWallMs === undefined ? {} : { heardWallMs: card.heardWallMs }),
          ...(refused ? { refused: { code: refused.code, reason: refused.reason, words: refusalWords(refused) } } : {}),
        };
      });
    },
    async apply() {
      let failed: ReadonlyMap<string, unknown>;
      try {
        failed = await inTurn(cards, false);
      } catch (error) {
        // The placement is stored: every room is looked at again with its next state.
        looked.clear();
        throw error;
      }
      for (const [roomId, error] of failed) if (!isForGood(error)) looked.delete(roomId);
      for (const error of failed.values()) throw error;
    },
    async start() {
      stop = rooms.onChange((change) => {
        if (change.kind !== 'state') return;
        const { roomId, state } = change;
        const { centre } = state.layout;
        if (looked.get(roomId) === centre) return;
        looked.set(roomId, centre);
        const again = (error: unknown) => {
          const words = isForGood(error)
            ? 'the rule pack of a room could not be ordered; it is left with what it has until another one is published'
            : 'the rule pack of a room could not be ordered; trying again with its next state';
          if (!isForGood(error)) looked.delete(roomId);
          log.error({ err: error, roomId }, words);
        };
        inTurn(async () => [{ roomId, name: state.layout.name, centre, snapshots: [] }], true).then((failed) => {
          for (const error of failed.values()) again(error);
        }, again);
      });
    },
    async close() {
      stop();
      await work;
    },
  };
}

const placeOf = ({ kind, of }: RulePlacement): PlaceView => (kind === 'all' ? { kind } : { kind, of });

/** What a box says by a code, in words for a supervisor. */
function refusalWords({ code, reason }: { readonly code: string; readonly reason: string }): Sentence {
  return WORDS[code] ?? { zh: `设备拒绝了这个规则包：${reason}`, en: `The box refused this rule pack: ${reason}` };
}
const WORDS: Readonly<Record<string, Sentence>> = {
  rule_pack_key: {
    zh: '设备不信任此云端的签名密钥：请重新登记设备，或把云端的公钥文件放到设备上。',
    en: "The box does not trust this cloud's signing key: enrol it again, or put the cloud's public key on it.",
  },
  rules_key_bad: {
    zh: '设备上的公钥文件损坏：请重新登记设备，或重新放置公钥文件。',
    en: 'The file with the public key on the box is damaged: enrol it again, or put the file there anew.',
  },
  rule_pack_forged: {
    zh: '内容与签名不符，设备没有采用：请重新发布，并检查是否有人改动过数据。',
    en: 'Files and signature do not belong together, so the box did not take it: publish again, and find out who changed it.',
  },
};
