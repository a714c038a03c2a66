// Assembles the pose models that @mediapipe/tasks-vision wants (.task) from the weights inside @mediapipe/pose:
// plain JavaScript for Node 20 without dependencies, deterministic, run once by the set-up.
//
// A .task is a ZIP of two .tflite files, stored, not compressed, each aligned in the file. Each .tflite must carry TFLite
// Model Metadata that tells how pixels are normalised; the files of @mediapipe/pose have none, so it is added here.
// FlatBuffers' offsets only point forward: a new root table put in front of the old bytes can use every old vector
// as it lies, so nothing of the model has to be parsed or copied beyond the list of its buffers.
import { createHash } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const VARIANTS = ['lite', 'full'];

/** A field of a FlatBuffers table: an offset to be linked later, or a number stored in place. */
const link = { kind: 'link' };
const u32 = (value) => ({ kind: 'u32', value });
const u8 = (value) => ({ kind: 'u8', value });

/** Writes FlatBuffers front to back into one block: every table precedes what it points to. */
class ForwardWriter {
  constructor(capacity, fileId) {
    this.bytes = Buffer.alloc(capacity);
    this.at = 8;
    this.bytes.write(fileId, 4, 'latin1');
  }

  align(to) {
    while (this.at % to !== 0) this.at++;
  }

  /** Writes a table; absent fields are null. Gives its position and, by field, where an offset is to be linked. */
  table(fields) {
    this.align(4);
    const vtable = this.at;
    const object = 4 + 4 * fields.filter(Boolean).length;
    this.bytes.writeUInt16LE(4 + 2 * fields.length, vtable);
    this.bytes.writeUInt16LE(object, vtable + 2);
    this.at = vtable + 4 + 2 * fields.length;
    this.align(4);
    const position = this.at;
    this.bytes.writeInt32LE(position - vtable, position);
    let offset = 4;
    const slots = fields.map((field, i) => {
      const entry = vtable + 4 + 2 * i;
      if (!field) return undefined;
      this.bytes.writeUInt16LE(offset, entry);
      const slot = position + offset;
      if (field.kind === 'u32') this.bytes.writeUInt32LE(field.value, slot);
      if (field.kind === 'u8') this.bytes.writeUInt8(field.value, slot);
      offset += 4;
      return slot;
    });
    this.at = position + object;
    return { position, slots };
  }

  /** Writes the root table and points the header at it. */
  root(fields) {
    const table = this.table(fields);
    this.bytes.writeUInt32LE(table.position, 0);
    return table;
  }

  /** A vector of offsets, linked into `from`; gives the slots of its elements. */
  offsets(from, count) {
    const position = this.begin(from, count);
    const slots = Array.from({ length: count }, (_, i) => position + 4 + 4 * i);
    this.at = position + 4 + 4 * count;
    return slots;
  }

  floats(from, values) {
    const position = this.begin(from, values.length);
    values.forEach((value, i) => {
      this.bytes.writeFloatLE(value, position + 4 + 4 * i);
    });
    this.at = position + 4 + 4 * values.length;
  }

  string(from, text) {
    const position = this.begin(from, Buffer.byteLength(text));
    this.bytes.write(text, position + 4, 'utf8');
    this.at = position + 4 + Buffer.byteLength(text) + 1;
  }

  begin(from, length) {
    this.align(4);
    this.bytes.writeUInt32LE(length, this.at);
    this.point(from, this.at);
    return this.at;
  }

  point(slot, target) {
    this.bytes.writeUInt32LE(target - slot, slot);
  }

  /** A table whose offset is linked into `from`. */
  child(from, fields) {
    const table = this.table(fields);
    this.point(from, table.position);
    return table;
  }
}

