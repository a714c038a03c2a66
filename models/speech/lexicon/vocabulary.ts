/** What people talk about when they evaluate: how much of running speech belongs to the words of the subject. */
import { createExact } from './exact.ts';
import type { ProjectWords } from './slots.ts';

/** Words of bid evaluation, at least two syllables each: documents, people, scoring, works and goods, the room itself. */
const SUBJECT = [
  '招标 投标 评标 开标 中标 废标 流标 招投标 标书 标段 标的 暗标 明标 投标人 招标人 采购人 供应商 联合体 分包 总包 承包 发包',
  '招标文件 投标文件 投标函 报价 总价 单价 限价 控制价 基准价 平均价 最高价 最低价 清单 工程量 措施费 暂列金额 预算 概算 造价 金额 税率 税金',
  '资质 资格 证书 执照 营业执照 许可证 授权书 委托书 社保 业绩 合同 验收 财务 报表 审计 纳税 信用 证明 原件 复印件 扫描件 盖章 公章 签字 签名 印章',
  '技术 商务 方案 施工 组织设计 进度 工期 质量 安全 环保 消防 文明 措施 应急 预案 售后 服务 保修 质保 培训 人员 项目 项目经理 负责人 安全员 机械 设备 材料',
  '参数 品牌 型号 规格 功率 产地 样品 样本 图纸 附图 检测 报告 标准 规范 要求 响应 偏离 满足 符合 一致 完整 齐全 缺少 错误 遗漏 页码 附件 目录 第几页',
  '评审 评分 打分 得分 扣分 加分 满分 分数 分值 几分 一分 两分 三分 五分 十分 零分 细则 办法 评标办法 评分表 排名 名次 推荐 候选人 汇总 复核 核对 核实 计算 算术 澄清 说明 补正 否决 无效 有效',
  '专家 评委 组长 主任 代理 代理机构 工作人员 监督 甲方 业主 委员会 第一家 第二家 第三家 第四家 第五家 这一家 那一家 下一家 甲公司 乙公司 丙公司 公司 单位 企业',
  '系统 电脑 打印 投影 表格 文件 资料 提交 上传 下载 保存 会议 签到 保密 承诺书 承诺 纪律 规定 法规 条例 条款 章节 保证金 付款 交货 地点',
  '土建 水电 装修 绿化 监控 电梯 锅炉 水泵 电缆 管道 道路 桥梁 混凝土 钢筋 模板 基础 主体 结构 防水 幕墙 给排水 暖通 强电 弱电 监理 勘察 设计',
]
  .join(' ')
  .split(' ');

const ENGLISH =
  'tender bid bidder bidders bids offer offers price prices points score scores scoring document documents certificate requirement requirements quality schedule warranty payment plan technical commercial list project contract contractor supplier evaluation evaluate page table envelope report licence qualification experience delivery specification clarification committee expert experts agency company'.split(
    ' ',
  );

export interface Vocabulary {
  /** One unit further; how many units, this one and those before it, a word of the subject has newly covered. */
  push(unit: string): number;
}

/** Words of the subject, the names of the bidders and the topics of the pack, spelt as the engine's units are; those under `least` units are left out. */
export function createVocabulary(deps: {
  language: string;
  spell: (text: string) => readonly string[];
  project?: ProjectWords;
}): Vocabulary {
  const { language, spell, project } = deps;
  const english = language.startsWith('en');
  // A single Mandarin syllable is in every sentence, a single English word is a word.
  const least = english ? 1 : 2;
  const texts = [...(english ? ENGLISH : SUBJECT), ...(project?.bidders.flat() ?? []), ...(project?.topics ?? [])];
  const words = texts.map(spell).filter((units) => units.length >= least);
  const matcher = createExact(words);
  let position = -1;
  let covered = -1;
  return {
    push(unit) {
      position++;
      const longest = matcher.push(unit).reduce((most, index) => Math.max(most, words[index]!.length), 0);
      if (longest === 0) return 0;
      const fresh = position - Math.max(covered, position - longest);
      covered = position;
      return fresh;
    },
  };
}
