/** Times in words, as a supervisor would say them; every clock time is shown in the time zone of its room. */

export type Lang = 'zh' | 'en';

const two = (n: number): string => String(n).padStart(2, '0');

/** `6秒`, `1分06秒`, `2小时05分` / `6 s`, `1 min 06 s`, `2 h 05 min`; negative counts as 0. */
export function durationWords(ms: number, lang: Lang): string {
  const s = Math.floor(Math.max(0, ms) / 1000);
  const [h, m, rest] = [Math.floor(s / 3600), Math.floor(s / 60) % 60, s % 60];
  if (lang === 'zh') {
    if (h > 0) return `${h}小时${two(m)}分`;
    return m > 0 ? `${m}分${two(rest)}秒` : `${rest}秒`;
  }
  if (h > 0) return `${h} h ${two(m)} min`;
  return m > 0 ? `${m} min ${two(rest)} s` : `${rest} s`;
}

/** A running timer: `0:06`, `1:06`, `2:05:09`. */
export function timer(ms: number): string {
  const s = Math.floor(Math.max(0, ms) / 1000);
  const h = Math.floor(s / 3600);
  const m = Math.floor(s / 60) % 60;
  return h > 0 ? `${h}:${two(m)}:${two(s % 60)}` : `${m}:${two(s % 60)}`;
}

/** How long ago: `刚刚`, `12秒前`, `3分钟前`, `2小时前`, `3天前` / `just now`, `12 s ago` … */
export function agoWords(ms: number, lang: Lang): string {
  const s = Math.floor(Math.max(0, ms) / 1000);
  const zh = lang === 'zh';
  if (s < 3) return zh ? '刚刚' : 'just now';
  if (s < 60) return zh ? `${s}秒前` : `${s} s ago`;
  if (s < 3600) return zh ? `${Math.floor(s / 60)}分钟前` : `${Math.floor(s / 60)} min ago`;
  if (s < 86_400) return zh ? `${Math.floor(s / 3600)}小时前` : `${Math.floor(s / 3600)} h ago`;
  return zh ? `${Math.floor(s / 86_400)}天前` : `${Math.floor(s / 86_400)} d ago`;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone);
  if (!format) {
    const options = {
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      hourCycle: 'h23',
    } as const;
    try {
      format = new Intl.DateTimeFormat('en-GB', { ...options, timeZone: zone });
    } catch {
      // A zone that this browser does not know must not take the page down; UTC is named as such by zoneWords.
      format = new Intl.DateTimeFormat('en-GB', { ...options, timeZone: 'UTC' });
    }
    formats.set(zone, format);
  }
  return format;
}

interface Parts {
  readonly year: string;
  readonly month: string;
  readonly day: string;
  readonly time: string;
}

function partsOf(wallMs: number, zone: string): Parts {
  const found: Record<string, string> = {};
  for (const { type, value } of formatOf(zone).formatToParts(wallMs)) found[type] = value;
  const { year = '', month = '', day = '', hour = '', minute = '', second = '' } = found;
  return { year, month, day, time: `${hour}:${minute}:${second}` };
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `14:03:22`, with the date before it when it is not the day of `nowMs` in that zone. */
export function clockTime(wallMs: number, zone: string, nowMs: number, lang: Lang): string {
  const at = partsOf(wallMs, zone);
  const now = partsOf(nowMs, zone);
  if (at.year === now.year && at.month === now.month && at.day === now.day) return at.time;
  const year = at.year === now.year ? '' : lang === 'zh' ? `${at.year}年` : ` ${at.year}`;
  if (lang === 'zh') return `${year}${Number(at.month)}月${Number(at.day)}日 ${at.time}`;
  return `${Number(at.day)} ${MONTHS[Number(at.month) - 1] ?? at.month}${year} ${at.time}`;
}

/** `HH:MM` of the day that it is at `nowMs` in that zone, in ms since the epoch. */
export function todayAt(time: string, zone: string, nowMs: number): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  const [h = 0, m = 0, s = 0] = partsOf(nowMs, zone).time.split(':').map(Number);
  const midnight = Math.floor(nowMs / 1000) * 1000 - ((h * 60 + m) * 60 + s) * 1000;
  return midnight + (hours * 60 + minutes) * 60_000;
}

/** The zone as people say it, for the clock in the frame: `北京时间` for Shanghai, else the city. */
export function zoneWords(zone: string, lang: Lang): string {
  if (zone === 'Asia/Shanghai') return lang === 'zh' ? '北京时间' : 'Beijing';
  const city = zone.split('/').pop() ?? zone;
  return city.replaceAll('_', ' ');
}

/** `1.2 GB`, `820 MB`, `12 kB`. */
export function bytesWords(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(bytes >= 1e11 ? 0 : 1)} GB`;
  if (bytes >= 1e6) return `${(bytes / 1e6).toFixed(bytes >= 1e7 ? 0 : 1)} MB`;
  return `${Math.max(0, Math.round(bytes / 1e3))} kB`;
}
