/** Thresholds of behaviours in words: what each figure is called, and the plain sentence of what will happen. */
import type { Behaviour } from '../../../protocol/event.ts';
import type { Lang } from './time.ts';
import { behaviourWords } from './words.ts';

type Pair = readonly [zh: string, en: string];
type LimitKind = 'time' | 'level' | 'told' | 'share' | 'number' | 'whole';

interface Limit {
  readonly words: Pair;
  readonly kind: LimitKind;
  readonly unit?: Pair;
  /** May be switched off. */
  readonly optional?: true;
  /** Rarely touched: stands behind "more". */
  readonly deep?: true;
}

const M: Pair = ['米', 'm'];
const SHOULDERS: Pair = ['个肩宽', 'shoulder widths'];
const LIMITS: Readonly<Record<string, Limit>> = {
  noticeMs: { words: ['提示', 'Notice after'], kind: 'time', optional: true },
  alarmMs: { words: ['警报', 'Alarm after'], kind: 'time', optional: true },
  cumulativeAlarmMs: { words: ['一场累计警报', 'Alarm at a sum in one session of'], kind: 'time', optional: true },
  level: { words: ['级别', 'Level'], kind: 'level' },
  alarmAfter: { words: ['第几次起警报', 'Alarm from hit'], kind: 'whole', unit: ['次', ''], optional: true },
  mergeMs: { words: ['多久以内算同一事件', 'The same event within'], kind: 'time' },
  suspected: { words: ['仅疑似、未证实的', 'Only suspected, not confirmed'], kind: 'told' },
  repeats: { words: ['反复几次警报', 'Alarm at repeats'], kind: 'whole', unit: ['次', ''], optional: true },
  repeatMs: { words: ['反复的统计时段', 'Repeats within'], kind: 'time' },
  people: { words: ['人数', 'People'], kind: 'whole', unit: ['人', ''] },
  withinMs: { words: ['先后间隔', 'Within'], kind: 'time' },
  metresPerMinute: { words: ['一分钟走动超过', 'Metres in a minute over'], kind: 'number', unit: M },
  emptyMs: { words: ['全部空席', 'All seats empty for'], kind: 'time' },
  startMs: { words: ['开始后仍未到齐', 'Not all seated after'], kind: 'time' },
  lateMs: { words: ['迟到', 'Late by'], kind: 'time' },
  earlyMs: { words: ['早退', 'Gone early by'], kind: 'time' },
  coveredMs: { words: ['遮挡', 'Covered for'], kind: 'time' },
  movedMs: { words: ['机位移动', 'Moved for'], kind: 'time' },
  frozenMs: { words: ['画面静止', 'Frozen for'], kind: 'time' },
  downMs: { words: ['没有信号', 'No signal for'], kind: 'time' },
  mutedMs: { words: ['静音', 'Muted for'], kind: 'time' },
  deafMs: { words: ['无法识别', 'Deaf for'], kind: 'time' },
  clippingMs: { words: ['声音过载', 'Overdriven for'], kind: 'time', optional: true },
  speechlessMs: { words: ['有人但长时间没有话音', 'People, but no speech for'], kind: 'time', optional: true },
  turns: { words: ['说话轮数', 'Turns'], kind: 'whole' },
  pauseMs: { words: ['每轮间的停顿', 'Pause between turns'], kind: 'time' },
  share: { words: ['与评标有关的比例低于', 'Share about the evaluation below'], kind: 'share' },
  units: { words: ['至少说了多少音节', 'Syllables at least'], kind: 'whole', deep: true },
  distanceM: { words: ['距离', 'Distance'], kind: 'number', unit: M, deep: true },
  shoulderWidths: {
    words: ['未标定时的距离', 'Distance without calibration'],
    kind: 'number',
    unit: SHOULDERS,
    deep: true,
  },
  rise: { words: ['头部升高', 'Head raised by'], kind: 'number', unit: SHOULDERS, deep: true },
  windowMs: { words: ['观察窗口', 'Window'], kind: 'time', deep: true },
  onDutyShare: { words: ['在岗比例', 'On duty above'], kind: 'share', deep: true },
  leavingShare: { words: ['离席比例', 'Leaving below'], kind: 'share', deep: true },
  returnShare: { words: ['返回比例', 'Returned above'], kind: 'share', deep: true },
  coveredEdgeFall: { words: ['画面细节下降', 'Loss of detail'], kind: 'share', deep: true },
  movedShift: { words: ['画面偏移', 'Shift of the picture'], kind: 'share', deep: true },
  mutedDropDb: { words: ['低于本底噪声', 'Below the noise floor'], kind: 'number', unit: ['分贝', 'dB'], deep: true },
};

/** What a figure of a rule is; a figure that a newer pack brought stands under its own name. */
export function limitOf(key: string): Limit {
  return LIMITS[key] ?? { words: [key, key], kind: key.endsWith('Ms') ? 'time' : 'number', deep: true };
}

