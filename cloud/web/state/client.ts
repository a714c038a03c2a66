/** Asks the cloud over HTTP; a refusal is an answer, not an exception. */

import type { Overlay } from '../../../protocol/clip.ts';
import type { LayoutOrder } from '../../../protocol/orders.ts';
import {
  type ActionRequest,
  type ActionView,
  type AlertDetailView,
  type AlertListView,
  type AlertView,
  type ClipGrantView,
  type DeviceCodeView,
  type DevicesView,
  type ErrorView,
  type LayoutView,
  type LogView,
  type OverviewView,
  PICTURE_AGE,
  type RefusedView,
  type SessionView,
  type UserView,
} from '../../http/api.ts';
import type { InvitationView, PeopleView, PersonLinkView, PersonRole, PersonView } from '../../http/people-api.ts';
import type {
  BeginRequest,
  ChosenPhase,
  EvaluationDetailView,
  EvaluationsView,
  EvaluationView,
  PermitRequest,
  SessionAlertsView,
} from '../../http/sessions-api.ts';
import { createRulesClient, type RulesClient } from './rules-client.ts';

export type RefusalKind = 'unauthorised' | 'forbidden' | 'absent' | 'invalid' | 'busy' | 'unreachable' | 'server';
export interface Refusal {
  readonly kind: RefusalKind;
  /** What the cloud itself said, where it could. */
  readonly said?: ErrorView;
}
export type Answer<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly refusal: Refusal };

export interface Client {
  session(): Promise<Answer<SessionView>>;
  setup(token: string, name: string, password: string): Promise<Answer<UserView | undefined>>;
  login(name: string, password: string): Promise<Answer<UserView | undefined>>;
  logout(): Promise<Answer<undefined>>;
  overview(): Promise<Answer<OverviewView>>;
  alert(episodeId: string): Promise<Answer<AlertDetailView>>;
  /** Those whose newest event was stored before `before`, newest first. */
  alerts(room: string, before: number, limit: number): Promise<Answer<AlertListView>>;
  act(episodeId: string, request: ActionRequest): Promise<Answer<ActionView>>;
  /** Writes the entry in the log and opens the files for this session. */
  view(clipId: string): Promise<Answer<ClipGrantView>>;
  overlay(url: string): Promise<Answer<Overlay>>;
  log(before: number | undefined, limit: number): Promise<Answer<LogView>>;
  refused(): Promise<Answer<RefusedView>>;
  /** An MP4 copy with blurred heads: takes the cloud some seconds. */
  exportClip(clipId: string): Promise<Answer<Blob>>;
  /** A large one of this moment, asked of the box and written in the log. */
  picture(roomId: string, cameraId: string): Promise<Answer<{ readonly jpeg: Blob; readonly wallMs: number }>>;
  layout(roomId: string): Promise<Answer<LayoutView>>;
  /** null: the box's own room.yaml counts again. `was`: the tag of the layout that it was made from. */
  orderLayout(roomId: string, layout: LayoutOrder | null, was: string): Promise<Answer<LayoutView>>;
  devices(): Promise<Answer<DevicesView>>;
  deviceCode(deviceId: string, roomId: string): Promise<Answer<DeviceCodeView>>;
  revokeDevice(deviceId: string): Promise<Answer<undefined>>;
  /** `before`: begunWallMs of the last one of the page before. */
  evaluations(room: string | undefined, limit: number, before?: number): Promise<Answer<EvaluationsView>>;
  evaluation(sessionId: string): Promise<Answer<EvaluationDetailView>>;
  evaluationAlerts(sessionId: string, limit: number, before?: AlertView): Promise<Answer<SessionAlertsView>>;
  begin(roomId: string, request: BeginRequest): Promise<Answer<EvaluationView>>;
  phase(sessionId: string, phase: ChosenPhase): Promise<Answer<EvaluationView>>;
  permit(sessionId: string, request: PermitRequest): Promise<Answer<EvaluationView>>;
  revokePermit(sessionId: string, permitId: string): Promise<Answer<EvaluationView>>;
  end(sessionId: string): Promise<Answer<EvaluationView>>;
  readonly rules: RulesClient;
  people(): Promise<Answer<PeopleView>>;
  addPerson(name: string, role: PersonRole): Promise<Answer<PersonLinkView>>;
  personLink(userId: string): Promise<Answer<PersonLinkView>>;
  setPerson(userId: string, what: 'disable' | 'enable'): Promise<Answer<PersonView>>;
  password(password: string, next: string): Promise<Answer<undefined>>;
  invitation(token: string): Promise<Answer<InvitationView>>;
  accept(token: string, password: string): Promise<Answer<SessionView>>;
}

