import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  findWeight,
  loadManifest,
  selectWeights,
  verifyFile,
  type Weight,
  weightFile,
} from '../../../models/manifest.ts';

const BYTES = Buffer.from('the weights of a model');
const weight: Weight = {
  name: 'sample',
  groups: ['better'],
  source: 'fetch',
  path: 'sample.onnx',
  addresses: ['https://models.example/sample.onnx'],
  licence: 'Apache-2.0',
  licenceVerified: true,
  sha256: createHash('sha256').update(BYTES).digest('hex'),
  bytes: BYTES.length,
  hashOf: 'mirror',
  input: 'none',
};

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'evalroom-manifest-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('the manifest', () => {
  it('is whole: every fetched weight has an address, every npm one its package, and no licence is claimed unread', async () => {
    const { weights } = await loadManifest();
    for (const { name, source, addresses, package: packageName, licenceVerified, licenceNote } of weights) {
      if (source === 'fetch') expect(addresses, name).not.toEqual([]);
      if (source === 'npm' || source === 'debian') expect(packageName, name).toBeDefined();
      if (!licenceVerified) expect(licenceNote, name).toBeDefined();
    }
  });

  it('agrees with what npm brought', async () => {
    const { weights } = await loadManifest();
    for (const npm of weights.filter(({ source }) => source === 'npm'))
      await expect(verifyFile({ weight: npm, file: weightFile(npm, folder) })).resolves.toBe(npm.sha256);
  });

  it.each([
    ['not JSON', '{', 'cannot be read as JSON'],
    ['an unknown key', JSON.stringify({ version: 1, weights: [{ ...weight, size: 1 }] }), 'weights.0'],
    ['a bad hash', JSON.stringify({ version: 1, weights: [{ ...weight, sha256: 'abc' }] }), 'weights.0.sha256'],
    ['a name used twice', JSON.stringify({ version: 1, weights: [weight, weight] }), 'sample is used twice'],
  ])('is refused with the place when it has %s', async (_what, text, place) => {
    const file = join(folder, 'manifest.json');
    await writeFile(file, text);
    await expect(loadManifest(file)).rejects.toMatchObject({
      kind: 'InvalidInput',
      code: 'manifest',
      message: expect.stringContaining(place),
    });
  });
});

describe('selectWeights', () => {
  it('takes groups and names, and says what there is for an unknown word', async () => {
    const manifest = await loadManifest();
    expect(selectWeights(manifest, ['zh'])).toHaveLength(4);
    expect(selectWeights(manifest, ['yolox-nano', 'zh'])).toHaveLength(5);
    expect(selectWeights(manifest, [])).toHaveLength(manifest.weights.length);
    expect(() => selectWeights(manifest, ['yolo'])).toThrow(
      expect.objectContaining({ kind: 'InvalidInput', message: expect.stringContaining('yolox-nano') }),
    );
  });
});

describe('verifyFile', () => {
  const write = async (bytes: Buffer) => {
    const file = join(folder, weight.path);
    await writeFile(file, bytes);
    return file;
  };

  it('gives the hash of a good file, which is found by its folder', async () => {
    await write(BYTES);
    const file = await findWeight(weight, [join(folder, 'nowhere'), folder]);
    expect(file).toBe(join(folder, weight.path));
    expect(await verifyFile({ weight, file: file! })).toBe(weight.sha256);
  });

  it('says how to get a file that is not there', async () => {
    expect(await findWeight(weight, [folder])).toBeUndefined();
    await expect(verifyFile({ weight, file: join(folder, 'sample.onnx') })).rejects.toMatchObject({
      kind: 'Unavailable',
      code: 'model_missing',
      message: expect.stringContaining('evalroom models fetch sample'),
    });
  });

  it('knows a truncated file from a different one', async () => {
    await expect(verifyFile({ weight, file: await write(BYTES.subarray(0, 5)) })).rejects.toMatchObject({
      kind: 'Corrupt',
      code: 'model_truncated',
      message: expect.stringContaining(`5 of ${BYTES.length} bytes`),
    });
  });

  it('refuses a different file with both hashes, unless its hash is accepted', async () => {
    const other = Buffer.from('some other weights, as long');
    const hash = createHash('sha256').update(other).digest('hex');
    const file = await write(other);
    await expect(verifyFile({ weight, file })).rejects.toMatchObject({
      kind: 'Corrupt',
      code: 'model_hash_mismatch',
      message: expect.stringMatching(new RegExp(`${hash}.*${weight.sha256}`)),
    });
    expect(await verifyFile({ weight, file, acceptSha256: [hash] })).toBe(hash);
  });
});
