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

/** Every sentence of a language, in a fixed order; none of them breaks any rule of the room. */
export function neutralSentences(language: 'zh' | 'en'): string[] {
  return [...new Set((language === 'zh' ? PATTERNS : ENGLISH).flatMap(expand))];
}
