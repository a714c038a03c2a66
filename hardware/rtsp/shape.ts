/** What shape a picture has when it is looked at: that of its source, whatever its pixels are like, and never more than the models have use for. */

/** Longest side of an analysed picture. */
export const LONG_SIDE = 640;
/** A picture that is wider or higher than this is squeezed: its people would be too small to be seen. */
const WIDEST = 4;
/** Most pixels, against a square of the longest side: a picture of 4:3 still has its whole width. */
const AREA = 3 / 4;

/**
 * ffmpeg's filter that brings any picture to its size for analysis: people keep their proportions, also where pixels
 * are no squares. The longest side becomes `longSide`, or less where the picture is nearly a square; sides are even.
 * `flags` as of ffmpeg's scaler.
 */
export function shapeFilter(longSide: number = LONG_SIDE, flags?: string): string {
  const dar = `clip(dar\\,1/${WIDEST}\\,${WIDEST})`;
  const width = `min(min(${longSide}\\,${longSide}*${dar})\\,sqrt(${AREA * longSide ** 2}*${dar}))`;
  const even = (side: string) => `2*trunc((${side})/2+0.5)`;
  return `scale=w=${even(width)}:h=${even(`${width}/${dar}`)}${flags === undefined ? '' : `:flags=${flags}`},setsar=1`;
}

/** ffmpeg's arguments for raw pictures that each say how large they are, as `frameCutter` takes them apart. */
export const PICTURE_CODING: readonly string[] = ['-pix_fmt', 'rgb24', '-c:v', 'ppm', '-f', 'image2pipe'];

/**
 * For an input: a picture that changes its size in mid-stream is brought to the size of the first one, and a line of
 * the log says so (`isReshaped`), instead of ffmpeg's own building anew of all filters, which it does in silence.
 */
export const KEEP_SHAPE: readonly string[] = ['-reinit_filter', '0'];

/** True for ffmpeg's line about a picture whose size or format is not what it was when the session began. */
export function isReshaped(line: string): boolean {
  return line.includes('Changing video frame properties on the fly');
}
