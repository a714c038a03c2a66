/** What a browser reads of errors of people and their sessions: what happened, what is safe, what to do, in both languages. */
import type { Sentence } from '../../protocol/event.ts';
import { NOTE_MAX } from './api.ts';
import { PASSWORD_MAX, PASSWORD_MIN, PERSON_NAME_MAX } from './people-api.ts';

/** By code; `status` where it is not the usual one of the error's kind. `{n}` stands for seconds to wait. */
export type ErrorWords = Readonly<Record<string, { readonly status?: number; readonly message: Sentence }>>;

/** People, their sessions and what they may do. */
export const DESK_WORDS: ErrorWords = {
  no_session: {
    status: 401,
    message: { zh: '尚未登录或会话已结束。请登录。', en: 'There is no session, or it has ended. Please log in.' },
  },
  login_refused: {
    status: 401,
    message: { zh: '用户名或密码不正确。请重新输入。', en: 'Name or password is wrong. Please try again.' },
  },
  token_invalid: {
    message: {
      zh: '一次性令牌不正确、已使用或已过期。请重新启动云端，使用新打印的网址。',
      en: 'The one-time token is wrong, used or expired. Restart the cloud and use the address it prints.',
    },
  },
  already_set_up: {
    status: 409,
    message: { zh: '监督员账号已存在。请直接登录。', en: 'A supervisor exists already. Please log in.' },
  },
  password_short: {
    message: {
      zh: `密码至少需要 ${PASSWORD_MIN} 个字符。`,
      en: `The password needs at least ${PASSWORD_MIN} characters.`,
    },
  },
  password_long: {
    message: {
      zh: `密码过长，最多 ${PASSWORD_MAX} 个字符。`,
      en: `The password is too long: at most ${PASSWORD_MAX} characters.`,
    },
  },
  password_wrong: { message: { zh: '当前密码不正确。', en: 'The present password is wrong.' } },
  role_forbidden: {
    message: {
      zh: '您的账号只能查看，不能处置或管理。如有需要，请联系监督员。',
      en: 'Your account may look and change nothing. Ask a supervisor.',
    },
  },
  link_invalid: {
    message: {
      zh: '一次性链接不正确、已使用或已过期。请向监督员索取新的链接。',
      en: 'The one-time link is wrong, used or expired. Ask a supervisor for a new one.',
    },
  },
  name_taken: {
    status: 409,
    message: { zh: '已有同名人员。请换一个名字。', en: 'Somebody of this name is known already. Choose another name.' },
  },
  name_long: {
    message: {
      zh: `姓名过长，最多 ${PERSON_NAME_MAX} 个字符。`,
      en: `The name is too long: at most ${PERSON_NAME_MAX} characters.`,
    },
  },
  name_reserved: {
    message: {
      zh: '操作日志用这个名字表示设备或系统，不能用作姓名。请换一个。',
      en: 'The log uses this name for machines, so nobody may be called so. Choose another one.',
    },
  },
  person_unknown: { status: 404, message: { zh: '没有这位人员。', en: 'There is no such person.' } },
  person_disabled: {
    status: 409,
    message: { zh: '该人员已停用。请先启用。', en: 'This person is disabled. Enable them first.' },
  },
  last_supervisor: {
    status: 409,
    message: {
      zh: '这是最后一位监督员，不能停用。请先添加另一位。',
      en: 'This is the last supervisor. Add another one first.',
    },
  },
  own_account: {
    status: 409,
    message: { zh: '不能停用自己。请由另一位监督员操作。', en: 'Nobody disables themselves. Ask another supervisor.' },
  },
  session_open: {
    status: 409,
    message: { zh: '该评标室已有进行中的评标。请先结束它。', en: 'An evaluation is on in this room. End it first.' },
  },
  session_over: {
    status: 409,
    message: { zh: '本场评标已结束，未作任何更改。', en: 'This evaluation has ended. Nothing was changed.' },
  },
  seat_unknown: { message: { zh: '该评标室没有此席位。', en: 'The room has no such seat.' } },
  room_unknown: {
    status: 404,
    message: { zh: '没有这个评标室的设备。', en: 'No box of this room is known.' },
  },
  permits_many: {
    status: 409,
    message: { zh: '生效中的许可过多。请先收回一些。', en: 'Too many permits count at once. Revoke some first.' },
  },
  name_empty: { message: { zh: '请填写姓名。', en: 'Please give a name.' } },
  too_many_tries: {
    status: 429,
    message: { zh: '尝试次数过多。请一分钟后再试。', en: 'Too many tries. Please wait a minute.' },
  },
  wrong_origin: {
    status: 403,
    message: {
      zh: '请求来自其他网站，已拒绝。请从本系统页面操作。',
      en: 'The request came from another site and was refused. Use the page of this system.',
    },
  },
  not_found: {
    status: 404,
    message: {
      zh: '没有找到该内容，可能已被移走或网址有误。',
      en: 'Nothing is here. It was moved, or the address is wrong.',
    },
  },
  bad_request: {
    message: { zh: '请求内容不正确，未作任何更改。', en: 'The request is not well formed. Nothing was changed.' },
  },
  note_long: {
    message: {
      zh: `备注过长，最多 ${NOTE_MAX} 个字符。`,
      en: `The note is too long: at most ${NOTE_MAX} characters.`,
    },
  },
  too_large: {
    message: {
      zh: '内容过大，未接收，未作任何更改。',
      en: 'This is too large and was not taken. Nothing was changed.',
    },
  },
  cursor_unknown: {
    status: 410,
    message: {
      zh: '实时更新的位置已失效。请重新加载页面，已存内容没有丢失。',
      en: 'The place in the live feed is no longer valid. Load the page again; nothing stored is lost.',
    },
  },
};
