/** Errors as a browser gets them: a status, a stable code, and a sentence in each language that says what to do. */
import { type ErrorKind, EvalroomError, Full } from '../../protocol/errors.ts';
import type { Sentence } from '../../protocol/event.ts';
import type { ErrorView } from './api.ts';
import { BOX_WORDS, SETTING_UP_WORDS } from './error-words-boxes.ts';
import { DESK_WORDS, type ErrorWords } from './error-words-desk.ts';

const STATUS: Readonly<Record<ErrorKind, number>> = {
  InvalidInput: 400,
  Unavailable: 503,
  Full: 507,
  Corrupt: 500,
  Forbidden: 403,
  Bug: 500,
};

const ERROR_WORDS: ErrorWords = { ...DESK_WORDS, ...BOX_WORDS, ...SETTING_UP_WORDS };

const BY_KIND: Readonly<Record<ErrorKind, Sentence>> = {
  InvalidInput: { zh: '请求内容不正确，未作任何更改。', en: 'The request is not well formed. Nothing was changed.' },
  Unavailable: {
    zh: '服务暂时不可用，已存内容是安全的。请稍后再试。',
    en: 'The service does not answer at the moment; what is stored is safe. Please try again shortly.',
  },
  Full: { zh: '存储空间已满，请通知管理员。', en: 'Storage is full. Tell the administrator.' },
  Corrupt: {
    zh: '存储内容校验失败，已停止使用并原样保留。请通知管理员。',
    en: 'Stored bytes failed their check; they are kept and not used. Tell the administrator.',
  },
  Forbidden: { zh: '没有权限。', en: 'You may not do this.' },
  Bug: { zh: '内部错误，已记录。请稍后再试。', en: 'An internal error was recorded. Please try again.' },
};

const BY_STATUS: Readonly<Record<number, string>> = { 404: 'not_found', 413: 'too_large', 429: 'too_many_tries' };

function waiting({ zh, en }: Sentence, waitMs: number): Sentence {
  const n = String(Math.ceil(waitMs / 1000));
  return { zh: zh.replace('{n}', n), en: en.replace('{n}', n) };
}

/** Status and body for any error that a handler threw. */
export function errorView(error: unknown): { readonly status: number; readonly view: ErrorView } {
  if (error instanceof EvalroomError) {
    const known = ERROR_WORDS[error.code];
    const waitMs = error instanceof Full ? error.waitMs : undefined;
    const message = known?.message ?? BY_KIND[error.kind];
    return {
      status: known?.status ?? STATUS[error.kind],
      view: {
        code: error.code,
        message: waitMs === undefined ? message : waiting(message, waitMs),
        ...(waitMs === undefined ? {} : { waitMs }),
      },
    };
  }
  const status = (error as { statusCode?: unknown }).statusCode;
  if (typeof status === 'number' && status >= 400 && status < 500) {
    const code = BY_STATUS[status] ?? 'bad_request';
    return { status, view: { code, message: ERROR_WORDS[code]!.message } };
  }
  return { status: 500, view: { code: 'internal', message: BY_KIND.Bug } };
}
