/** What differs between the boxes that stand in rooms: hardware decoding, what inference may run on, and how many workers the processor carries. */

export interface BoxProfile {
  readonly name: 'generic' | 'n100' | 'rk3588' | 'jetson';
  readonly title: string;
  /** ffmpeg arguments before the input. */
  readonly hwaccel: readonly string[];
  /**
   * ONNX Runtime's execution providers that suit the box, best first. Which of them there are depends on the build of the
   * runtime that is installed: the eyes take the first that it has, and say so where it is not the first of the list.
   */
  readonly runtimes: readonly string[];
  /** Inference workers that run beside capture. */
  readonly workers: number;
  /** What has been tried on the box itself; the others follow their makers' documents. */
  readonly measured: boolean;
}

/**
 * Decoded frames must come back to memory for the models, so each `hwaccel` is one that ffmpeg downloads from by itself.
 * At 640 × 360 the processor decodes a stream in a few percent of a core; hardware pays where the main stream is analysed.
 */
export const BOXES: Readonly<
  Record<BoxProfile['name'], Omit<BoxProfile, 'name' | 'workers'> & { workers: number | null }>
> = {
  generic: { title: 'any machine', hwaccel: [], runtimes: ['cpu'], workers: null, measured: true },
  n100: {
    title: 'Intel N100 (four cores, VA-API)',
    hwaccel: ['-hwaccel', 'vaapi', '-hwaccel_device', '/dev/dri/renderD128'],
    runtimes: ['openvino', 'cpu'],
    workers: 2,
    measured: false,
  },
  rk3588: {
    title: 'Rockchip RK3588 (4 + 4 cores, V4L2 request)',
    hwaccel: ['-hwaccel', 'drm', '-hwaccel_device', '/dev/dri/renderD128'],
    runtimes: ['rknn', 'cpu'],
    workers: 4,
    measured: false,
  },
  jetson: {
    title: 'NVIDIA Jetson Orin (V4L2 decoder of its own ffmpeg)',
    hwaccel: [],
    runtimes: ['tensorrt', 'cuda', 'cpu'],
    workers: 3,
    measured: false,
  },
};
