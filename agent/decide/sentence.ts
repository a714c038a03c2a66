/** Plain words for people: durations and names as the desk writes them, Chinese first, English beside it. */
import type { Sentence } from '../../protocol/event.ts';
import type { RoomLayout } from '../../protocol/room.ts';

const two = (n: number) => String(n).padStart(2, '0');

/** 66,000 → `1分06秒`; whole seconds, rounded down so that a threshold is never shown as passed before it is. */
export function spanZh(ms: number): string {
  const s = Math.floor(ms / 1000);
  if (s < 60) return `${s}秒`;
  if (s < 3600) return `${Math.floor(s / 60)}分${two(s % 60)}秒`;
  return `${Math.floor(s / 3600)}小时${two(Math.floor((s % 3600) / 60))}分`;
}

/** 66,000 → `1 min 06 s`. */
export function spanEn(ms: number): string {
  const s = Math.floor(ms / 1000);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${two(s % 60)} s`;
  return `${Math.floor(s / 3600)} h ${two(Math.floor((s % 3600) / 60))} min`;
}

/** Chinese name of a seat as the layout gives it, else its id. */
export function seatZh(layout: RoomLayout, seatId: string): string {
  return layout.seats.find((s) => s.seatId === seatId)?.name ?? `${seatId}号席`;
}

/** English name of a seat. */
export function seatEn(seatId: string): string {
  return /^seat/i.test(seatId) ? seatId : `Seat ${seatId}`;
}

/** Why an episode ends although what it tells of is not known to be over. */
export const MAINTENANCE: Sentence = {
  zh: '检修许可期间不再提示',
  en: 'not told while work on the equipment is permitted',
};
export const UNHEARD_OF: Sentence = {
  zh: '重启后一直没有该设备的任何状态，事件到此为止',
  en: 'nothing has been heard of it since the restart, so this ends here',
};

/** A sentence with such a reason at its end. */
export function excused(said: Sentence, why: Sentence | undefined): Sentence {
  return why ? { zh: `${said.zh}；${why.zh}`, en: `${said.en}; ${why.en}` } : said;
}

/** Seconds with one decimal, for figures. */
export function seconds(ms: number): number {
  return Math.round(ms / 100) / 10;
}
