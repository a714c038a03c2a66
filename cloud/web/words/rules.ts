/** Words of the rule page, Chinese first: for supervisors who are no programmers. */
import type { Lang } from './time.ts';
import type { Values } from './words.ts';

const RULES = {
  packs: ['规则包', 'Rule packs'],
  builtIn: ['产品自带', 'comes with the product'],
  inRooms: ['{n} 间在用', 'in {n} rooms'],
  draft: ['草稿', 'Draft'],
  changedN: ['改动 {n} 处', '{n} changes'],
  otherDraft: [
    '另有一份未保存的草稿（基于 {name}）。一次只改一份。',
    'There is an unsaved draft of {name}. One at a time.',
  ],
  noVersion: ['没有 {name} 这个版本，以下是 {shown}。', 'There is no {name}; this is {shown}.'],
  openDraft: ['打开那份草稿', 'Open it'],
  dropDraft: ['放弃草稿', 'Discard the draft'],
  dropSure: ['确定放弃，改动不再保留', 'Yes, discard the changes'],
  saveAs: ['保存为新版本', 'Save as a new version'],
  download: ['下载', 'Download'],
  downloadHint: [
    '签名文件，可用 evalroom agent replay --rules 在设备上试运行',
    'The signed file, for evalroom agent replay --rules on a box',
  ],
  by: ['{who} · {time}', '{who} · {time}'],
  key: ['签名密钥 {id}', 'Signed with key {id}'],

  tabPhrases: ['词句', 'Phrases'],
  tabLimits: ['行为与时间', 'Behaviours'],
  tabTry: ['试一试', 'Try it'],
  tabEffect: ['影响对比', 'What would change'],
  tabRooms: ['发布', 'Publish'],

  addPhrase: ['添加词句', 'Add a phrase'],
  phrasesN: ['{n} 条', '{n}'],
  phraseCount: ['{n} 条词句', '{n} phrases'],
  noPhrases: ['没有符合的词句', 'No phrase matches'],
  pick: ['请在左侧选择一条词句', 'Choose a phrase on the left'],
  language: ['语言', 'Language'],
  category: ['类别', 'Category'],
  gravity: ['严重程度', 'Gravity'],
  asCategory: ['与类别相同（{level}）', 'as its category ({level})'],
  notice: ['提示', 'Notice'],
  alarm: ['警报', 'Alarm'],
  off: ['不触发', 'nothing'],
  forms: ['说法（每行一种，按读音写）', 'How it is said (one a line)'],
  formsHint: [
    '写成人们说话的样子；五个字以上最可靠。{BIDDER} 代表任一投标人，{NUMBER} 代表“第几家”。',
    'As people say it; five syllables or more are surest. {BIDDER} stands for any bidder, {NUMBER} for an ordinal.',
  ],
  needs: ['附近必须出现（可空，每行一个）', 'Counts only near one of these (may be empty)'],
  unless: ['前面出现则不算（可空，每行一个）', 'Does not count after one of these (may be empty)'],
  contextHint: [
    '例如“不得”“按照招标文件”：说在前面时，后面的话是引用或否定。',
    'A negation, or words that quote the tender file: what follows is then not meant.',
  ],
  citation: ['依据', 'Citation'],
  remove: ['删除这条', 'Remove'],
  undoRemove: ['恢复原样', 'Restore'],
  removed: ['已删除', 'removed'],
  added: ['新增', 'new'],
  edited: ['已改', 'changed'],
  was: ['原为 {value}', 'was {value}'],
  checking: ['正在检查…', 'Checking…'],
  checkFailed: ['检查没有完成：', 'It could not be checked: '],
  notKept: [
    '浏览器不能保存草稿（存储空间已满或被禁止）：关闭或刷新本页会丢失改动。请尽快保存为新版本。',
    'The browser cannot keep the draft (its storage is full or forbidden): closing or reloading this page loses it. Save it as a version soon.',
  ],
  stale: ['列表未能更新，以下内容可能不是最新：', 'The list could not be updated and may be old: '],
  shippedFailed: [
    '产品自带的规则未能载入，已停用的行为暂时不能重新启用：',
    'The rules of the product could not be loaded, so what is off cannot be switched on now: ',
  ],
  leftOut: ['另有 {n} 条文字记录过多，未参与对比。', '{n} more records of words were too many and are not compared.'],
  clean: [
    '没有发现问题：不会在日常用语上触发，也不与其他词句混淆。',
    'Nothing found: no everyday speech and no other phrase sounds like it.',
  ],
  everyday: ['日常用语里会触发：“{against}”', 'Everyday speech would trigger it: “{against}”'],
  shortForm: [
    '太短，一半听不到，也容易与日常用语混淆：请写三个以上的音节，最好四个以上',
    'is short: half of the times it is not heard, and everyday words sound like it. Three syllables at least, better four',
  ],
  neighbour: ['与 {id} 的“{against}”听起来相近', 'Sounds like “{against}” of {id}'],
  formed: ['（说法：{form}）', ' (form: {form})'],
  moreFindings: ['还有 {n} 条', '{n} more'],
  readOnly: [
    '改动会自动成为草稿，不影响正在运行的评标室。',
    'Changes become a draft; no room is touched until you publish.',
  ],

  ruleOn: ['启用', 'On'],
  ruleOff: ['停用：不检测此行为', 'Off: not looked for'],
  minutes: ['分', 'min'],
  seconds: ['秒', 's'],
  advanced: ['更多参数', 'More figures'],
  cooldown: ['事件结束后再次出现，多久以内并入同一事件', 'The same again joins the same event for'],

  typed: ['打字测试', 'Type a sentence'],
  typedHint: ['例如：这家给高一点吧', 'For example: give this one a higher score'],
  test: ['测试', 'Try'],
  raises: ['会触发', 'Would raise'],
  raisesNot: ['不会触发任何词句', 'Would raise nothing'],
  stoppedUnless: ['听到但不算：前面说了“{word}”', 'Heard, but does not count after “{word}”'],
  stoppedBoth: [
    '听到但不算：前面的话排除了它，附近也没有所需的词',
    'Heard, but a word before it forbids it, and a needed word is missing near it',
  ],
  stoppedBefore: ['听到但不算：前面的话排除了它', 'Heard, but what was said before it forbids it'],
  stoppedNeeds: ['听到但不算：附近没有所需的词', 'Heard, but a needed word is missing near it'],
  noLevel: ['本类别已停用，不触发', 'its category is off'],
  spoken: ['录音测试', 'Speak a sentence'],
  spokenHint: [
    '说一句话，或选择录音文件，最长 {minutes} 分钟，由与设备相同的识别引擎来听。录音只留在内存中，不存盘。',
    'Say a sentence or choose a file, {minutes} minutes at most; the same engine as in the room listens. It stays in memory and is not stored.',
  ],
  mandarin: ['普通话', 'Mandarin'],
  english: ['英语', 'English'],
  bidders: ['投标人（可不填）', 'Bidders (may be left empty)'],
  biddersHint: [
    '每行一家，简称用顿号隔开；填入词句中的 {BIDDER}，不填则用“第几家”',
    'One a line, short names after commas: they fill {BIDDER} of the phrases, else ordinals do',
  ],
  biddersExample: ['甲建设集团有限公司、甲建设', 'Alpha Construction Ltd, Alpha'],
  unheardHere: ['听不到这些词句：{ids}', 'It is deaf to: {ids}'],
  record: ['开始录音', 'Record'],
  stop: ['停止', 'Stop'],
  recording: ['正在录音 {time}（最长 {most}）', 'Recording {time} (at most {most})'],
  fileLong: ['这段录音太长，最长 {minutes} 分钟。', 'This recording is too long: {minutes} minutes at most.'],
  chooseFile: ['选择录音文件', 'Choose a file'],
  listenAgain: ['用当前草稿再听一遍', 'Listen again with this draft'],
  listening: ['正在听…', 'Listening…'],
  soundKept: ['{name}，{seconds} 秒', '{name}, {seconds} s'],
  heardAt: ['{begin}–{end} 秒', '{begin}–{end} s'],
  heardNothing: ['没有听到规则包里的词句', 'No phrase of the pack was heard'],
  tooQuiet: [
    '录音音量很低（峰值 {db} dBFS），请靠近麦克风重录。',
    'The recording is very quiet (peak {db} dBFS); come closer to the microphone.',
  ],
  score: ['得分 {score}，门槛 {threshold}', 'score {score}, threshold {threshold}'],
  noMicrophone: ['浏览器不允许使用麦克风，请选择录音文件。', 'The browser gives no microphone; choose a file instead.'],
  badFile: ['无法读取这个文件，请换成 WAV。', 'This file cannot be read; use a WAV file.'],

  effectLead: [
    '把当前草稿放到最近存储的事件上重算：哪些当时的告警不会出现，哪些会变轻或变重，事件前后十秒里还会多出什么。',
    'Runs the draft over the newest stored events: what would not have been raised, what would be graver or milder, and what else is heard within ten seconds of them.',
  ],
  topics: ['也算与评标有关的词（如采购的内容）', 'Words that count as on the subject too, such as what is bought'],
  topicsHow: [
    '用顿号、逗号或换行隔开，至多 {max} 个，每个至多 {length} 个字；评标自身的用语和投标人名称不必写。现有 {n} 个。',
    'Parted by commas or lines, at most {max} of at most {length} characters; words of the evaluation itself and the bidders count anyway. Now {n}.',
  ],
  topicsShort: [
    '单个汉字到处都会出现，不算：{words}',
    'A single Chinese character is in every sentence and does not count: {words}',
  ],
  topicsLong: ['太长，保存时会被拒绝：{words}', 'Too long, and refused when it is saved: {words}'],
  topicsHint: ['电梯、医院、沥青路面', 'lift, hospital, asphalt'],
  effectRoom: ['范围', 'Rooms'],
  compare: ['开始对比', 'Compare'],
  comparing: ['正在对比…', 'Comparing…'],
  effectNone: ['对已存事件没有影响', 'Nothing stored would change'],
  effectCount: [
    '看了 {episodes} 个事件，其中 {excerpts} 个带有文字摘录。',
    'Looked at {episodes} events, {excerpts} of them with words.',
  ],
  unread: [
    '{n} 个事件的摘录两个规则包都读不出词句（由其他规则包或其他投标人名单听出），不作判断。',
    'In {n} of these neither pack reads a phrase (heard by another pack or with other bidders): nothing is said of them.',
  ],
  effectLimit: [
    '没有触发过的话和离席等短时行为没有存到云端，所以这里看不到“本来会多出多少”；在设备上用 evalroom agent replay 可以重听还保留的录音。距离、比例和一场累计不在事件里，不参与对比。疑似的话能否证实要听声音才知道：草稿里有词句从那里延伸到实际听到的字，才列为“可能证实”。',
    'What never raised anything was never stored here: on the box, evalroom agent replay hears its recordings again. Distances, shares and sums of a session are not in an event and are not compared. Whether what was only suspected would be confirmed is in the sound alone: it is listed where a phrase of the draft reaches from there into what was heard.',
  ],
  silenced: ['不再触发', 'Silenced'],
  raised: ['新触发', 'Raised'],
  graver: ['变重', 'Graver'],
  milder: ['变轻', 'Milder'],
  moved: ['换类别', 'Other category'],
  sure: ['疑似的可能证实', 'Suspected, may become sure'],
  levels: ['{before} → {after}', '{before} → {after}'],

  roomsLead: [
    '选择哪些评标室用哪个版本。设备收到后立即切换，正在进行的事件不会中断；设备拒绝时继续用原来的版本，并在这里说明原因。评标室优先于中心，中心优先于省份，省份优先于全部。',
    'Choose which rooms run which version. A box switches at once and no running event is cut; a box that refuses goes on with what it had and says why here. A room goes before its centre, a centre before its province, a province before all.',
  ],
  publishWhat: ['要发布的版本', 'Version'],
  publishTo: ['发布到', 'To'],
  everywhere: ['全部评标室（包括以后加入的）', 'All rooms, also those that come later'],
  province: ['省份：{name}', 'Province: {name}'],
  centre: ['中心：{name}', 'Centre: {name}'],
  chosenRooms: ['勾选的评标室（{n} 间）', 'The rooms that are ticked ({n})'],
  publish: ['发布', 'Publish'],
  publishSure: ['确定发布 {name} 到{where}', 'Publish {name} to {where}'],
  follow: ['取消单独设置：按上一级', 'Nothing of its own: as the next wider place'],
  followSure: ['确定{where}按上一级执行', 'Really, {where} as the next wider place'],
  byPlace: ['来自 {place}', 'by {place}'],
  untouched: [
    '其中 {n} 间有更具体的设置（评标室、中心或省份），不受影响。',
    '{n} of these rooms have a setting of a narrower place (room, centre or province) and are not touched.',
  ],
  withdraw: ['撤回：用设备自己的规则文件', 'Withdraw: the rooms’ own files'],
  withdrawSure: ['确定撤回{where}的规则包', 'Really withdraw from {where}'],
  published: ['已发布，等待设备切换', 'Published; the boxes are switching'],
  draftFirst: ['草稿要先保存为新版本才能发布。', 'Save the draft as a version before publishing.'],
  room: ['评标室', 'Room'],
  centreName: ['中心', 'Centre'],
  runs: ['正在运行', 'Runs'],
  ordered: ['应运行', 'Ordered'],
  state: ['状态', 'State'],
  ownFile: ['设备自己的文件', 'its own file'],
  stateRunning: ['已生效', 'in force'],
  stateWaiting: ['等待设备切换', 'switching'],
  stateOffline: ['设备离线，上线后生效', 'offline: takes it when it is back'],
  stateRefused: ['设备拒绝', 'refused'],
  never: ['尚未上线', 'never heard'],
  chooseAll: ['全选', 'All'],
  noRooms: ['还没有评标室', 'No rooms yet'],

  saveTitle: ['保存为新版本', 'Save as a new version'],
  saveLead: [
    '版本一经保存就不再改变，并由云端签名。保存不会影响任何评标室。',
    'A version never changes once it is saved, and the cloud signs it. No room is touched by saving.',
  ],
  name: ['标识（小写字母、数字、连字符）', 'Name (lower-case letters, digits, -)'],
  nameHint: [
    '例如 zhejiang-2026；产品自带的名称不能用',
    'For example zhejiang-2026; the product’s own names are taken',
  ],
  version: ['版本号', 'Version'],
  titleZh: ['中文标题', 'Chinese title'],
  titleEn: ['英文标题', 'English title'],
  note: ['改了什么、为什么', 'What was changed, and why'],
  save: ['保存', 'Save'],
  cancel: ['取消', 'Cancel'],
  problemsN: ['有 {n} 处错误，改正后才能保存', '{n} faults to be corrected first'],
  findingsN: ['{n} 处提醒（可以保存）', '{n} remarks (may be saved)'],
  saved: ['已保存 {name} {version}', 'Saved {name} {version}'],
  onlySupervisors: ['只有监督员可以查看和修改规则包', 'Rule packs are for supervisors'],
} as const satisfies Record<string, readonly [zh: string, en: string]>;

export type RulesKey = keyof typeof RULES;

/** The words of a key with `{name}` places filled. */
export function sayRules(lang: Lang, key: RulesKey, values?: Values): string {
  const text: string = RULES[key][lang === 'zh' ? 0 : 1];
  return values ? text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole)) : text;
}

const CATEGORIES: Readonly<Record<string, readonly [string, string]>> = {
  prohibited: ['禁用语', 'Prohibited'],
  suggestive: ['暗示诱导', 'Suggestive'],
  tendentious: ['倾向性言论', 'Tendentious'],
  irrelevant: ['无关话题', 'Off the subject'],
  fee: ['评审费', 'Fees'],
};

/** A category of phrases in words. */
export function categoryWords(category: string, lang: Lang): string {
  return CATEGORIES[category]?.[lang === 'zh' ? 0 : 1] ?? category;
}
