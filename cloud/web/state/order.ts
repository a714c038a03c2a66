/** In which order a supervisor sees alerts, and which ones: pure. */
import type { Behaviour } from '../../../protocol/event.ts';
import type { AlertView, RoomCard } from '../../http/api.ts';

export const GROUPS = ['open', 'acknowledged', 'closed'] as const;

/** Faults of ours are drawn apart: they must never look like faults of theirs. */
export function isOurFault(behaviour: Behaviour): boolean {
  return behaviour === 'camera_fault' || behaviour === 'microphone_fault';
}

/** Open before acknowledged before closed; alarms before notices; newest first. Updates do not move a row. */
export function compareAlerts(a: AlertView, b: AlertView): number {
  const group = GROUPS.indexOf(a.state) - GROUPS.indexOf(b.state);
  if (group !== 0) return group;
  if (a.state !== 'closed') {
    if (a.level !== b.level) return a.level === 'alarm' ? -1 : 1;
    if (a.escalated !== b.escalated) return a.escalated ? -1 : 1;
  }
  return b.firstStoredWallMs - a.firstStoredWallMs || (a.episodeId < b.episodeId ? -1 : 1);
}

export interface Filter {
  readonly room?: string;
  readonly seat?: string;
  /** Alerts of this evaluation only. */
  readonly session?: string;
  /** Words that must all occur in `textOf`. */
  readonly q?: string;
}

/** Sorted and filtered; `textOf` gives the words that a search looks through. */
export function queueOf(
  alerts: Iterable<AlertView>,
  filter: Filter,
  textOf: (alert: AlertView) => string,
): readonly AlertView[] {
  const words = (filter.q ?? '').toLowerCase().split(/\s+/).filter(Boolean);
  return [...alerts]
    .filter((alert) => !filter.room || alert.roomId === filter.room)
    .filter((alert) => !filter.session || alert.sessionId === filter.session)
    .filter((alert) => !filter.seat || alert.seatIds.includes(filter.seat))
    .filter((alert) => {
      if (words.length === 0) return true;
      const text = textOf(alert).toLowerCase();
      return words.every((word) => text.includes(word));
    })
    .sort(compareAlerts);
}

/** The row to read after `episodeId` in direction `step`; the first (last) row where none is open. */
export function neighbour(
  queue: readonly AlertView[],
  episodeId: string | undefined,
  step: 1 | -1,
): string | undefined {
  const index = queue.findIndex((alert) => alert.episodeId === episodeId);
  if (index < 0) return (step > 0 ? queue[0] : queue.at(-1))?.episodeId;
  return queue[Math.min(queue.length - 1, Math.max(0, index + step))]?.episodeId;
}

/** Rooms with open alarms first, then open notices, then by id: a tile rises in order, not in size. */
export function wallOf(rooms: Iterable<RoomCard>, alerts: Iterable<AlertView>): readonly RoomCard[] {
  const grave = new Map<string, number>();
  for (const alert of alerts) {
    if (alert.state !== 'open') continue;
    const weight = isOurFault(alert.behaviour) ? 1 : alert.level === 'alarm' ? 3 : 2;
    grave.set(alert.roomId, Math.max(grave.get(alert.roomId) ?? 0, weight));
  }
  return [...rooms].sort(
    (a, b) =>
      (grave.get(b.roomId) ?? 0) - (grave.get(a.roomId) ?? 0) ||
      a.roomId.localeCompare(b.roomId, 'en', { numeric: true }),
  );
}