/** What a rule looks for, as the beginning of a sentence. */
const WHAT: Readonly<Record<string, Pair>> = {
  left_seat: ['离开席位', 'Away from the seat'],
  too_far: ['离席位超过 {distanceM} 米', 'More than {distanceM} m from the seat'],
  left_room: ['没有许可走出评标室', 'Out of the room without a permit'],
  at_other_seat: ['到他人席位旁', "At another's seat"],
  whispering: ['两人交头接耳', 'Two heads together'],
  gathering: ['{people} 人以上聚在一起', '{people} or more together'],
  phone: ['手持物在耳边（像打电话）', 'A hand at the ear, as with a telephone'],
  passing_items: ['两人之间递东西', 'Something passed between two'],
  sleeping: ['趴桌不动', 'Head down and no motion'],
  extra_person: ['人数多于名单', 'More people than the roster'],
  standing: ['在席位上站立', 'Standing at the seat'],
  left_together: ['{people} 人以上在 {withinMs} 内先后走出', '{people} or more leave within {withinMs}'],
  walking_about: ['一分钟走动超过 {metresPerMinute} 米', 'More than {metresPerMinute} m in a minute outside the seats'],
  not_complete: [
    '全部空席满 {emptyMs}，或开始 {startMs} 后仍未到齐',
    'All seats empty for {emptyMs}, or not all seated {startMs} after the start',
  ],
  late_or_early: [
    '迟到超过 {lateMs}，或提交前离开超过 {earlyMs}',
    'Late by more than {lateMs}, or gone {earlyMs} before the end',
  ],
  outside_contact: [
    '像在打电话，并且一人断续说话 {turns} 轮以上',
    'As with a telephone, and one voice in {turns} turns or more',
  ],
  off_subject: [
    '{windowMs}内的话少于 {share} 与评标有关，持续满 {noticeMs}',
    'Of {windowMs} of talk less than {share} is about the evaluation, for {noticeMs}',
  ],
  camera_fault: [
    '镜头被遮挡满 {coveredMs}、被移动满 {movedMs}、画面静止满 {frozenMs} 或没有信号满 {downMs}',
    'Covered for {coveredMs}, moved for {movedMs}, frozen for {frozenMs} or no signal for {downMs}',
  ],
  microphone_fault: [
    '静音满 {mutedMs}、没有信号满 {downMs} 或无法识别满 {deafMs}',
    'Muted for {mutedMs}, no signal for {downMs} or deaf for {deafMs}',
  ],
};

/** A threshold as people say it: `30 秒`, `5 分`, `1 分 30 秒`; unlike a running time it needs no zeros. */
export function spanWords(ms: number, lang: Lang): string {
  const [min, s] = [Math.floor(ms / 60_000), Math.round((ms % 60_000) / 100) / 10];
  const zh = lang === 'zh';
  const parts = [
    ...(min > 0 ? [`${min} ${zh ? '分' : 'min'}`] : []),
    ...(s > 0 || min === 0 ? [`${s} ${zh ? '秒' : 's'}`] : []),
  ];
  return parts.join(' ');
}

type RuleValues = Readonly<Record<string, unknown>>;

/** What a rule is called: as its behaviour, where it has one of its own. */
export function ruleName(rule: string, lang: Lang): string {
  if (rule === 'off_subject') return lang === 'zh' ? '无关话题（整段谈话）' : 'Off-topic talk as a whole';
  return behaviourWords(rule as Behaviour, lang);
}

/** The plain sentence of what a rule will do. */
export function ruleSentence(rule: string, values: RuleValues, lang: Lang): string {
  const zh = lang === 'zh';
  const pick = (pair: Pair) => pair[zh ? 0 : 1];
  const figure = (key: string) => {
    const value = values[key];
    if (typeof value !== 'number') return '–';
    const { kind } = limitOf(key);
    return kind === 'time' ? spanWords(value, lang) : kind === 'share' ? `${Math.round(value * 100)} %` : String(value);
  };
  const level = (value: unknown) => (value === 'alarm' ? (zh ? '警报' : 'an alarm') : zh ? '提示' : 'a notice');
  if (rule.startsWith('speech_')) {
    const parts = [
      zh ? `说出本类词句：${level(values.level)}` : `A phrase of this category: ${level(values.level)}`,
      ...(typeof values.alarmAfter === 'number' && values.alarmAfter > 1
        ? [zh ? `同一场第 ${values.alarmAfter} 次起：警报` : `from hit ${values.alarmAfter} in a session: an alarm`]
        : []),
      zh ? `${figure('mergeMs')}内再说算同一事件` : `again within ${figure('mergeMs')}: the same event`,
      ...(values.suspected === 'notice'
        ? [zh ? '仅疑似、未证实的：提示，不计次' : 'only suspected, not confirmed: a notice that does not count']
        : []),
    ];
    return parts.join(zh ? '；' : '; ') + (zh ? '。' : '.');
  }
  const what = (WHAT[rule] ? pick(WHAT[rule]) : rule).replace(/\{(\w+)\}/g, (_whole, key: string) => figure(key));
  const then: string[] = [];
  const after = (key: string, name: Pair) => {
    const value = values[key];
    if (typeof value === 'number')
      then.push(zh ? `满 ${spanWords(value, lang)}：${name[0]}` : `for ${spanWords(value, lang)}: ${name[1]}`);
  };
  if (rule !== 'off_subject') after('noticeMs', ['提示', 'a notice']);
  after('alarmMs', ['警报', 'an alarm']);
  if (typeof values.cumulativeAlarmMs === 'number')
    then.push(
      zh
        ? `一场累计满 ${figure('cumulativeAlarmMs')}：警报`
        : `${figure('cumulativeAlarmMs')} in one session: an alarm`,
    );
  if (typeof values.repeats === 'number')
    then.push(
      zh
        ? `${figure('repeatMs')}内 ${values.repeats} 次：警报`
        : `${values.repeats} times within ${figure('repeatMs')}: an alarm`,
    );
  if ('level' in values) then.push(level(values.level));
  if (rule === 'off_subject') then.push(level('notice'));
  if (rule.endsWith('_fault')) then.push(level('alarm'));
  if (then.length === 0) return zh ? `${what}：不触发。` : `${what}: nothing.`;
  return `${what}${zh ? '，' : ', '}${then.join(zh ? '；' : '; ')}${zh ? '。' : '.'}`;
}
