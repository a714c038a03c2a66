/** What the agent knows of a microphone that is not a camera's audio track: RTSP audio or ALSA. */
import type { PcmBlock, RoleHealth } from './camera.ts';

/** Same promises as a Camera's audio role. */
export interface Microphone {
  readonly microphoneId: string;
  start(signal: AbortSignal): Promise<void>;
  samples(): AsyncIterable<PcmBlock>;
  health(): RoleHealth;
  close(): Promise<void>;
}
