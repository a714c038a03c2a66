/** What a browser reads of errors of boxes, clips, layouts and rule packs: what happened, what is safe, what to do, in both languages. */
import type { ErrorWords } from './error-words-desk.ts';
import { PLACES_MAX, RULE_NOTE_MAX, SOUND_SECONDS } from './rules-api.ts';

/** Boxes, their certificates, their clips and pictures. */
export const BOX_WORDS: ErrorWords = {
  picture_silent: {
    message: {
      zh: '终端没有应答，暂时没有新的大图。小图仍可使用，请稍后再试。',
      en: 'The box does not answer, so there is no new large picture. The small one still serves; try again later.',
    },
  },
  picture_not_recorded: {
    message: {
      zh: '终端最近一分钟没有录到这台摄像机的画面。请检查该摄像机。',
      en: 'The box has recorded nothing of this camera in the last minute. Look at the camera.',
    },
  },
  picture_failed: {
    message: {
      zh: '终端未能生成大图，原因见终端日志。小图仍可使用。',
      en: 'The box could not make a large picture; its log says why. The small one still serves.',
    },
  },
  picture_busy: {
    message: {
      zh: '正在索取的大图过多。请稍后再试。',
      en: 'Too many large pictures are being asked for. Please try again in a moment.',
    },
  },
  picture_often: {
    status: 429,
    message: {
      zh: '您向这间评标室索取大图过于频繁。请等待 {n} 秒再试；小图仍可使用。',
      en: 'You have asked this room for too many large pictures. Please wait {n} s; the small one still serves.',
    },
  },
  orders_large: {
    status: 413,
    message: {
      zh: '下发内容过大，终端无法接收。请精简规则包或布局。',
      en: 'The orders are too large for a box. Make the rule pack or the layout smaller.',
    },
  },
  clip_not_here: {
    status: 409,
    message: {
      zh: '录像片段尚未上传完成，仍安全保存在评标室设备中。请稍候。',
      en: 'The clip has not arrived yet; it is safe on the box in the room. Please wait.',
    },
  },
  clip_corrupt: {
    message: {
      zh: '录像片段的校验值与登记不符，不能作为证据播放。文件已原样保留，请联系管理员核查。',
      en: 'The clip no longer matches its recorded hash and is not shown as evidence. The bytes are kept; ask the administrator to examine them.',
    },
  },
  clip_unknown: {
    status: 404,
    message: {
      zh: '该评标室没有登记过此片段。请先发送片段事件。',
      en: 'No clip with this id was announced by this room. Send its event first.',
    },
  },
  clip_differs: {
    status: 409,
    message: {
      zh: '文件名、大小或校验值与登记不符，未接收。',
      en: 'Name, size or hash is not what the clip event announced; nothing was taken.',
    },
  },
  // No standard status says it; boxes know this one as "send the whole file again".
  clip_hash_mismatch: {
    status: 460,
    message: {
      zh: '收到的内容校验值不符，已另存备查。请重新上传。',
      en: 'The bytes received have another hash and were kept aside. Send the file again.',
    },
  },
  device_refused: {
    status: 401,
    message: {
      zh: '设备或密钥未登记。请重新登记设备。',
      en: 'The device or its secret is not known. Enrol the box again.',
    },
  },
  device_unknown: { status: 404, message: { zh: '没有这台设备。', en: 'There is no such device.' } },
  enrol_code_refused: {
    message: {
      zh: '登记码不正确、已使用或已过期。请向监督员索取新的登记码。',
      en: 'The code is wrong, used or expired. Ask a supervisor for a new one.',
    },
  },
  csr_invalid: {
    message: {
      zh: '证书申请无效，未签发证书。请重新运行 evalroom enroll。',
      en: 'The certificate request is not valid; nothing was signed. Run evalroom enroll again.',
    },
  },
  enrol_elsewhere: {
    status: 409,
    message: {
      zh: '本系统使用外部证书机构，请向该机构申请证书。',
      en: 'Certificates come from an outside authority here. Ask there.',
    },
  },
  identity_off: {
    status: 409,
    message: {
      zh: '本系统只在本机通信，没有启用证书。请在 cloud.yaml 中把 http.tls 和 mqtt.tls 设为 auto。',
      en: 'This cloud speaks on its own machine alone and gives no certificates. Set http.tls and mqtt.tls to auto in cloud.yaml.',
    },
  },
  export_busy: {
    message: {
      zh: '正在生成其他副本，请稍后再试。证据原件不受影响。',
      en: 'Other copies are being made. Try again in a moment; the evidence is not affected.',
    },
  },
  export_failed: {
    message: {
      zh: '副本未能生成。证据原件不受影响，请稍后再试；若仍失败，请联系运维。',
      en: 'The copy could not be made. The evidence is not affected: try again, and if it fails again ask whoever runs the cloud.',
    },
  },
  export_given_up: {
    message: {
      zh: '副本生成已中止。证据原件不受影响，请再试一次。',
      en: 'Making the copy was ended. The evidence is not affected; try again.',
    },
  },
  ffmpeg_missing: {
    message: {
      zh: '云端服务器没有安装 ffmpeg，无法生成模糊副本。证据原件不受影响，请联系运维。',
      en: 'The server of the cloud has no ffmpeg to make a blurred copy. The evidence is not affected; ask whoever runs it.',
    },
  },
  grant_invalid: {
    message: {
      zh: '播放许可已过期或不属于本次登录。请重新打开片段。',
      en: 'The permission to play is over or belongs to another session. Open the clip again.',
    },
  },
  device_exists: {
    status: 409,
    message: {
      zh: '该设备编号已用于其他评标室。请换一个编号。',
      en: 'This device id belongs to another room. Choose another id.',
    },
  },
  bad_id: {
    message: {
      zh: '编号只能包含字母、数字、- 和 _，最多 64 个字符，且不能以 evalroom- 开头。',
      en: 'An id is 1 to 64 letters, digits, - or _, and does not begin with evalroom-.',
    },
  },
  page_not_built: {
    status: 503,
    message: {
      zh: '网页尚未生成。请先运行 npm start。',
      en: 'The web page has not been built yet. Run npm start first.',
    },
  },
};