const KINDS: Readonly<Record<number, RefusalKind>> = {
  400: 'invalid',
  401: 'unauthorised',
  403: 'forbidden',
  404: 'absent',
  409: 'invalid',
  413: 'invalid',
  422: 'invalid',
  429: 'busy',
  503: 'busy',
};

/** A question that is not answered by then is a cloud that cannot be reached. */
const ASK_MS = 180_000;
/** A copy of a clip may take five minutes to make, and two others may be made before it; its download has no limit. */
const EXPORT_MS = 1_200_000;

/** `onUnauthorised` is called for every 401, so that the page can ask for a login without losing its place. */
export function createClient(options: { onUnauthorised: () => void }): Client {
  async function ask<T>(method: 'GET' | 'POST', path: string, body?: unknown, limitMs = ASK_MS): Promise<Answer<T>> {
    const giveUp = new AbortController();
    const timer = setTimeout(() => giveUp.abort(), limitMs);
    try {
      return await answer<T>({ method, path, body, signal: giveUp.signal, onCopy: () => clearTimeout(timer) });
    } finally {
      clearTimeout(timer);
    }
  }
  async function answer<T>(question: {
    readonly method: 'GET' | 'POST';
    readonly path: string;
    readonly body: unknown;
    readonly signal: AbortSignal;
    /** The copy of a clip begins to arrive. */
    readonly onCopy: () => void;
  }): Promise<Answer<T>> {
    const { method, path, body, signal, onCopy } = question;
    let response: Response;
    try {
      response = await fetch(path, {
        method,
        credentials: 'same-origin',
        headers: { accept: 'application/json', ...(body === undefined ? {} : { 'content-type': typeOf(body) }) },
        ...(body === undefined ? {} : { body: body instanceof Blob ? body : JSON.stringify(body) }),
        signal,
      });
    } catch {
      return { ok: false, refusal: { kind: 'unreachable' } };
    }
    if (response.ok && response.headers.get('content-type') === 'video/mp4') {
      onCopy();
      return response.blob().then(
        (value) => ({ ok: true, value: value as T }),
        () => ({ ok: false, refusal: { kind: 'unreachable' } }),
      );
    }
    if (response.ok && response.headers.get('content-type') === 'image/jpeg') {
      const wallMs = Number(response.headers.get(PICTURE_AGE));
      return response.blob().then(
        (jpeg) => ({ ok: true, value: { jpeg, wallMs } as T }),
        () => ({ ok: false, refusal: { kind: 'unreachable' } }),
      );
    }
    const text = await response.text().catch(() => undefined);
    const parsed = parse(text ?? '');
    if (response.ok) {
      // Cut off in the middle, or the page of a proxy that stands before the cloud: no answer of ours.
      if (text === undefined) return { ok: false, refusal: { kind: 'unreachable' } };
      if (parsed === undefined && text !== '') return { ok: false, refusal: { kind: 'server' } };
      return { ok: true, value: parsed as T };
    }
    if (response.status === 401 && path !== '/api/login' && path !== '/api/setup') options.onUnauthorised();
    const said = isErrorView(parsed) ? parsed : undefined;
    return { ok: false, refusal: { kind: KINDS[response.status] ?? 'server', ...(said ? { said } : {}) } };
  }
  const part = encodeURIComponent;
  return {
    session: () => ask('GET', '/api/session'),
    setup: (token, name, password) => ask('POST', '/api/setup', { token, name, password }),
    login: (name, password) => ask('POST', '/api/login', { name, password }),
    logout: () => ask('POST', '/api/logout'),
    overview: () => ask('GET', '/api/overview'),
    alert: (episodeId) => ask('GET', `/api/alerts/${part(episodeId)}`),
    alerts: (room, before, limit) => ask('GET', `/api/alerts?room=${part(room)}&before=${before}&limit=${limit}`),
    act: (episodeId, request) => ask('POST', `/api/alerts/${part(episodeId)}/actions`, request),
    view: (clipId) => ask('POST', `/api/clips/${part(clipId)}/view`),
    overlay: (url) => ask('GET', url),
    exportClip: (clipId) => ask('POST', `/api/clips/${part(clipId)}/export`, undefined, EXPORT_MS),
    picture: (roomId, cameraId) => ask('POST', `/api/rooms/${part(roomId)}/picture/${part(cameraId)}`),
    layout: (roomId) => ask('GET', `/api/rooms/${part(roomId)}/layout`),
    orderLayout: (roomId, layout, was) => ask('POST', `/api/rooms/${part(roomId)}/layout`, { layout, was }),
    devices: () => ask('GET', '/api/devices'),
    deviceCode: (deviceId, roomId) => ask('POST', '/api/devices/codes', { deviceId, roomId }),
    revokeDevice: (deviceId) => ask('POST', `/api/devices/${part(deviceId)}/revoke`, { reason: 'at the desk' }),
    evaluations: (room, limit, before) =>
      ask(
        'GET',
        `/api/sessions?limit=${limit}${room ? `&room=${part(room)}` : ''}${before === undefined ? '' : `&before=${before}`}`,
      ),
    evaluation: (sessionId) => ask('GET', `/api/sessions/${part(sessionId)}`),
    evaluationAlerts: (sessionId, limit, before) => {
      const behind = before && `&before=${before.lastStoredWallMs}&beforeId=${part(before.episodeId)}`;
      return ask('GET', `/api/sessions/${part(sessionId)}/alerts?limit=${limit}${behind ?? ''}`);
    },
    begin: (roomId, request) => ask('POST', `/api/rooms/${part(roomId)}/session`, request),
    phase: (sessionId, phase) => ask('POST', `/api/sessions/${part(sessionId)}/phase`, { phase }),
    permit: (sessionId, request) => ask('POST', `/api/sessions/${part(sessionId)}/permits`, request),
    revokePermit: (sessionId, permitId) =>
      ask('POST', `/api/sessions/${part(sessionId)}/permits/${part(permitId)}/revoke`),
    end: (sessionId) => ask('POST', `/api/sessions/${part(sessionId)}/end`),
    rules: createRulesClient(ask),
    people: () => ask('GET', '/api/people'),
    addPerson: (name, role) => ask('POST', '/api/people', { name, role }),
    personLink: (userId) => ask('POST', `/api/people/${part(userId)}/link`),
    setPerson: (userId, what) => ask('POST', `/api/people/${part(userId)}/${what}`),
    password: (password, next) => ask('POST', '/api/password', { password, next }),
    invitation: (token) => ask('POST', '/api/invitation', { token }),
    accept: (token, password) => ask('POST', '/api/invitation/accept', { token, password }),
    refused: () => ask('GET', '/api/refused'),
    log: (before, limit) => ask('GET', `/api/log?limit=${limit}${before === undefined ? '' : `&before=${before}`}`),
  };
}

/** Where the newest picture of a camera is; `wallMs` makes each one an address of its own. */
export const snapshotUrl = (
  roomId: string,
  { cameraId, wallMs }: { readonly cameraId: string; readonly wallMs: number },
) => `/api/rooms/${encodeURIComponent(roomId)}/snapshot/${encodeURIComponent(cameraId)}?t=${wallMs}`;

const typeOf = (body: unknown) => (body instanceof Blob ? body.type : 'application/json');

function parse(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isErrorView(value: unknown): value is ErrorView {
  return typeof value === 'object' && value !== null && 'code' in value && 'message' in value;
}