/** ModelMetadata (TFLite's metadata_schema.fbs) for one RGB input normalised as (pixel - mean) / std. */
function modelMetadata({ mean, std, outputs }) {
  const w = new ForwardWriter(2048, 'M001');
  // name, description, version, subgraph_metadata, author, license, associated_files, min_parser_version
  const root = w.root([link, null, null, link, null, null, null, link]);
  w.string(root.slots[0], 'pose');
  w.string(root.slots[7], '1.0.0');
  const [subgraphSlot] = w.offsets(root.slots[3], 1);
  // name, description, input_tensor_metadata, output_tensor_metadata
  const subgraph = w.child(subgraphSlot, [null, null, link, link]);
  const [inputSlot] = w.offsets(subgraph.slots[2], 1);
  // name, description, dimension_names, content, process_units
  const input = w.child(inputSlot, [link, null, null, link, link]);
  w.string(input.slots[0], 'image');
  // content_properties_type: ImageProperties (2), content_properties
  const content = w.child(input.slots[3], [u8(2), link]);
  w.child(content.slots[1], [u8(1)]); // color_space: RGB
  const [unitSlot] = w.offsets(input.slots[4], 1);
  // options_type: NormalizationOptions (1), options
  const unit = w.child(unitSlot, [u8(1), link]);
  const normalization = w.child(unit.slots[1], [link, link]);
  w.floats(normalization.slots[0], [mean]);
  w.floats(normalization.slots[1], [std]);
  const outputSlots = w.offsets(subgraph.slots[3], outputs);
  outputSlots.forEach((slot, i) => {
    w.string(w.child(slot, [link]).slots[0], `out${i}`);
  });
  w.align(8);
  return w.bytes.subarray(0, w.at);
}

/** Reads one table of an existing FlatBuffers file. */
function readTable(bytes, position) {
  const vtable = position - bytes.readInt32LE(position);
  const count = (bytes.readUInt16LE(vtable) - 4) / 2;
  const field = (i) => (i < count ? bytes.readUInt16LE(vtable + 4 + 2 * i) : 0);
  return {
    number: (i) => (field(i) ? bytes.readUInt32LE(position + field(i)) : undefined),
    target: (i) => (field(i) ? position + field(i) + bytes.readUInt32LE(position + field(i)) : undefined),
  };
}

/** Names in the vector of metadata at `vector`: other tools leave marks there (min_runtime_version) that we may drop. */
function metadataNames(bytes, vector) {
  if (vector === undefined) return [];
  return Array.from({ length: bytes.readUInt32LE(vector) }, (_, i) => {
    const slot = vector + 4 + 4 * i;
    const name = readTable(bytes, slot + bytes.readUInt32LE(slot)).target(0);
    return bytes.toString('utf8', name + 4, name + 4 + bytes.readUInt32LE(name));
  });
}

/** Gives a .tflite its metadata: a new root in front, the old bytes untouched behind it. */
export function withMetadata(model, { mean, std }) {
  if (model.length < 64 || model.toString('latin1', 4, 8) !== 'TFL3')
    throw new Error('not a TFLite model (no TFL3 mark)');
  // Model: version, operator_codes, subgraphs, description, buffers, metadata_buffer, metadata
  const old = readTable(model, model.readUInt32LE(0));
  if (metadataNames(model, old.target(6)).includes('TFLITE_METADATA')) return model;
  const [opcodes, subgraphs, description, buffers] = [old.target(1), old.target(2), old.target(3), old.target(4)];
  const subgraph = readTable(model, subgraphs + 4 + model.readUInt32LE(subgraphs + 4));
  const outputs = model.readUInt32LE(subgraph.target(2));
  const bufferCount = model.readUInt32LE(buffers);
  const metadata = modelMetadata({ mean, std, outputs });

  const w = new ForwardWriter(4096 + 4 * bufferCount + metadata.length, 'TFL3');
  const root = w.root([u32(old.number(0) ?? 3), link, link, description ? link : null, link, null, link]);
  const bufferSlots = w.offsets(root.slots[4], bufferCount + 1);
  const [entrySlot] = w.offsets(root.slots[6], 1);
  const entry = w.child(entrySlot, [link, u32(bufferCount)]);
  w.string(entry.slots[0], 'TFLITE_METADATA');
  const holder = w.child(bufferSlots[bufferCount], [link]);
  w.align(16);
  w.at += 12; // so that the metadata itself, after its length, is 16-aligned
  w.bytes.writeUInt32LE(metadata.length, w.at);
  w.point(holder.slots[0], w.at);
  metadata.copy(w.bytes, w.at + 4);
  w.at += 4 + metadata.length;
  w.align(64); // keeps the alignment that the old tensors had
  const base = w.at;
  w.point(root.slots[1], base + opcodes);
  w.point(root.slots[2], base + subgraphs);
  if (description) w.point(root.slots[3], base + description);
  for (let i = 0; i < bufferCount; i++) {
    const slot = buffers + 4 + 4 * i;
    w.point(bufferSlots[i], base + slot + model.readUInt32LE(slot));
  }
  return Buffer.concat([w.bytes.subarray(0, base), model]);
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? 0xedb88320 ^ (crc >>> 1) : crc >>> 1;
  return crc;
});

