/** The routes of the rule page: shapes of requests are judged here, everything else in review/rules.ts. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { InvalidInput } from '../../protocol/errors.ts';
import { requireSupervisor } from '../review/access.ts';
import type { Rules } from '../review/rules.ts';
import { type PackName, type PlaceView, SOUND_BYTES } from './rules-api.ts';
import { BIDDER_NAMES_MAX } from './sessions-api.ts';

/** A draft with 2,000 phrases. */
const DRAFT_BYTES = 2 * 1024 * 1024;

/** Bidders of a try: as many as an evaluation may have. */
const BIDDERS_MAX = 50;

type Body = Readonly<Record<string, unknown>>;

export function routeRules(app: FastifyInstance, { rules }: { readonly rules: Rules }): void {
  const drafts = { bodyLimit: DRAFT_BYTES };
  const name = (request: FastifyRequest) => request.params as PackName;
  // Who asks is answered before what they ask.
  const body = (request: FastifyRequest): Body => {
    requireSupervisor(request.viewer);
    return (typeof request.body === 'object' && request.body !== null ? request.body : {}) as Body;
  };

  app.get('/api/rules', async (request) => rules.list(request.viewer));
  app.get('/api/rules/packs/:name/:version', async (request) => rules.pack(request.viewer, name(request)));
  app.get('/api/rules/packs/:name/:version/file', async (request, reply) => {
    const order = await rules.file(request.viewer, name(request));
    return reply
      .headers({
        'content-type': 'application/json; charset=utf-8',
        'content-disposition': `attachment; filename="${order.name}-${order.version}.rules.json"`,
      })
      .send(order);
  });
  app.post('/api/rules/check', drafts, async (request) => {
    const { pack, phraseId } = body(request);
    return rules.check(request.viewer, {
      pack,
      ...(phraseId === undefined ? {} : { phraseId: text(phraseId, 'phraseId') }),
    });
  });
  app.post('/api/rules/sentence', drafts, async (request) => {
    const { pack, language, text: said, bidders } = body(request);
    return rules.sentence(request.viewer, {
      pack,
      ...{ language: text(language, 'language'), text: text(said, 'text') },
      ...biddersOf(bidders),
    });
  });
  app.post('/api/rules/listen', drafts, async (request) => {
    const { pack, soundId, language, bidders } = body(request);
    return rules.listen(request.viewer, {
      pack,
      soundId: text(soundId, 'soundId'),
      ...(language === undefined ? {} : { language: text(language, 'language') }),
      ...biddersOf(bidders),
    });
  });
  app.post('/api/rules/rerun', drafts, async (request) => {
    const { pack, base, room } = body(request);
    return rules.rerun(request.viewer, {
      pack,
      base: packName(base),
      ...(room === undefined ? {} : { room: text(room, 'room') }),
    });
  });
  app.post('/api/rules/packs', drafts, async (request, reply) => {
    const { pack, note, base } = body(request);
    const saved = await rules.save(request.viewer, {
      pack,
      note: text(note ?? '', 'note'),
      ...(base === undefined ? {} : { base: packName(base) }),
    });
    return reply.code(201).send(saved);
  });
  app.post('/api/rules/publish', drafts, async (request) => {
    const { pack, follow, to } = body(request);
    if (!Array.isArray(to)) throw wrong('to');
    return rules.publish(request.viewer, {
      to: to.map(placeOf),
      ...(pack !== undefined && pack !== null ? { pack: packName(pack) } : follow === true ? { follow } : {}),
    });
  });
  void app.register(async (scope) => {
    scope.addContentTypeParser(
      ['audio/wav', 'audio/x-wav', 'audio/wave', 'audio/vnd.wave'],
      { parseAs: 'buffer', bodyLimit: SOUND_BYTES },
      (_request, bytes, done) => done(null, bytes),
    );
    scope.post('/api/rules/sounds', { bodyLimit: SOUND_BYTES }, async (request, reply) => {
      requireSupervisor(request.viewer);
      if (!Buffer.isBuffer(request.body)) throw wrong('the recording');
      return reply.code(201).send(await rules.keepSound(request.viewer, new Uint8Array(request.body)));
    });
  });
}

const wrong = (what: string) => new InvalidInput('bad_request', `handling rule packs: ${what} is not valid`);

function text(value: unknown, what: string): string {
  if (typeof value !== 'string' || value.includes('\u0000')) throw wrong(what);
  return value;
}

/** At most as many as an evaluation may have. */
function biddersOf(value: unknown): { bidders?: string[][] } {
  if (value === undefined) return {};
  if (!Array.isArray(value) || value.length > BIDDERS_MAX) throw wrong('bidders');
  const bidders = value.map((names: unknown) => {
    if (!Array.isArray(names) || names.length === 0 || names.length > BIDDER_NAMES_MAX) throw wrong('bidders');
    return names.map((name) => {
      const said = text(name, 'bidders').trim();
      if (said === '' || said.length > 100) throw wrong('bidders');
      return said;
    });
  });
  return bidders.length === 0 ? {} : { bidders };
}

function packName(value: unknown): PackName {
  const { name, version } = (value ?? {}) as Body;
  return { name: text(name, 'name'), version: text(version, 'version') };
}

function placeOf(value: unknown): PlaceView {
  const { kind, of } = (value ?? {}) as Body;
  if (kind === 'all') return { kind };
  if (
    (kind !== 'province' && kind !== 'centre' && kind !== 'room') ||
    typeof of !== 'string' ||
    of === '' ||
    of.length > 200 ||
    of.includes('\u0000')
  )
    throw wrong('to');
  return { kind, of };
}
