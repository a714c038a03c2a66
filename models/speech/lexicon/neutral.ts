/** Everyday speech of an evaluation room, made from patterns: what rule packs are linted with and what the lexicon is measured on. */

/** Each line holds alternatives in brackets; every combination is a sentence that may be said in the room. */
const PATTERNS: readonly string[] = [
  '[请大家|各位专家|我们]先[看一下|核对|翻到][资格审查|技术部分|商务部分|报价清单|目录]',
  '[第一份|第二份|第三份|最后一份]投标文件的[营业执照|资质证书|安全生产许可证|授权委托书|投标函]在[第五页|第十二页|附件里|最后面]',
  '这一项[最多|最高]给[两分|三分|五分|十分][按招标文件的表格来|没有写扣分标准|要看有没有证明材料]',
  '[施工组织设计|质量保证措施|进度计划|售后服务方案]写得[比较完整|比较简单|很详细|不够具体]',
  '[报价|投标总价|清单单价]比[最高限价|平均价|控制价]低了[百分之三|百分之八|百分之十二]',
  '[项目经理|技术负责人|安全员]的[业绩|职称|社保证明|注册证书][有没有盖章|是不是原件|在哪一页|需要核实]',
  '我[还没有看完|刚看到一半|再看一遍|正在算][第二家|第三家|这一家|下一家]的[业绩|报价|技术方案]',
  '[麻烦|请工作人员|能不能][把空调开小一点|把窗户关上|再打印一份评分表|把投影调亮一些|倒一杯水]',
  '[系统|电脑|鼠标|打印机][有点慢|没有反应|好像卡住了|刚才重启了]',
  '[这里|这个表|这个附件]有一处[计算错误|前后不一致|没有签字|页码写错了][需要澄清|要不要发澄清函|记录一下]',
  '[工期|质保期|付款方式|交货地点][满足招标文件要求|有一点偏离|写得不清楚|响应了要求]',
  '[休息十分钟|先休息一下|我去一下洗手间|我出去接杯水][再继续|马上回来|可以吗]',
  '[评分表|评标报告|签到表|保密承诺书][已经签好了|还差一个签名|放在桌上|要打印两份]',
  '[今天|上午|下午]的[评审|会议|开标]大概[三点|五点|六点]结束',
  '[第一章|第三章|第七页|附件二]规定[投标人|联合体|供应商]应当[提供证明材料|具备相应资质|缴纳保证金|加盖公章]',
  '[设备清单|主要材料|检测报告|样品照片]和[技术参数|招标要求|图纸][一致|有出入|对不上|基本相符]',
  '你那边[打印出来了吗|看到哪里了|有几份文件|网络正常吗]',
  '[主任|组长|监督老师][我有一个问题|请过来看一下|这个怎么填|需要我签字吗]',
  '[类似项目|近三年|同类工程]业绩[有三个|只有一个|要看合同|要看验收报告]',
  '[环保|消防|安全文明施工]措施[这一块|这一节|这部分][写得还可以|缺少附图|内容比较多]',
  '[外面|今天][下雨了|有点冷|天气不错|风很大][路上小心|记得带伞|堵车很厉害]',
  '[请|麻烦][代理机构|工作人员|采购人代表][把|再把][招标文件|补充通知|答疑纪要|控制价文件][拿过来|发一份|念一下|投到屏幕上]',
  '[我觉得|按照表格|对照标准][这个证书|这份合同|这页说明|这张发票][可以得分|不能得分|要扣一分|需要组长确认|先记下来]',
  '[第一家|第二家|第三家|第四家|第五家]的[人员配置|机械设备|应急预案|培训方案|保修承诺][有六页|内容齐全|少了一个表|和目录不一致|需要再核对一遍]',
  '[这份|那份|后面这份][标书|清单|说明书|图纸][第十页|第二十页|第三十五页|倒数第二页][有签字|盖了公章|缺少日期|写着单价|附了照片]',
  '[水电|土建|绿化|装修|监控]工程的[工程量|综合单价|措施费|暂列金额][我已经核对了|和清单一样|还要再算一次|写在备注里]',
  '[电梯|锅炉|水泵|电缆|消防栓]的[品牌|型号|产地|功率][在参数表里|没有写清楚|符合要求|和样本一致]',
  '[暗标|技术标|商务标|资信标]部分[已经评完了|还剩两份|现在开始打分|请独立评审|提交以后不能修改]',
  '[按规定|根据评标办法|按评分细则][算术平均值|基准价|得分|排名]由[系统|计算机|组长][自动计算|汇总|复核][然后打印|最后签字|我们再确认]',
  '[财务报表|审计报告|纳税证明|信用查询|银行资信|社保清单][是去年的|有三年的|显示正常|没有异常记录|在附件八|要看原件]',
  '[空调|灯光|话筒|座椅|门锁|窗帘|音响][有点问题|调一下就好|刚修过|不用管它][我们继续评审|先看文件|等工作人员来|不影响打分]',
  '[昨天|上周|上个月|去年][那个项目|那次评审|那批设备|那本图纸]的[资料|报告|流程]和这次[不一样|差不多|没有关系]',
];

