/** The address names what is on screen: hash ↔ place, pure. `#/queue/EPISODE?room=…&q=…`, `#token=…` for the set-up, `#invite=…` for a person. */

export const PAGES = ['wall', 'queue', 'sessions', 'rules', 'devices', 'people', 'log'] as const;
/** Pages beside those of the bar: the room editor, reached from a room. */
const INNER = ['setup'] as const;
export type Page = (typeof PAGES)[number] | (typeof INNER)[number];

export interface Place {
  readonly page: Page;
  /** Open episode on the queue page. */
  readonly episodeId?: string;
  /** Only this room is shown. */
  readonly room?: string;
  /** Seat within that room. */
  readonly seat?: string;
  /** Camera within that room. */
  readonly camera?: string;
  /** Evaluation that is shown, or whose alerts are. */
  readonly session?: string;
  /** Version of a rule pack, `name@version`, and which part of the rule page. */
  readonly pack?: string;
  readonly tab?: string;
  /** Words searched for. */
  readonly q?: string;
}

/** Reads a location hash; anything unknown is the wall. */
export function parseAddress(hash: string): Place {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  const [first, second] = path.split('/');
  const page = [...PAGES, ...INNER].find((name) => name === first) ?? 'wall';
  const params = new URLSearchParams(query);
  const room = params.get('room');
  const seat = params.get('seat');
  const camera = params.get('camera');
  const session = params.get('session');
  const pack = params.get('pack');
  const tab = params.get('tab');
  const q = params.get('q');
  let episodeId: string | undefined;
  try {
    episodeId = page === 'queue' && second ? decodeURIComponent(second) : undefined;
  } catch {
    episodeId = undefined;
  }
  return {
    page,
    ...(episodeId ? { episodeId } : {}),
    ...(room ? { room } : {}),
    ...(seat ? { seat } : {}),
    ...(camera ? { camera } : {}),
    ...(session ? { session } : {}),
    ...(pack ? { pack } : {}),
    ...(tab ? { tab } : {}),
    ...(q ? { q } : {}),
  };
}

/** The hash that parseAddress reads back to the same place. */
export function formatAddress(place: Place): string {
  const params = new URLSearchParams();
  if (place.room) params.set('room', place.room);
  if (place.seat) params.set('seat', place.seat);
  if (place.camera) params.set('camera', place.camera);
  if (place.session) params.set('session', place.session);
  if (place.pack) params.set('pack', place.pack);
  if (place.tab) params.set('tab', place.tab);
  if (place.q) params.set('q', place.q);
  const query = params.toString();
  const episode = place.episodeId ? `/${encodeURIComponent(place.episodeId)}` : '';
  return `#/${place.page}${episode}${query ? `?${query}` : ''}`;
}

/** The one-time token of the set-up URL, where the hash carries one. */
export function setupToken(hash: string): string | undefined {
  const match = /(?:^#|[#&?])token=([^&]+)/.exec(hash);
  try {
    return match?.[1] ? decodeURIComponent(match[1]) : undefined;
  } catch {
    return match?.[1];
  }
}

/** The one-time token of an invitation, where the hash carries one. */
export function invitationToken(hash: string): string | undefined {
  return /(?:^#|[#&?])invite=([\w-]+)/.exec(hash)?.[1];
}