function crc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = CRC_TABLE[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

/** A ZIP whose entries are stored and 16-aligned: the runtime maps the models in place. Time stamps are fixed. */
export function storedZip(entries) {
  const parts = [];
  const directory = [];
  let offset = 0;
  for (const [name, data] of entries) {
    const title = Buffer.from(name);
    let pad = (16 - ((offset + 30 + title.length) % 16)) % 16;
    if (pad > 0 && pad < 4) pad += 16; // an extra field needs four bytes for its own header
    const extra = Buffer.alloc(pad);
    if (pad > 0) {
      extra.writeUInt16LE(0xd935, 0); // the id Android's zipalign uses for alignment
      extra.writeUInt16LE(pad - 4, 2);
    }
    const crc = crc32(data);
    const header = Buffer.alloc(30);
    header.writeUInt32LE(0x04034b50, 0);
    header.writeUInt16LE(10, 4);
    header.writeUInt16LE(0x21, 12); // 1980-01-01
    header.writeUInt32LE(crc, 14);
    header.writeUInt32LE(data.length, 18);
    header.writeUInt32LE(data.length, 22);
    header.writeUInt16LE(title.length, 26);
    header.writeUInt16LE(pad, 28);
    const central = Buffer.alloc(46);
    central.writeUInt32LE(0x02014b50, 0);
    central.writeUInt16LE(10, 4);
    central.writeUInt16LE(10, 6);
    central.writeUInt16LE(0x21, 14);
    central.writeUInt32LE(crc, 16);
    central.writeUInt32LE(data.length, 20);
    central.writeUInt32LE(data.length, 24);
    central.writeUInt16LE(title.length, 28);
    central.writeUInt32LE(offset, 42);
    parts.push(header, title, extra, data);
    directory.push(central, title);
    offset += 30 + title.length + pad + data.length;
  }
  const listing = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(listing.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, listing, end]);
}

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** Bytes of one .task (`lite` or `full`) from the folder of the @mediapipe/pose package. */
export function assembleTask(variant, packageFolder) {
  const read = (name) => readFileSync(join(packageFolder, name));
  const detector = withMetadata(read('pose_solution_packed_assets.data'), { mean: 127.5, std: 127.5 });
  const landmarks = withMetadata(read(`pose_landmark_${variant}.tflite`), { mean: 0, std: 255 });
  return storedZip([
    ['pose_detector.tflite', detector],
    ['pose_landmarks_detector.tflite', landmarks],
  ]);
}

/**
 * Makes sure that both .task files lie in `folder` with the sha256 of models/manifest.json; gives the paths it wrote.
 * Throws when the result differs: then @mediapipe/pose is not the pinned version.
 */
export function buildTasks({ root = ROOT, folder = join(ROOT, '.data', 'models') } = {}) {
  const { weights } = JSON.parse(readFileSync(join(root, 'models', 'manifest.json'), 'utf8'));
  const written = [];
  for (const variant of VARIANTS) {
    const name = `pose_landmarker_${variant}.task`;
    const file = join(folder, name);
    const expected = weights.find((weight) => weight.path === name)?.sha256;
    if (!expected) throw new Error(`models/manifest.json names no ${name}`);
    if (existsSync(file) && sha256(readFileSync(file)) === expected) continue;
    const bytes = assembleTask(variant, join(root, 'node_modules', '@mediapipe', 'pose'));
    const actual = sha256(bytes);
    if (actual !== expected)
      throw new Error(
        `${name} came out with sha256 ${actual}, models/manifest.json expects ${expected}: ` +
          'is node_modules/@mediapipe/pose the pinned version? Run npm ci.',
      );
    mkdirSync(folder, { recursive: true });
    const temporary = `${file}.${process.pid}.tmp`;
    const handle = openSync(temporary, 'w');
    writeSync(handle, bytes);
    fsyncSync(handle);
    closeSync(handle);
    renameSync(temporary, file);
    written.push(file);
  }
  return written;
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const folder = process.argv[2] ? resolve(process.argv[2]) : undefined;
  const written = buildTasks(folder ? { folder } : {});
  console.log(written.length ? `built ${written.join(' and ')}` : 'pose models are built already');
}
