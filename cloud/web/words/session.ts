/** Words of evaluations, Chinese first: as supervisors speak of them in the room. */
import type { Behaviour } from '../../../protocol/event.ts';
import type { Permit, SessionPhase } from '../../../protocol/session.ts';
import type { StepView } from '../../http/sessions-api.ts';
import type { Lang } from './time.ts';
import { behaviourWords, type Values } from './words.ts';

const SESSION = {
  none: ['未在评标', 'No evaluation'],
  noneNote: ['开始一场评标后，规则按阶段和许可执行。', 'Once one begins, the rules follow its phases and permits.'],
  begin: ['开始评标', 'Begin the evaluation'],
  beginShort: ['开始', 'Begin'],
  title: ['项目名称', 'Project'],
  titleHint: ['例如：市政道路养护采购', 'For example: road maintenance'],
  project: ['项目编号', 'Project number'],
  startAt: ['应到时间', 'Everybody seated by'],
  roster: ['参评名单', 'Roster'],
  rosterNote: ['未勾选的席位不参加本场', 'A seat that is not ticked takes no part'],
  expert: ['专家编号', 'Expert id'],
  needExpert: [
    '请填写{seat}的专家编号：名册靠它与交易系统对应。不参加的席位请取消勾选。',
    'Please give the expert id of {seat}: the roster is matched to the trading system by it. Untick a seat that takes no part.',
  ],
  bidderLong: ['每行一家投标人，每家最多 {n} 个名称。', 'One bidder a line, with at most {n} names each.'],
  expertName: ['姓名（可选）', 'Name (optional)'],
  bidders: ['投标人', 'Bidders'],
  biddersNote: ['每行一家，简称用顿号隔开', 'One a line, short names after commas'],
  biddersHint: ['甲建设集团有限公司、甲建设', 'Alpha Construction Ltd, Alpha'],
  needTitle: ['请填写项目名称。', 'Please give the project.'],
  needRoster: ['请至少勾选一个席位。', 'Please tick at least one seat.'],
  noSeats: [
    '这间评标室还没有席位。请先在“布置”里画出席位。',
    'This room has no seats yet. Draw them in "Set up" first.',
  ],

  elapsed: ['本场', 'So far'],
  phaseSince: ['{phase} {time}', '{phase} {time}'],
  phases: ['阶段', 'Phase'],
  end: ['结束本场', 'End it'],
  endSure: ['确认结束', 'Yes, end it'],
  endKeep: ['不结束', 'No'],
  endNote: ['结束后不再监督人员行为，直到下一场开始。', 'Then nobody is watched until the next one begins.'],
  quiet: ['此刻不提示', 'Not raised now'],
  quietWhy: ['{phase}：{what}不提示', '{phase}: {what} not raised'],
  quietBy: ['{seat} {kind}（还剩 {time}）：{what}不提示', '{seat} {kind} ({time} left): {what} not raised'],
  everything: ['全部规则生效', 'All rules count'],
  wholeRoom: ['全室', 'Room'],

  seats: ['席位与许可', 'Seats and permits'],
  permit: ['许可', 'Permit'],
  permitFor: ['{seat} 许可', 'Permit for {seat}'],
  staff: ['工作人员入场', 'Let staff in'],
  people: ['{n} 人', '{n} people'],
  person: ['1 人', '1 person'],
  minutes: ['{n} 分', '{n} min'],
  left: ['还剩 {time}', '{time} left'],
  revoke: ['收回', 'Revoke'],
  revokeOf: ['收回 {seat} {kind}', 'Revoke: {seat} {kind}'],
  away: ['离席', 'away'],
  present: ['在席', 'seated'],
  unknown: ['无法判断', 'not known'],

  line: ['时间线', 'Timeline'],
  lineSight: ['时间范围', 'Time shown'],
  lineHours: ['{n} 小时', '{n} h'],
  lineKind: ['要画的许可', 'Permit to draw'],
  lineHow: [
    '在席位那一行从现在向右拖；或用方向键选分钟、回车给予。',
    "Drag to the right of now in a seat's row; or arrow keys for minutes, Enter to give.",
  ],
  lineDraw: ['{seat} {kind}：从现在起的分钟数', '{seat} {kind}: minutes from now'],
  lineNone: ['没有', 'none'],
  lineNow: ['现在', 'now'],
  lineUntil: ['{n} 分（到 {time}）', '{n} min (until {time})'],
  lineInstead: ['代替现有的许可', 'in place of the one that stands'],
  lineGive: ['给予', 'Give'],
  lineDrop: ['不给', 'Do not'],

  taken: ['终端已执行', 'The box follows'],
  waiting: ['等待终端', 'Waiting for the box'],
  waitingNote: [
    '终端尚未收到最新指令；它恢复联系后自动执行。',
    'The box has not taken the newest order yet; it will as soon as it is reached.',
  ],
  refused: ['终端未接受：{reason}', 'The box refused it: {reason}'],
  history: ['本场记录', 'What was done'],
  past: ['已结束的评标', 'Evaluations that have ended'],
  pastNone: ['还没有', 'None yet'],
  alerts: ['本场告警', 'Alerts of this evaluation'],
  alertsN: ['本场告警 {n}', '{n} alerts of this evaluation'],
  alertsShown: ['已载入 {n} 条，共 {total} 条', '{n} of {total} loaded'],
  alertsMore: ['载入更早的', 'Load earlier ones'],
  pastMore: ['更早的评标', 'Earlier evaluations'],
  historyFailed: ['本场记录未能载入：', 'What was done could not be loaded: '],
  pastFailed: ['已结束的评标未能载入：', 'Evaluations that have ended could not be loaded: '],
  alertsFailed: ['本场告警未能全部载入：', 'The alerts of this evaluation could not all be loaded: '],
  on: ['进行中', 'On'],
  rooms: ['评标室', 'Rooms'],
  noRoom: ['请选择评标室', 'Choose a room'],
  failed: ['没有生效：', 'It did not take effect: '],
  readOnly: ['您的账号只能查看。', 'Your account may only look.'],
  by: ['{who} 开始于 {time}', 'Begun by {who} at {time}'],
} as const satisfies Readonly<Record<string, readonly [string, string]>>;