/**
 * What the host of the room reads out before and while it evaluates, and what the committee says of rules and of clarifications:
 * the words of the discipline, none of them broken.
 */
const READ_OUT: readonly string[] = [
  '下面[宣读|我宣读一下]评标纪律[请各位专家认真听|请大家关闭手机并交给工作人员|读完以后请大家签字]',
  '[评标期间|评审过程中|今天的评标][不得|严禁|禁止|不准|不允许][把手机带进来|给外面打电话|给他们发短信|拍照片发出去|把打分情况发给外面|替别人签字]',
  '[各位专家|评标委员会成员|所有人员][不得|严禁][私下接触投标人|收受投标人的红包|接受投标单位吃请|收受回扣和好处费|透露评委名单|把排名告诉投标人|串通投标]',
  '[请大家|请各位专家]不要[关照任何一家投标人|照顾某一家投标人|统一分数|跟着别人打分|互相商量分数|发表倾向性意见|谈论评审费|提前透露结果]',
  '[不能|不得]因为[是外地企业就不要了|是民营企业就扣分|公司成立不久就不要选|没有合作过就打低分]',
  '[不得|不能|不要][给自己熟悉的单位打高分|给某一家打高一点|故意给人打最低分|暗示投标人怎么澄清|提醒投标人补一份材料|引导投标人这样回答]',
  '[招标文件规定|按照招标文件|评标办法规定|根据评标办法][报价最低的给最高分|报价最高的给最低分|有围标串标行为的作废标处理|投标人之间串通报价的否决投标|本地业绩优先考虑]',
  '[评分标准|评分细则|评分办法][规定|写的是]业绩[多的打高分|少的打低分|达到三个的给满分|没有证明的给最低分]',
  '[有下列情形之一的|发现下列行为的][属于串通投标|视为围标串标|应当否决其投标|报监督部门处理][由评标委员会认定|写进评标报告|请大家注意]',
  '[我和投标人没有利害关系|没有人跟我打过招呼|没有投标人私下找过我][请在承诺书上签字|我可以签承诺书]',
  '[澄清函里|澄清问题里][写清楚|问一下][项目经理的业绩|工期的计算|报价的算术错误|缺少的说明][请投标人书面答复|由代理机构发出去]',
  '[请投标人说明|请贵公司说明|要求投标人澄清][报价的组成|工期为什么不一致|这份证书的有效期][补充说明盖章以后发回来|三十分钟以内答复]',
  '[如果|一旦]发现[有人打招呼|有人说情|有人递红包|有人托关系][请向监督人员报告|要马上记录|请当场拒绝]',
  '[请主动回避|应当回避]的情形[包括亲戚在投标单位工作|包括在投标单位当过顾问|写在承诺书第二条]',
];

/** English read-outs, the same way. */
const ENGLISH_READ_OUT: readonly string[] = [
  '[members of the committee|experts] must not [change the scores afterwards|take money from a bidder|meet a bidder in private|bring a phone inside|send pictures of the scores]',
  'please do not [follow the scores of others|talk about the fee|help any bidder|give the same scores as others]',
  '[according to the tender documents|the evaluation method says] [the lowest price gets the highest score|offers that were agreed in advance are rejected|give them the highest score for the schedule]',
  'nobody may [tell the names of the experts|ask for more money|reject a bidder because it is small]',
  'the [clarification letter|written clarification] asks [for the price list|how the schedule was made|for the missing page]',
];

/** English patterns, the same way. */
const ENGLISH: readonly string[] = [
  '[please|could you|let us] [open|check|look at] the [technical part|price list|table of contents|certificate]',
  'the [first|second|last] [document|file|envelope] is on page [five|twelve|thirty]',
  'this item gives at most [two|three|five] points [according to the table|without a certificate|for the schedule]',
  'the [schedule|quality plan|warranty|payment] [meets the requirements|is not clear|is described in detail]',
  'i [have not finished|am still reading|will read] the [offer|plan|report] of the [next|third|second] bidder',
  'the [printer|computer|network] is [slow|working again|not responding]',
  'we [take a break|continue|start again] [in ten minutes|after this page|at three o clock]',
];

function expand(pattern: string): string[] {
  const group = /\[([^\]]*)\]/.exec(pattern);
  if (!group) return [pattern];
  return group[1]!.split('|').flatMap((choice) => expand(pattern.replace(group[0], choice)));
}

const NEUTRAL = {
  zh: { everyday: PATTERNS, readOut: READ_OUT },
  en: { everyday: ENGLISH, readOut: ENGLISH_READ_OUT },
} as const;
const sentences = (patterns: readonly string[]) => [...new Set(patterns.flatMap(expand))];

/** Every everyday sentence of a language, in a fixed order; none of them breaks any rule of the room or has its words. */
export function everydaySentences(language: 'zh' | 'en'): string[] {
  return sentences(NEUTRAL[language].everyday);
}

/** What is read out and said of the rules: it has the words of phrases, negated or quoted. */
export function readOutSentences(language: 'zh' | 'en'): string[] {
  return sentences(NEUTRAL[language].readOut);
}

/** Both; none of them breaks any rule of the room. */
export function neutralSentences(language: 'zh' | 'en'): string[] {
  return [...everydaySentences(language), ...readOutSentences(language)];
}
