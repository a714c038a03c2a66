/** Who vouches for a rule pack on its way down into a room: Ed25519 over all of its files, made in the cloud and checked on the box. */
import { createHash, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { Forbidden, InvalidInput } from '../../protocol/errors.ts';
import type { RulePackOrder } from '../../protocol/orders.ts';
import type { RulePack } from '../../protocol/rules.ts';
import { refuseUnheard } from './heard.ts';
import { loadRulePackFiles } from './load.ts';

/** Apart from everything else that a key of ours might ever sign. */
const PURPOSE = 'evalroom rule pack 1';
const PEM = /-----BEGIN PUBLIC KEY-----[\s\S]*?-----END PUBLIC KEY-----/g;

/** What is hashed and signed: each file's name and text, in the order of the names. */
export function ordersBytes(files: Readonly<Record<string, string>>): Buffer {
  const names = Object.keys(files).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  return Buffer.from(JSON.stringify([PURPOSE, ...names.map((name) => [name, files[name]])]));
}

/** Name of a public key: the first 16 hexadecimal digits of its SHA-256. */
export function keyIdOf(publicKey: KeyObject): string {
  const der = publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(der).digest('hex').slice(0, 16);
}

/** Public keys of a PEM file, in its order; several while one takes over from another. Throws InvalidInput `rules_key_bad`. */
export function rulesKeysIn(pem: string, path: string): KeyObject[] {
  const keys = (pem.match(PEM) ?? []).map((one) => {
    try {
      return createPublicKey(one);
    } catch (cause) {
      throw new InvalidInput('rules_key_bad', `reading ${path}: a public key in it cannot be read`, cause);
    }
  });
  if (keys.length === 0 || keys.some((key) => key.asymmetricKeyType !== 'ed25519'))
    throw new InvalidInput(
      'rules_key_bad',
      `reading ${path}: it must hold the Ed25519 public key of the cloud's rule packs (PEM)`,
    );
  return keys;
}

/** The pack in its travelling form. `files` must be those of a pack that loads. */
export function signRulePack(files: Readonly<Record<string, string>>, privateKey: KeyObject): RulePackOrder {
  const { name, version } = loadRulePackFiles(files);
  const bytes = ordersBytes(files);
  return {
    name,
    version,
    files,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    signature: sign(null, bytes, privateKey).toString('base64url'),
    keyId: keyIdOf(createPublicKey(privateKey)),
  };
}

/**
 * The pack of an order, or why it may not be used: Forbidden `rule_pack_key` (made by a key that this box does not know)
 * or `rule_pack_forged` (bytes, hash and signature do not belong together); InvalidInput `rule_pack_invalid`,
 * `rule_pack_other` (another name or version inside), `rule_pack_unheard` (a phrase that no ear can hear).
 */
export function openRulePack(order: RulePackOrder, trusted: readonly KeyObject[]): RulePack {
  const { name, version, files, sha256, signature, keyId } = order;
  const what = `taking the rule pack ${name} ${version}`;
  const key = trusted.find((one) => keyIdOf(one) === keyId);
  if (!key)
    throw new Forbidden(
      'rule_pack_key',
      `${what}: it is signed by key ${keyId}, this box trusts ${trusted.map(keyIdOf).join(', ') || 'none'}; give the box the cloud's key again (docs/rules.md)`,
    );
  const bytes = ordersBytes(files);
  if (
    createHash('sha256').update(bytes).digest('hex') !== sha256 ||
    !verify(null, bytes, key, Buffer.from(signature, 'base64url'))
  )
    throw new Forbidden('rule_pack_forged', `${what}: hash or signature do not fit its files; publish it again`);
  const pack = loadRulePackFiles(files);
  if (pack.name !== name || pack.version !== version)
    throw new InvalidInput('rule_pack_other', `${what}: inside it says ${pack.name} ${pack.version}`);
  refuseUnheard(pack);
  return pack;
}