/** Layouts and rule packs. */
export const SETTING_UP_WORDS: ErrorWords = {
  rule_note_long: {
    message: {
      zh: `版本说明过长，最多 ${RULE_NOTE_MAX} 个字符。`,
      en: `The note of the version is too long: at most ${RULE_NOTE_MAX} characters.`,
    },
  },
  places_many: {
    message: {
      zh: `一次可发布到 1 至 ${PLACES_MAX} 处。更多时请选择整个中心或全部评标室。`,
      en: `Choose 1 to ${PLACES_MAX} places; for more, publish to a centre or to all rooms.`,
    },
  },
  layout_shape: {
    message: {
      zh: '布局内容不完整，未保存。请重新打开布置页面后再试。',
      en: 'This is not a whole layout; nothing was saved. Open the room editor again and try once more.',
    },
  },
  layout_faults: {
    message: {
      zh: '布局有误，未保存。请按页面上的提示逐条修正。',
      en: 'The layout has faults and was not saved. Correct what the page lists.',
    },
  },
  layout_changed: {
    status: 409,
    message: {
      zh: '布局刚被他人更改，您的修改尚未保存。请先看对方的布局，再决定保留哪一份。',
      en: 'Somebody else has just changed the layout; yours is not saved yet. Look at theirs, then decide which one stays.',
    },
  },
  layout_no_cameras: {
    status: 409,
    message: {
      zh: '尚未收到该评标室的状态，不知道有哪些摄像机。请待设备上线后再保存。',
      en: 'The box of this room was not heard yet, so its cameras are not known. Save again once it is online.',
    },
  },
  rules_draft_faults: {
    message: {
      zh: '规则包还有错误，未保存。请按页面上标出的地方修改。',
      en: 'The rule pack has faults and was not saved. Correct what the page marks.',
    },
  },
  rule_name_taken: {
    status: 409,
    message: {
      zh: '这个标识属于产品自带的规则包。请给本单位的规则包另取一个标识。',
      en: 'This name belongs to a pack of the product. Give yours a name of its own.',
    },
  },
  rule_version_low: {
    status: 409,
    message: {
      zh: '已有相同或更高的版本。请把版本号改大。',
      en: 'There is this version or a higher one already. Take a higher number.',
    },
  },
  rule_version_exists: {
    status: 409,
    message: {
      zh: '这个版本刚刚被保存过。请把版本号改大。',
      en: 'This version was saved just now. Take a higher number.',
    },
  },
  sound_bad: {
    message: {
      zh: '无法读取这段录音。请使用 WAV 文件（PCM，8 至 48 kHz）。',
      en: 'This recording cannot be read. Use a WAV file (PCM, 8 to 48 kHz).',
    },
  },
  sound_long: {
    message: {
      zh: `录音过长，最多 ${SOUND_SECONDS / 60} 分钟。`,
      en: `The recording is too long: ${SOUND_SECONDS / 60} minutes at most.`,
    },
  },
  sound_gone: {
    status: 404,
    message: { zh: '录音已不在内存中。请重新上传。', en: 'The recording is not in memory any more. Upload it again.' },
  },
  rules_busy: {
    status: 503,
    message: { zh: '正在处理其他测试，请稍后再试。', en: 'Other tries are being worked on. Try again shortly.' },
  },
  rules_slow: {
    status: 503,
    message: { zh: '测试未能完成，请稍后再试。', en: 'The try could not be finished. Try again shortly.' },
  },
  model_missing: {
    status: 503,
    message: {
      zh: '云端没有普通话识别模型。请在云端机器上运行 evalroom models fetch zh，或用打字测试。',
      en: 'The cloud has no Mandarin model. Run evalroom models fetch zh on its machine, or type the sentence.',
    },
  },
};
