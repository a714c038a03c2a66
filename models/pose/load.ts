/** Opens the detector that a model set names: its runtime is loaded only here, and only this one. */
import { Bug } from '../../protocol/errors.ts';
import type { PersonDetector } from './detector.ts';
import type { YoloxOptions } from './yolox.ts';

/** Detectors by the name of their weights. */
export type DetectorKind = 'yolox' | 'blazepose' | 'centernet';

/** The detector of `kind` with the weights in `file`, their hash already verified. `runtime` is for those on ONNX Runtime. */
export async function loadDetector(
  kind: string,
  file: string,
  runtime: Pick<YoloxOptions, 'providers' | 'onNote'> = {},
): Promise<PersonDetector> {
  switch (kind) {
    case 'yolox':
      return await (await import('./yolox.ts')).createYolox({ file, ...runtime });
    case 'blazepose':
      return await (await import('./blazepose.ts')).createBlazePose({ file });
    case 'centernet':
      return await (await import('./centernet.ts')).createCenterNet({ file });
    default:
      throw new Bug('no_such_detector', `no detector is called ${kind}`);
  }
}
