/** A rule pack on its way: written as files, signed, opened again; and every way in which it may be refused. */
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { unheardForms } from '../../../../models/rules/heard.ts';
import { builtInRulePacks, loadRulePack, loadRulePackFiles } from '../../../../models/rules/load.ts';
import { keyIdOf, openRulePack, ordersBytes, rulesKeysIn, signRulePack } from '../../../../models/rules/sign.ts';
import { writeRulePackFiles } from '../../../../models/rules/write.ts';
import { parseOrders } from '../../../../protocol/orders-schema.ts';

const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const other = generateKeyPairSync('ed25519');
const pem = (key: typeof publicKey) => key.export({ type: 'spki', format: 'pem' }).toString();
const FILES = {
  'pack.yaml': `name: province
version: '2.1.0'
title: { zh: 某省规则, en: Rules of a province }
cooldownMs: 60000
rules:
  speech_prohibited: { citation: 纪律, level: alarm, alarmAfter: null, mergeMs: 5000 }
phrases: [./words.yaml]
`,
  'words.yaml': `language: zh-CN
contexts: { negation: [不能, 不要] }
phrases:
  - { id: a-1, category: prohibited, gravity: notice, forms: [把分数改一改], unless: ['@negation'], citation: 纪律 }
  - { id: a-2, category: prohibited, forms: ['给{BIDDER}改分'], unless: ['@negation'], citation: 纪律 }
`,
};
const refusalOf = (work: () => unknown) => {
  try {
    work();
  } catch (error) {
    return error as Error & { code: string };
  }
  throw new Error('it was taken');
};

describe('the files of a pack', () => {
  it.each(builtInRulePacks())('%s is the same after being written and read', (name) => {
    const pack = loadRulePack(name);
    // One file for each language: only the order among languages may change.
    const languages = [...new Set(pack.phrases.map(({ language }) => language))];
    const phrases = languages.flatMap((one) => pack.phrases.filter(({ language }) => language === one));
    expect(loadRulePackFiles(writeRulePackFiles(pack))).toEqual({ ...pack, phrases });
    expect(unheardForms(pack)).toEqual([]);
  });

  it('give the same errors from memory as from a folder', () => {
    const broken = { ...FILES, 'words.yaml': FILES['words.yaml'].replace('prohibited', 'rude') };
    expect(refusalOf(() => loadRulePackFiles(broken))).toMatchObject({
      code: 'rule_pack_invalid',
      message: expect.stringContaining('words.yaml: phrases.0.category'),
    });
    expect(refusalOf(() => loadRulePackFiles({ 'pack.yaml': FILES['pack.yaml'] })).message).toContain('words.yaml');
    expect(refusalOf(() => loadRulePackFiles({})).message).toContain('pack.yaml');
    const bomb = `${FILES['words.yaml']}x: &a [${'*a,'.repeat(200)}]\n`;
    expect(refusalOf(() => loadRulePackFiles({ ...FILES, 'words.yaml': bomb })).code).toBe('rule_pack_invalid');
  });
});

describe('a signed pack', () => {
  const order = signRulePack(FILES, privateKey);

  it('travels and is opened by a box that knows the key', () => {
    const { orders, refused } = parsed({ roomId: 'room-1', revision: 1, rulePack: order });
    expect(refused).toEqual([]);
    expect(openRulePack(orders.rulePack!, [other.publicKey, publicKey])).toEqual(loadRulePackFiles(FILES));
    // The order of the files does not matter, their names and every character do.
    const turned = Object.fromEntries(Object.entries(FILES).reverse());
    expect(ordersBytes(turned)).toEqual(ordersBytes(FILES));
    expect(ordersBytes({ ...FILES, x: '' })).not.toEqual(ordersBytes(FILES));
  });

  it.each([
    ['a key that the box does not know', order, [other.publicKey], 'rule_pack_key'],
    ['no key at all', order, [], 'rule_pack_key'],
    [
      'a changed word',
      { ...order, files: { ...FILES, 'words.yaml': FILES['words.yaml'].replace('改一改', '改改吧') } },
      [publicKey],
      'rule_pack_forged',
    ],
    [
      'the signature of another key under this name',
      { ...signRulePack(FILES, other.privateKey), keyId: keyIdOf(publicKey) },
      [publicKey],
      'rule_pack_forged',
    ],
    ['a hash that is not theirs', { ...order, sha256: '0'.repeat(64) }, [publicKey], 'rule_pack_forged'],
    ['another version on the outside', { ...order, version: '9.0.0' }, [publicKey], 'rule_pack_other'],
    [
      'a phrase that no ear hears',
      signRulePack({ ...FILES, 'words.yaml': FILES['words.yaml'].replace('把分数改一改', '标') }, privateKey),
      [publicKey],
      'rule_pack_unheard',
    ],
  ])('is refused with %s', (_what, given, keys, code) => {
    expect(refusalOf(() => openRulePack(given, keys))).toMatchObject({ code });
  });

  it('names forms that are too short or written in signs', () => {
    const words = FILES['words.yaml'].replace('把分数改一改', '改b5分').replace('给{BIDDER}改分', '改');
    expect(unheardForms(loadRulePackFiles({ ...FILES, 'words.yaml': words }))).toEqual([
      { phraseId: 'a-1', form: '改b5分', reason: 'signs' },
      { phraseId: 'a-2', form: '改', reason: 'short' },
    ]);
  });
});

describe('public keys in a file', () => {
  it('are read in their order, and nothing else is taken for one', () => {
    expect(rulesKeysIn(`${pem(publicKey)}\n${pem(other.publicKey)}`, 'k').map(keyIdOf)).toEqual([
      keyIdOf(publicKey),
      keyIdOf(other.publicKey),
    ]);
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey;
    for (const bad of ['', 'no key', pem(rsa), pem(publicKey).replace(/M/g, '!')])
      expect(refusalOf(() => rulesKeysIn(bad, 'k')).code).toBe('rules_key_bad');
  });
});

function parsed(value: unknown) {
  const result = parseOrders(Buffer.from(JSON.stringify(value)), 'room-1');
  if (!result.ok) throw new Error(result.reason);
  return result;
}