export type SessionKey = keyof typeof SESSION;

/** The words of a key with `{name}` places filled. */
export function sessionWords(lang: Lang, key: SessionKey, values: Values = {}): string {
  return SESSION[key][lang === 'zh' ? 0 : 1].replace(/\{(\w+)\}/g, (whole, name: string) =>
    String(values[name] ?? whole),
  );
}

const PHASE: Readonly<Record<SessionPhase, readonly [string, string]>> = {
  idle: ['已结束', 'Ended'],
  evaluating: ['评审', 'Evaluating'],
  discussion: ['讨论', 'Discussion'],
  signature: ['签字', 'Signing'],
  break: ['休息', 'Break'],
  paused: ['暂停', 'Paused'],
  submitted: ['已提交', 'Submitted'],
};
export const phaseWords = (phase: SessionPhase, lang: Lang): string => PHASE[phase][lang === 'zh' ? 0 : 1];

const KIND: Readonly<Record<Permit['kind'], readonly [string, string]>> = {
  absence: ['准许离席', 'may leave the seat'],
  escorted: ['陪同离场', 'may leave the room'],
  help: ['到他席协助', 'may go to others'],
  call: ['准许通话', 'may telephone'],
  staff: ['工作人员入场', 'staff in the room'],
  maintenance: ['设备检修', 'work on the equipment'],
};
export const kindWords = (kind: Permit['kind'], lang: Lang): string => KIND[kind][lang === 'zh' ? 0 : 1];

/** What each phase and permit keeps from being raised, the gravest first; the box's own table is docs/behaviours.md. */
const QUIET_PHASE: Readonly<Partial<Record<SessionPhase, readonly Behaviour[]>>> = {
  discussion: ['whispering', 'standing'],
  signature: ['walking_about', 'at_other_seat', 'gathering', 'passing_items', 'too_far', 'standing'],
  break: ['left_seat', 'left_room', 'walking_about', 'whispering', 'gathering', 'sleeping'],
  paused: ['left_seat', 'left_room', 'walking_about', 'whispering', 'gathering', 'sleeping'],
  submitted: ['left_seat', 'left_room', 'walking_about', 'whispering', 'gathering', 'sleeping'],
};
const QUIET_PERMIT: Readonly<Record<Permit['kind'], readonly Behaviour[]>> = {
  absence: ['left_seat', 'walking_about'],
  escorted: ['left_seat', 'left_room'],
  help: ['left_seat', 'at_other_seat', 'gathering'],
  call: ['phone'],
  staff: ['extra_person'],
  maintenance: ['camera_fault', 'microphone_fault'],
};

const listed = (behaviours: readonly Behaviour[], lang: Lang) =>
  behaviours.map((behaviour) => behaviourWords(behaviour, lang)).join(lang === 'zh' ? '、' : ', ');

/** What is not raised in this phase, in words; empty where everything is. */
export const quietPhaseWords = (phase: SessionPhase, lang: Lang): string => listed(QUIET_PHASE[phase] ?? [], lang);
export const quietPermitWords = (kind: Permit['kind'], lang: Lang): string => listed(QUIET_PERMIT[kind], lang);

/** A step of the history as a sentence; `seat` in words where it has one. */
export function stepWords(step: StepView, seat: string, lang: Lang): string {
  const zh = lang === 'zh';
  switch (step.what) {
    case 'begin':
      return zh ? '开始评标' : 'began the evaluation';
    case 'end':
      return zh ? '结束评标' : 'ended it';
    case 'phase':
      return zh
        ? `进入“${phaseWords(step.phase ?? 'idle', lang)}”`
        : `phase: ${phaseWords(step.phase ?? 'idle', lang)}`;
    case 'permit':
    case 'revoke': {
      if (!step.permit) return step.what;
      const { kind, fromWallMs, untilWallMs, people } = step.permit;
      const minutes = Math.round((untilWallMs - fromWallMs) / 60_000);
      const whom =
        kind === 'staff' ? sessionWords(lang, 'people', { n: people ?? 1 }) : seat || sessionWords(lang, 'wholeRoom');
      const given = `${whom} ${kindWords(kind, lang)} ${sessionWords(lang, 'minutes', { n: minutes })}`;
      if (step.what === 'permit') return zh ? `许可：${given}` : `permit: ${given}`;
      return zh ? `收回：${given}` : `revoked: ${given}`;
    }
  }
}
