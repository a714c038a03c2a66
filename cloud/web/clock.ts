/** The one place of the page that reads the browser's clocks; everything else is given a time. */

/** Browser's wall time in ms since the epoch: may be wrong, so it is corrected by the server's (see state/desk.ts). */
export function wallNow(): number {
  return Date.now();
}

/** When something was put on the page, ms since the epoch on the browser's monotonic clock: for latency measurements. */
export function pageStamp(): number {
  return performance.timeOrigin + performance.now();
}
