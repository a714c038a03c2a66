/** Words for what the wire names by codes: behaviours, figures, faults, languages, actions. No code stands without words. */

import type { ClipCause } from '../../../protocol/clip.ts';
import type { Behaviour, Figure, Sentence } from '../../../protocol/event.ts';
import type { RoomLayout } from '../../../protocol/room.ts';
import type { ActionKind, AlertView, RoomCard } from '../../http/api.ts';
import { en } from './en.ts';
import { durationWords, type Lang } from './time.ts';
import { type WordKey, zh } from './zh.ts';

export type Values = Readonly<Record<string, string | number>>;

/** The words of a key with `{name}` places filled. */
export function say(lang: Lang, key: WordKey, values?: Values): string {
  const text: string = (lang === 'zh' ? zh : en)[key];
  if (!values) return text;
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

type Pair = readonly [zh: string, en: string];

const BEHAVIOUR: Readonly<Record<Behaviour, Pair>> = {
  left_seat: ['离席', 'Left seat'],
  too_far: ['距离过远', 'Too far'],
  left_room: ['擅离评标室', 'Left the room'],
  left_together: ['结伴离开', 'Left together'],
  at_other_seat: ['串岗', "At another's seat"],
  whispering: ['交头接耳', 'Whispering'],
  gathering: ['聚集', 'Gathering'],
  phone: ['使用手机', 'Phone in use'],
  passing_items: ['传递物品', 'Passing items'],
  sleeping: ['睡觉', 'Sleeping'],
  walking_about: ['随意走动', 'Walking about'],
  extra_person: ['人数异常', 'Extra person'],
  not_complete: ['未到齐', 'Not complete'],
  late_or_early: ['迟到早退', 'Late or early'],
  camera_fault: ['摄像机故障', 'Camera fault'],
  microphone_fault: ['拾音故障', 'Microphone fault'],
  speech_prohibited: ['禁用语', 'Prohibited words'],
  speech_suggestive: ['暗示诱导', 'Suggestive words'],
  speech_tendentious: ['倾向性言论', 'Tendentious words'],
  speech_irrelevant: ['无关话题', 'Off-topic talk'],
  speech_fee: ['议论评审费', 'Talk about the fee'],
  outside_contact: ['对外联系', 'Outside contact'],
  process_figures: ['过程数据异常', 'Process figures'],
  standing: ['席位站立', 'Standing at the seat'],
};

export function behaviourWords(behaviour: Behaviour, lang: Lang): string {
  return pick(BEHAVIOUR[behaviour] ?? [behaviour, behaviour], lang);
}

/** Names as the rules write them, so that no figure stands as a code. */
const FIGURE: Readonly<Record<string, Pair>> = {
  away: ['离席时长', 'Away for'],
  cumulative: ['本场累计离席', 'Away in this session'],
  somebodyShare: ['窗口内有人比例', 'Frames with somebody'],
  unknown: ['其中无法判断', 'Of it not known'],
  far: ['远离时长', 'Too far for'],
  distance: ['与席位距离', 'Distance from seat'],
  people: ['室内人数', 'People in the room'],
  rise: ['头部升高', 'Head raised by'],
  headGap: ['头部间距', 'Gap between heads'],
  group: ['聚集人数', 'People close together'],
  within: ['聚集范围', 'Within'],
  wristToEar: ['手腕到耳部', 'Wrist to ear'],
  wristGap: ['手腕间距', 'Gap between wrists'],
  still: ['静止时长', 'Motionless for'],
  headDrop: ['头部下垂', 'Head lowered by'],
  path: ['一分钟行走', 'Walked in a minute'],
  nudge: ['摄像机碰动', 'Camera nudged by'],
  outside: ['室外时长', 'Outside for'],
  together: ['结伴人数', 'People leaving'],
  apart: ['先后间隔', 'Time between them'],
  seatsTaken: ['在席人数', 'Seats taken'],
  late: ['迟到时长', 'Late by'],
  early: ['早退时长', 'Early by'],
  lasting: ['持续时间', 'Lasting'],
  hits: ['命中次数', 'Hits'],
  score: ['识别得分', 'Score of the engine'],
  edgeFall: ['画面细节下降', 'Loss of detail'],
  shift: ['画面偏移', 'Shift of the picture'],
  level: ['音量', 'Sound level'],
  clipped: ['削波比例', 'Samples cut off'],
  onSubject: ['与评标有关的话', 'Talk on the subject'],
  turns: ['说话轮次', 'Turns of speech'],
};

/** Shares of one that are read as percent. */
const PERCENT = new Set(['somebodyShare', 'edgeFall', 'shift', 'nudge', 'clipped', 'onSubject']);

export function figureWords(name: string, lang: Lang): string {
  const known = FIGURE[name];
  if (known) return pick(known, lang);
  return name
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .replaceAll('_', ' ')
    .toLowerCase();
}

/** A figure's number with its unit, as people write it: durations in words, shares in percent. */
export function valueWords(name: string, value: number, unit: Figure['unit'], lang: Lang): string {
  if (unit === 'ms') return durationWords(value, lang);
  if (unit === 's') return durationWords(value * 1000, lang);
  if (PERCENT.has(name)) return `${Math.round(value * 100)} %`;
  const number = Number.isInteger(value) ? String(value) : value.toFixed(Math.abs(value) < 10 ? 2 : 1);
  // A score is in its engine's own unit, which the transcript names.
  if (name === 'score') return number.replace('-', '−');
  const words = UNIT[unit === '' ? name : unit];
  const named = words ? pick(words, lang) : unit;
  return named === '' ? number.replace('-', '−') : `${number.replace('-', '−')} ${named}`;
}

const UNIT: Readonly<Record<string, Pair>> = {
  m: ['米', 'm'],
  people: ['人', 'people'],
  hits: ['次', 'times'],
  shoulders: ['个肩宽', 'shoulder widths'],
};

const FAULT: Readonly<Record<string, Pair>> = {
  covered: ['镜头被遮挡', 'lens covered'],
  moved: ['机位被移动', 'camera moved'],
  frozen: ['画面静止', 'picture frozen'],
  down: ['没有信号', 'no signal'],
  record_down: ['录像中断', 'recording has stopped'],
  no_frames: ['没有画面', 'no frames'],
  muted: ['被静音', 'muted'],
  clipping: ['声音被削波', 'sound cut off'],
  speechless: ['听不到说话', 'hears nobody speak'],
  deaf: ['无法识别语音', 'deaf'],
  unconfirmed: ['第二引擎失效，识别未经复核', 'second engine deaf, words unconfirmed'],
  dark: ['画面过暗', 'too dark'],
};

export function faultWords(fault: string, lang: Lang): string {
  const known = FAULT[fault];
  return known ? pick(known, lang) : fault.replaceAll('_', ' ');
}

export function languageWords(language: string, lang: Lang): string {
  if (language.startsWith('zh')) return lang === 'zh' ? '普通话' : 'Mandarin';
  if (language.startsWith('en')) return lang === 'zh' ? '英语' : 'English';
  return language;
}

const DID: Readonly<Record<ActionKind, WordKey>> = {
  acknowledge: 'didAcknowledge',
  confirm: 'didConfirm',
  false: 'didFalse',
  unclear: 'didUnclear',
  escalate: 'didEscalate',
  close: 'didClose',
  note: 'didNote',
};

export function actionWords(kind: ActionKind, lang: Lang): string {
  return say(lang, DID[kind]);
}

export function verdictWords(verdict: NonNullable<AlertView['verdict']>, lang: Lang): string {
  return say(lang, verdict === 'confirmed' ? 'confirm' : verdict);
}

export function causeWords(cause: ClipCause, lang: Lang): string {
  return say(lang, cause === 'begin' ? 'clipBegin' : cause === 'end' ? 'clipEnd' : 'clipEscalation');
}

const LOG: Readonly<Record<string, Pair>> = {
  setup: ['创建首位监督员', 'created the first supervisor'],
  login: ['登录', 'signed in'],
  login_refused: ['登录被拒绝', 'was refused to sign in'],
  logout: ['退出登录', 'signed out'],
  clip_corrupt: ['录像校验不一致', 'a clip did not match its hash'],
  view_clip: ['查看录像', 'viewed a clip'],
  view_picture: ['查看摄像机大图', 'viewed a large picture of a camera'],
  export_clip: ['导出录像模糊副本', 'exported a blurred copy of a clip'],
  acknowledge: ['知悉告警', 'acknowledged an alert'],
  confirm: ['判定属实', 'confirmed an alert'],
  false: ['判定误报', 'called an alert false'],
  unclear: ['判定不确定', 'called an alert unclear'],
  escalate: ['上报告警', 'escalated an alert'],
  close: ['办结告警', 'closed an alert'],
  note: ['添加备注', 'added a note'],
  add_device: ['添加设备', 'added a box'],
  offer_code: ['发放登记码', 'gave a code for a box'],
  enrol_device: ['设备登记', 'enrolled'],
  renew_certificate: ['续期证书', 'renewed its certificate'],
  confirm_certificate: ['启用新证书', 'uses its new certificate'],
  revoke_certificate: ['吊销旧证书', 'a certificate was revoked'],
  order_layout: ['保存评标室布局', 'ordered a layout for a room'],
  withdraw_layout: ['撤回评标室布局', "took a room's layout back"],
  revoke_device: ['注销设备', 'revoked a box'],
  refuse_code: ['拒绝登记码', 'a code was refused'],
  refuse_connection: ['拒绝连接', 'a connection was refused'],
  refuse_topic: ['拒绝越权主题', 'a topic was refused'],
  refuse_device: ['拒绝设备证书', 'a device was refused'],
  begin_session: ['开始评标', 'began an evaluation'],
  session_phase: ['切换评标阶段', 'changed the phase'],
  give_permit: ['给予许可', 'gave a permit'],
  revoke_permit: ['收回许可', 'revoked a permit'],
  end_session: ['结束评标', 'ended an evaluation'],
  invite_person: ['邀请人员', 'invited somebody'],
  password_link: ['生成密码链接', 'made a password link'],
  accept_link: ['通过链接设置密码', 'chose a password by a link'],
  change_password: ['修改密码', 'changed the password'],
  password_refused: ['修改密码被拒绝', 'was refused to change the password'],
  disable_person: ['停用人员', 'disabled somebody'],
  enable_person: ['启用人员', 'enabled somebody'],
  certificate_cloned: ['证书疑被复制', 'a certificate is at two machines'],
  clip_hash_mismatch: ['录像校验不符，已另存', 'sent a clip with another hash; it was put aside'],
  retire: ['按保留期限清理', 'let go of what is older than the retention'],
  retire_words: ['按保留期限删除原话', 'took out words whose time is over'],
  add_rules: ['收录产品规则包', 'took in a pack of the product'],
  save_rules: ['保存规则包版本', 'saved a version of a rule pack'],
  publish_rules: ['发布规则包', 'published a rule pack'],
  withdraw_rules: ['撤回规则包', 'withdrew a rule pack'],
  order_rules: ['规则包下发到评标室', 'ordered a rule pack for a room'],
};

/** The log names actions by stable codes, some with the area before a dot or colon. */
export function logWords(action: string, lang: Lang): string {
  const snake = action.replaceAll(/[.:-]/g, '_');
  const known = LOG[snake] ?? LOG[snake.replace(/^[a-z]+_/, '')];
  return known ? pick(known, lang) : snake.replaceAll('_', ' ');
}

const MACHINES: Readonly<Record<string, Pair>> = {
  cloud: ['系统自动', 'the cloud itself'],
  console: ['云端主机命令行', "the cloud's command line"],
  unknown: ['未知来者', 'somebody unknown'],
  many: ['多个来源', 'many'],
};
const BOX: Pair = ['设备', 'box'];
const CLAIMS: Pair = ['自称', 'claims to be'];
/** As older versions named what came from a room. */
const OF_ROOM: Pair = ['评标室', 'room'];

/** Who did it, as the log has it: a person's name as it is, a machine in words. `person` false: nobody did it by hand. */
export function actorWords(actor: string, lang: Lang): { readonly words: string; readonly person: boolean } {
  const machine = MACHINES[actor];
  if (machine) return { words: pick(machine, lang), person: false };
  const [, kind, rest] = /^(device|claims|room):(.*)$/s.exec(actor) ?? [];
  if (kind === undefined) return { words: actor, person: true };
  const pair = kind === 'device' ? BOX : kind === 'room' ? OF_ROOM : CLAIMS;
  return { words: `${pick(pair, lang)} ${rest}`, person: false };
}

/** The sentence in the language of the desk. */
export function sentence(pair: Sentence, lang: Lang): string {
  return lang === 'zh' ? pair.zh || pair.en : pair.en || pair.zh;
}

function pick(pair: Pair, lang: Lang): string {
  return lang === 'zh' ? pair[0] : pair[1];
}

/** A seat's name; in English "Seat 3" where the room only has a Chinese name of that form. */
export function seatWords(layout: RoomLayout | undefined, seatId: string, lang: Lang): string {
  const name = layout?.seats.find((seat) => seat.seatId === seatId)?.name ?? seatId;
  const number = /^(\d{1,3})\s*号席?位?$/.exec(name)?.[1] ?? (/^\d{1,3}$/.test(name) ? name : undefined);
  if (number === undefined) return name;
  return lang === 'zh' ? `${number}号席` : `Seat ${number}`;
}

/** One or two characters for the plan. */
export function seatShort(name: string, seatId: string): string {
  return /\d{1,3}/.exec(name)?.[0] ?? [...(name || seatId)].slice(0, 2).join('');
}

/** The seats of an alert in words, or the whole room. */
export function seatsWords(alert: AlertView, room: RoomCard | undefined, lang: Lang): string {
  if (alert.seatIds.length === 0) return say(lang, 'wholeRoom');
  const names = alert.seatIds.map((seatId) => seatWords(room?.state?.layout, seatId, lang));
  return names.join(lang === 'zh' ? '、' : ', ');
}

/** All words of an alert that a search looks through, in both languages. */
export function searchText(alert: AlertView, room: RoomCard | undefined): string {
  return [
    pick(BEHAVIOUR[alert.behaviour] ?? ['', ''], 'zh'),
    pick(BEHAVIOUR[alert.behaviour] ?? ['', ''], 'en'),
    alert.sentence.zh,
    alert.sentence.en,
    room?.name ?? alert.roomId,
    seatsWords(alert, room, 'zh'),
    seatsWords(alert, room, 'en'),
  ].join(' ');
}
