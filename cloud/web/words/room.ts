/** Words of the room editor, Chinese first: for installers who are no programmers. */
import type { Lang } from './time.ts';
import type { Values } from './words.ts';

const ROOM = {
  title: ['布置评标室', 'Set up the room'],
  pickRoom: ['请选择要布置的评标室', 'Choose the room to be set up'],
  pickRoomNote: ['设备上线后，评标室会出现在这里。', 'A room appears here once its box is online.'],
  noCamera: ['这间评标室还没有摄像机上报', 'No camera of this room was heard yet'],
  camera: ['摄像机', 'Camera'],
  noPicture: ['还没有收到 {camera} 的画面', 'No picture of {camera} yet'],
  noPictureNote: [
    '设备上线约 10 秒后会送来第一张画面；仍没有时，请在“设备”页查看原因。',
    'The first one comes about ten seconds after the box is online; if not, the page Devices says why.',
  ],
  largePicture: ['大图', 'large picture'],
  smallPicture: ['小图', 'small picture'],
  askPicture: ['刷新大图', 'New large picture'],
  waitPicture: ['索取过于频繁，请等待 {n} 秒', 'Asked too often: please wait {n} s'],
  askingPicture: ['正在索取', 'Asking the box'],
  pictureOf: ['{camera} 的画面，{time}', 'Picture of {camera}, {time}'],
  board: ['画板：在画面上画出席位、门线、区域和地面点', 'Drawing board: seats, door line, zones and floor points'],

  select: ['选择', 'Select'],
  seat: ['席位', 'Seat'],
  desk: ['桌面', 'Desk'],
  zone: ['区域', 'Zone'],
  door: ['门线', 'Door line'],
  floor: ['地面点', 'Floor point'],
  undo: ['撤销', 'Undo'],
  redo: ['重做', 'Redo'],
  zoomIn: ['放大', 'Zoom in'],
  zoomOut: ['缩小', 'Zoom out'],
  whole: ['全图', 'Whole picture'],
  finish: ['完成', 'Finish'],
  cancel: ['取消', 'Cancel'],

  hintSelect: ['点选一个图形可移动；拖动角点可改形状。', 'Tap a shape to move it; drag its corners to reshape it.'],
  hintSeat: [
    '框住椅子和坐着的上半身：按住拖出一个框，或逐点点出一圈。',
    'Around the chair and a sitting upper body: drag a frame, or tap corner by corner.',
  ],
  hintDesk: ['框住所选席位的桌面。', "Around the desk's surface of the chosen seat."],
  hintDeskNone: ['先选一个席位，再画它的桌面。', 'Choose a seat first, then draw its desk.'],
  hintZone: ['框住门、窗或其他区域。', 'Around a door, a window or another area.'],
  hintDoor: [
    '沿门槛拖一条线；“内”点要在房间一侧。',
    'Drag a line along the threshold; its point "in" is on the room\'s side.',
  ],
  hintFloor: [
    '在地面上点四个以上看得清的点（砖缝、墙角），并在右侧填写它们的位置（米）。',
    'Tap four or more clear points on the floor (tile joints, corners) and give their place in metres.',
  ],
  hintPlace: [
    '点出 {name} 的椅子立在地面上的位置；被桌子挡住时，估计椅脚所在处。',
    'Tap where the chair of {name} stands on the floor; behind a desk, where its feet must be.',
  ],
  hintTrace: ['已有 {n} 个角点；点第一个角点或“完成”以闭合。', '{n} corners; tap the first one or "Finish" to close.'],
  hintView: ['在此画面上画出 {name}。', 'Draw {name} on this picture.'],

  inside: ['内', 'in'],
  things: ['已画的内容', 'What is drawn'],
  nothing: ['这间评标室还什么都没画。', 'Nothing is drawn in this room yet.'],
  seats: ['席位', 'Seats'],
  zones: ['区域', 'Zones'],
  doors: ['门线', 'Door lines'],
  floors: ['地面点', 'Floor points'],
  seenBy: ['{cameras} 可见', 'seen by {cameras}'],
  points: ['{n} 个点', '{n} points'],
  name: ['名称', 'Name'],
  kind: ['类型', 'Kind'],
  zoneDoor: ['门', 'Door'],
  zoneWindow: ['窗', 'Window'],
  zoneOther: ['其他', 'Other'],
  isSeat: ['这是', 'This is'],
  newSeat: ['新的席位', 'a seat of its own'],
  place: ['在地面上的位置（米）', 'Place on the floor (metres)'],
  placeOnPicture: ['在画面上点选', 'Tap on the picture'],
  drawHere: ['画在此画面上', 'Draw on this picture'],
  drawDesk: ['画桌面', 'Draw its desk'],
  turn: ['内外对调', 'Turn round'],
  remove: ['删除', 'Delete'],
  removeView: ['从此画面删除', 'Take it off this picture'],
  removeCorner: ['删除此角点', 'Delete this corner'],
  corner: ['角点 {n}', 'Corner {n}'],
  metresX: ['横向 x', 'x, to the right'],
  metresY: ['纵向 y', 'y, away'],
  off: ['偏差 {n} 米', '{n} m off'],
  floorHelp: [
    '任选一个点作为原点 (0, 0)，其余点量出到它的横向、纵向距离。画面上的网格每格一米：与地砖走向一致即为正确。',
    'Take one point as (0, 0) and measure the others from it. The grid on the picture is one metre a cell: it is right when it lies as the tiles do.',
  ],
  floorMore: ['再点 {n} 个地面点后可显示网格。', 'The grid appears after {n} more points.'],
  floorGood: ['各点互相吻合。', 'The points agree with each other.'],
  floorWrong: ['有的点与其他点不合，请核对标红的点。', 'Some points do not agree with the others: check those marked.'],
  floorUnproved: ['四个点总能吻合；再量第五个点可验证。', 'Four points always fit; a fifth one proves them.'],

  proposals: ['建议的席位', 'Proposed seats'],
  proposalsNote: [
    '最近 {minutes} 分钟，{camera} 看到 {n} 处有人就座而尚未画出（虚线）。',
    'In the last {minutes} min {camera} saw people sit at {n} places that are not drawn (dashed).',
  ],
  proposalsNone: [
    '开机后让大家照常就座，约一分钟后这里会给出建议，十分钟后更准。',
    'Let everybody sit as usual: proposals appear after a minute and are better after ten.',
  ],
  accept: ['采用', 'Take'],
  acceptAll: ['全部采用（{n}）', 'Take all ({n})'],
  proposal: ['建议的席位 {n}：有人在座 {share} %', 'Proposed seat {n}: somebody there {share} % of the time'],

  problems: ['需要修正', 'To be corrected'],
  save: ['保存并启用', 'Save and use'],
  saving: ['正在保存', 'Saving'],
  unsaved: ['有未保存的修改', 'Not saved yet'],
  asRunning: ['与设备运行的布局一致', 'As the box runs it'],
  saved: ['已保存，等待设备启用', 'Saved; the box is about to follow'],
  savedOffline: [
    '已保存。设备离线，恢复连接后自动启用。',
    'Saved. The box is offline and will follow once it is back.',
  ],
  inForce: ['设备已按此布局运行', 'The box runs by this layout'],
  refused: [
    '设备拒绝了布局，仍按原布局运行：{reason}',
    'The box refused the layout and goes on with the one before: {reason}',
  ],
  restored: ['已恢复上次未保存的修改。', 'Your unsaved changes of last time are back.'],
  discard: ['放弃修改', 'Discard changes'],
  changedElsewhere: [
    '布局刚被他人更改，您的修改尚未保存。请选择保留哪一份。',
    'Somebody else has changed the layout; yours is not saved. Choose which one stays.',
  ],
  showTheirs: ['看对方的布局', 'Show theirs'],
  keepMine: ['用我的覆盖并启用', 'Use mine instead'],
  theirs: ['这是对方的布局。按“重做”可取回您的修改。', 'This is their layout. “Redo” brings your changes back.'],
  fromFile: ['设备自带文件 room.yaml 的布局', "Layout of the box's own room.yaml"],
  withdraw: ['改用设备自带布局', "Use the box's own layout"],
  withdrawSure: ['确认改用', 'Really use it'],

  moved: [
    '{camera} 的机位被移动过：画面上的区域和距离暂不可信。',
    '{camera} was moved: zones and distances on its picture are doubtful.',
  ],
  movedNote: [
    '若已转回原位或图形已对准，请确认；否则先把图形移到新位置并保存。',
    'Confirm if it is back in place or the shapes fit; otherwise move the shapes first and save.',
  ],
  nudged: [
    '{camera} 被轻微碰动（画面偏移 {share} %）：图形已自动随之移动。',
    '{camera} was nudged (its picture by {share} %): what is drawn is moved along by itself.',
  ],
  nudgedFloor: [
    '地面距离是按原来的机位标定的，暂不可全信。',
    'Distances on the floor were measured from where it was, and are doubtful.',
  ],
  nudgedNote: [
    '转回原位即可恢复；否则把图形和地面点对准现在的画面并保存。',
    'Turn it back and all is well; otherwise move shapes and floor points onto the picture as it is now, and save.',
  ],
  confirmPicture: ['画面已对准，以现在的画面为基准', 'The picture is right: take it as reference'],
  confirmed: ['已以现在的画面为基准', 'The picture as it is now is the reference'],
} as const;

export type RoomKey = keyof typeof ROOM;

/** The words of a key with `{name}` places filled. */
export function roomWords(lang: Lang, key: RoomKey, values?: Values): string {
  const text: string = ROOM[key][lang === 'zh' ? 0 : 1];
  return values ? text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole)) : text;
}
