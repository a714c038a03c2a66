/** The part of cloud.yaml about /metrics: nothing is served without it, and nothing beyond this machine without TLS and a token. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { TlsChoice } from './config.ts';

export interface MetricsConfig {
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  readonly tls?: TlsChoice;
  /** Whoever asks has to know it. */
  readonly token?: string;
  /** False: no series of single rooms. */
  readonly perRoom: boolean;
}

const tls = z.union([z.literal('auto'), z.strictObject({ certFile: z.string().min(1), keyFile: z.string().min(1) })]);

export const metricsShape = z.strictObject({
  host: z.string().min(1).default('127.0.0.1'),
  port: z.int().min(0).max(65535),
  tls: tls.exactOptional(),
  tokenFile: z.string().min(1).exactOptional(),
  perRoom: z.boolean().default(true),
});

/** Undefined where none are asked for. Adds to `faults`. */
export function metricsOf(
  metrics: z.output<typeof metricsShape> | undefined,
  parts: {
    readonly at: (file: string) => string;
    readonly files: (choice: TlsChoice) => TlsChoice;
    readonly isLoopback: (host: string) => boolean;
    readonly faults: string[];
  },
): MetricsConfig | undefined {
  if (metrics === undefined) return undefined;
  const { at, files, isLoopback, faults } = parts;
  const { host, port, perRoom, tokenFile, tls: choice } = metrics;
  if (!isLoopback(host) && (!choice || tokenFile === undefined))
    faults.push(
      `metrics.host: ${host} is reachable from other machines and needs metrics.tls (auto, or certFile and keyFile) and metrics.tokenFile; or keep 127.0.0.1`,
    );
  let token: string | undefined;
  try {
    if (tokenFile !== undefined) token = readFileSync(at(tokenFile), 'utf8').trim();
    if (token !== undefined && !/^[!-~]{20,256}$/.test(token))
      faults.push('metrics.tokenFile: must be one line of 20 to 256 letters, digits or signs without blanks');
  } catch (cause) {
    faults.push(
      `metrics.tokenFile: ${(cause as Error).message}; make one, such as with: openssl rand -hex 32 > ${tokenFile}`,
    );
  }
  return {
    host,
    port,
    perRoom,
    ...(choice ? { tls: files(choice) } : {}),
    ...(token === undefined ? {} : { token }),
  };
}
