/** A camera's analysis over the last ten minutes; the chart library is fetched only when a chart is on screen. */
import { useEffect, useRef } from 'preact/hooks';
import type uPlot from 'uplot';
import { useDesk } from '../state/desk.ts';
import type { Sample } from '../state/history.ts';
import { clockTime } from '../words/time.ts';
import { useSize, useWords } from './use.ts';

export function Chart({ samples, title, zone }: { samples: readonly Sample[]; title: string; zone: string }) {
  const [ref, width] = useSize<HTMLDivElement>();
  const { lang, t } = useWords();
  const theme = useDesk().theme.value;
  const chart = useRef<uPlot>(undefined);
  const cameras = Object.keys(samples.at(-1)?.cameras ?? {}).join(' ');
  const rows = useRef(samples);
  rows.current = samples;

  // Colours are read from the theme when the chart is made.
  useEffect(() => {
    const box = ref.current;
    if (!box || width === 0) return;
    let gone = false;
    void Promise.all([import('uplot'), import('uplot/dist/uPlot.min.css')]).then(([{ default: Plot }]) => {
      if (gone) return;
      const style = getComputedStyle(box);
      const ink = (name: string) => style.getPropertyValue(name).trim();
      const axis = {
        stroke: ink('--text-2'),
        grid: { stroke: ink('--line'), width: 1 },
        ticks: { stroke: ink('--line'), width: 1 },
        font: '11px system-ui',
      };
      chart.current = new Plot(
        {
          width,
          height: 132,
          cursor: { points: { show: false } },
          legend: { show: false },
          scales: { ms: { range: (_chart, _low, high) => [0, Math.max(50, high * 1.2)] }, fps: { range: [0, 10] } },
          axes: [
            { ...axis, space: 110, values: (_plot, at) => at.map((s) => clockTime(s * 1000, zone, s * 1000, lang)) },
            { ...axis, scale: 'ms', size: 56, label: t('inference'), labelSize: 16, labelFont: '11px system-ui' },
            {
              ...axis,
              scale: 'fps',
              side: 1,
              size: 36,
              grid: { show: false },
              label: t('fps'),
              labelSize: 16,
              labelFont: '11px system-ui',
            },
          ],
          series: [
            {},
            ...cameras.split(' ').flatMap((cameraId) => [
              { label: `${cameraId} ms`, scale: 'ms', stroke: ink('--accent'), width: 1.5, points: { show: false } },
              {
                label: `${cameraId} fps`,
                scale: 'fps',
                stroke: ink('--text-2'),
                width: 1.25,
                dash: [4, 3],
                points: { show: false },
              },
            ]),
          ],
        },
        columns(rows.current, cameras.split(' ')),
        box,
      );
    });
    return () => {
      gone = true;
      chart.current?.destroy();
      chart.current = undefined;
    };
  }, [width, cameras, theme, lang]);

  useEffect(() => chart.current?.setData(columns(samples, cameras.split(' '))), [samples, cameras]);

  return (
    <figure class="chart">
      <figcaption class="small">{title}</figcaption>
      <div ref={ref} class="chart-box" />
    </figure>
  );
}

function columns(samples: readonly Sample[], cameras: readonly string[]): uPlot.AlignedData {
  return [
    samples.map((sample) => sample.wallMs / 1000),
    ...cameras.flatMap((cameraId) => [
      samples.map((sample) => sample.cameras[cameraId]?.ms ?? null),
      samples.map((sample) => sample.cameras[cameraId]?.fps ?? null),
    ]),
  ];
}
