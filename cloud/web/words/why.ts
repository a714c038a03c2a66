/** Why an ear or an eye does not work, in the reader's language; what a newer box says that this page does not know stays in its own English. */
import { fillWhy, reasonOf, type Why, type WhyCode } from '../../../protocol/why.ts';
import type { Lang } from './time.ts';
import { faultWords } from './words.ts';

const CHINESE: Readonly<Record<WhyCode, string>> = {
  not_started: '尚未启动',
  starting: '正在启动',
  closed: '已停止',
  engine_restarting: '识别引擎已停止，正在重新启动（{error}）',
  engine_refused: '识别引擎无法工作：{error}',
  too_slow:
    '本机算力不足：一分钟内有超过 {percent} % 的声音没来得及听；请减少本机的摄像机、麦克风或引擎，或换更快的机器',
  no_model_zh: '缺少普通话模型（{folder} 中没有 {files}）；请运行：evalroom models fetch zh',
  no_model_en: '{folder} 中没有英语模型；请运行：apt-get install libpocketsphinx3 pocketsphinx-en-us',
  no_library: '{folder} 中没有 {library} 的程序库；请运行：evalroom models fetch {library}',
  no_model: '{folder} 中没有 {engine} 识别 {language} 的模型；请解压一个到那里，文件夹名须含 {named}',
  no_engine: '没有识别 {language} 的默认引擎（只有普通话和英语有）；请在 room.yaml 中指定 vosk 或 sherpa',
  no_phrases: '规则包里没有 {language} 的词句',
  wrong_language: '{engine} 不能识别 {language}；请检查 room.yaml 的 engines',
  none_spotted: '{count} 条词句没有一条能识别：{error}',
  none_spotted_in: '{count} 条词句没有一条能用 {language} 识别',
  phrases_refused: '识别引擎拒绝了词句表',
  deaf_to: '听不出这些词句：{phrases}',
  deaf_to_near: '听不出只在特定词旁才算数的词句：{phrases}（{error}）',
  context_unread: '这些词句即使是否定或引用也会报：{phrases}',
  context_lost: '这些词句即使是否定或引用也会报：{phrases}（{error}）',
  left_out: '没有监听：{names}',
  unconfirmed: '未经复核：{engine} 无法识别（{error}）',
  no_talk: '不判断无关话题：本室没有能听懂全部谈话的引擎（{engines}）；请在 room.yaml 的 engines 中指定 vosk 或 sherpa',
  no_sound_zeros: '没有声音：声源只送来数字静音',
  no_sound_yet: '没有声音：声源还没有送来任何声音',
  no_sound_more: '没有声音：声源已停止送声',
  detector_down: '人体检测模型出错：{error}',
  pose_down: '姿态模型出错：{error}',
  eyes_failed: '画面识别出错：{error}',
  stream_down: '视频流中断：{error}',
};

/** What is wrong with a camera: its fault by name, or why nothing looks at its picture. */
export function blindWords(camera: { readonly fault?: string; readonly why?: readonly Why[] }, lang: Lang): string {
  const { fault = '', why } = camera;
  return (why && whyWords(why, fault, lang)) ?? faultWords(fault, lang);
}

/** All reasons in one line; `words` is what the box says in English, undefined where nothing is wrong. */
export function whyWords(why: readonly Why[] | undefined, words: string | undefined, lang: Lang): string | undefined {
  const known: Readonly<Record<string, string>> = CHINESE;
  if (!why || why.length === 0) return words;
  if (lang === 'en') return words ?? reasonOf(why);
  if (why.some(({ code }) => known[code] === undefined)) return words ?? reasonOf(why);
  return why
    .map(({ code, named, of }) => `${of === undefined ? '' : `${of}：`}${fillWhy(known[code]!, named)}`)
    .join('；');
}
