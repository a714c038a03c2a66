/** Beside client.ts: what the rule page asks the cloud. */
import type {
  Bidders,
  CheckView,
  ListenView,
  PackName,
  PackVersionView,
  PackView,
  PublishRequest,
  RerunView,
  RulesView,
  SentenceView,
  SoundView,
} from '../../http/rules-api.ts';
import type { Answer } from './client.ts';
import type { DraftPack } from './rules-draft.ts';

/** A request with a JSON body, or with bytes of the given type. */
export type Ask = <T>(method: 'GET' | 'POST', path: string, body?: unknown) => Promise<Answer<T>>;

export interface RulesClient {
  list(): Promise<Answer<RulesView>>;
  pack(name: PackName): Promise<Answer<PackView>>;
  check(pack: DraftPack, phraseId?: string): Promise<Answer<CheckView>>;
  sentence(pack: DraftPack, said: { language: string; text: string; bidders: Bidders }): Promise<Answer<SentenceView>>;
  sound(wav: Blob): Promise<Answer<SoundView>>;
  listen(pack: DraftPack, sound: { soundId: string; language: string; bidders: Bidders }): Promise<Answer<ListenView>>;
  rerun(pack: DraftPack, base: PackName, room: string): Promise<Answer<RerunView>>;
  save(pack: DraftPack, note: string, base: PackName): Promise<Answer<PackVersionView>>;
  publish(request: PublishRequest): Promise<Answer<RulesView>>;
}

/** Where the signed file of a version is downloaded. */
export const packFileUrl = ({ name, version }: PackName) =>
  `/api/rules/packs/${encodeURIComponent(name)}/${encodeURIComponent(version)}/file`;

export function createRulesClient(ask: Ask): RulesClient {
  const part = encodeURIComponent;
  return {
    list: () => ask('GET', '/api/rules'),
    pack: ({ name, version }) => ask('GET', `/api/rules/packs/${part(name)}/${part(version)}`),
    check: (pack, phraseId) =>
      ask('POST', '/api/rules/check', { pack, ...(phraseId === undefined ? {} : { phraseId }) }),
    sentence: (pack, said) => ask('POST', '/api/rules/sentence', { pack, ...said }),
    sound: (wav) => ask('POST', '/api/rules/sounds', wav),
    listen: (pack, sound) => ask('POST', '/api/rules/listen', { pack, ...sound }),
    rerun: (pack, base, room) => ask('POST', '/api/rules/rerun', { pack, base, ...(room === '' ? {} : { room }) }),
    save: (pack, note, base) => ask('POST', '/api/rules/packs', { pack, note, base }),
    publish: (request) => ask('POST', '/api/rules/publish', request),
  };
}
