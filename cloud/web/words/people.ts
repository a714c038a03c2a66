/** Words of people, Chinese first. */
import type { PersonRole } from '../../http/people-api.ts';
import type { Lang } from './time.ts';
import type { Values } from './words.ts';

const PEOPLE = {
  title: ['人员', 'People'],
  lead: ['谁可以进入本系统。停用后立即失去访问。', 'Who may enter. Whoever is disabled is out at once.'],
  me: ['我的账号', 'My account'],
  name: ['姓名', 'Name'],
  role: ['角色', 'Role'],
  lastLogin: ['最近登录', 'Last login'],
  never: ['从未', 'Never'],
  state: ['状态', 'State'],
  enabled: ['可登录', 'May log in'],
  invited: ['已邀请，尚未设置密码', 'Invited, no password yet'],
  invitedOver: ['邀请已过期', 'The invitation has expired'],
  disabled: ['已停用', 'Disabled'],
  linkOut: ['链接有效至 {time}', 'Link good until {time}'],
  add: ['邀请', 'Invite'],
  addTitle: ['邀请新人员', 'Invite somebody'],
  addNote: [
    '生成一次性链接，由本人打开并设置密码。系统没有默认密码。',
    'Makes a one-time link; the person opens it and chooses a password. There are no default passwords.',
  ],
  link: ['重设密码链接', 'Password link'],
  linkAgain: ['新的邀请链接', 'New invitation'],
  linkFor: ['{name} 的一次性链接（只显示这一次）', 'One-time link for {name} (shown this once)'],
  linkUntil: ['有效至', 'Good until'],
  copy: ['复制', 'Copy'],
  copied: ['已复制', 'Copied'],
  copyByHand: ['已选中，请按 Ctrl+C 复制', 'It is marked: press Ctrl+C'],
  disable: ['停用', 'Disable'],
  disableSure: ['确认停用', 'Yes, disable'],
  keep: ['不停用', 'No'],
  enable: ['启用', 'Enable'],
  you: ['（您）', '(you)'],
  changePassword: ['修改密码', 'Change password'],
  present: ['当前密码', 'Present password'],
  next: ['新密码', 'New password'],
  nextAgain: ['再次输入新密码', 'New password again'],
  changed: ['密码已修改，其他登录已结束。', 'The password is changed; your other sessions have ended.'],
  onlyLook: [
    '您的账号只能查看：处置、许可、设备和人员由监督员操作。',
    'Your account may only look: supervisors act, permit and administer.',
  ],
  inviteTitle: ['{name}，请设置密码', '{name}, choose a password'],
  inviteLead: [
    '这是您的一次性链接。设置后以此姓名和密码登录。',
    'This is your one-time link. Log in with this name and password from now on.',
  ],
  inviteGo: ['设置并进入', 'Set and enter'],
  leaveFailed: [
    '退出没有成功：云端没有收到，您仍处于登录状态。',
    'You are still logged in: the cloud did not hear it. ',
  ],
} as const satisfies Readonly<Record<string, readonly [string, string]>>;

export type PeopleKey = keyof typeof PEOPLE;

/** The words of a key with `{name}` places filled. */
export function peopleWords(lang: Lang, key: PeopleKey, values: Values = {}): string {
  return PEOPLE[key][lang === 'zh' ? 0 : 1].replace(/\{(\w+)\}/g, (whole, name: string) =>
    String(values[name] ?? whole),
  );
}

const ROLE: Readonly<Record<PersonRole, readonly [string, string]>> = {
  supervisor: ['监督员', 'Supervisor'],
  viewer: ['监管（只看）', 'Viewer'],
};
export const roleWords = (role: PersonRole, lang: Lang): string => ROLE[role][lang === 'zh' ? 0 : 1];
