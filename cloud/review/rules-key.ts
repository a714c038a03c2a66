/** The key that vouches for rule packs: made at the first start, beside the cloud's other keys, and handed to boxes as its public half. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { keyIdOf } from '../../models/rules/sign.ts';
import { Corrupt } from '../../protocol/errors.ts';
import { writeSecret, writeSecretOnce } from '../identity/files.ts';

const KEY_FILE = 'rules.key.pem';
/** For boxes that get it by file. */
const PUBLIC_FILE = 'rules.pem';

export interface RulesKey {
  readonly keyId: string;
  readonly privateKey: KeyObject;
  /** PEM, as boxes keep it. */
  readonly publicPem: string;
}

/**
 * Reads the key in `folder`, or makes it (mode 0600). All processes of one cloud share the folder, as they do for
 * certificates. Throws Corrupt `rules_key_damaged` when the file is not an Ed25519 key.
 */
export function openRulesKey(folder: string): RulesKey {
  const made = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  writeSecretOnce(folder, KEY_FILE, made);
  const path = join(folder, KEY_FILE);
  const damaged = (cause?: unknown) =>
    new Corrupt(
      'rules_key_damaged',
      `reading ${path}: it is no Ed25519 key; restore it, or remove it and give every box the new public key (docs/rules.md)`,
      cause,
    );
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw damaged(cause);
  }
  if (privateKey.asymmetricKeyType !== 'ed25519') throw damaged();
  const publicKey = createPublicKey(privateKey);
  const publicPem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  writeSecret(folder, PUBLIC_FILE, publicPem);
  return { keyId: keyIdOf(publicKey), privateKey, publicPem };
}
