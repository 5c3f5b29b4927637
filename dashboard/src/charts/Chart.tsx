import { useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { local } from "@/lib/time";
import type { ChartSpec, Columns } from "./series";

interface ChartProps {
  spec: ChartSpec;
  columns: Columns;
  /** Seconds; called when somebody drags over a part. */
  onZoom?: (from: number, to: number) => void;
}

const HEIGHT = 190;

/** Lines or bars over time, with what is below the pointer said in words. */
export function Chart({ spec, columns, onZoom }: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const [index, setIndex] = useState<number | null>(null);
  const theme = useSyncExternalStore(onTheme, themeNow);
  const data = useMemo(() => [columns.times, ...columns.values] as uPlot.AlignedData, [columns]);
  const zoom = useRef(onZoom);
  useEffect(() => {
    zoom.current = onZoom;
  }, [onZoom]);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const plot = new uPlot(optionsOf(spec, element.clientWidth, setIndex, zoom), data, element);
    const watch = new ResizeObserver(() =>
      plot.setSize({ width: element.clientWidth, height: HEIGHT }),
    );
    watch.observe(element);
    return () => {
      watch.disconnect();
      plot.destroy();
    };
    // Another theme has other colours, which a canvas does not follow by itself.
  }, [spec, data, theme]);
  return (
    <figure>
      <Legend spec={spec} columns={columns} index={index} />
      <div ref={box} className="h-[190px]" role="img" aria-label={`${spec.title}, as a chart`} />
    </figure>
  );
}

function Legend({
  spec,
  columns,
  index,
}: {
  spec: ChartSpec;
  columns: Columns;
  index: number | null;
}) {
  const time = index === null ? undefined : columns.times[index];
  return (
    <figcaption className="mb-1 flex min-h-5 flex-wrap items-center gap-x-4 gap-y-1 text-xs text-soft tabular">
      {spec.lines.map((line, at) => {
        const value = index === null ? undefined : columns.values[at]?.[index];
        return (
          <span key={line.label} className="flex items-center gap-1.5">
            <Key colour={line.colour} dashed={at % 2 === 1} />
            {line.label}
            {index !== null && (
              <b className="font-medium text-ink">
                {value === null || value === undefined ? "–" : spec.unit(value)}
              </b>
            )}
          </span>
        );
      })}
      {time !== undefined && (
        <span className="ml-auto">{local(new Date(time * 1000).toISOString())}</span>
      )}
    </figcaption>
  );
}

/** A line is known by its pattern too, not by its colour alone. */
function Key({ colour, dashed }: { colour: string; dashed: boolean }) {
  return (
    <svg aria-hidden viewBox="0 0 14 4" className="h-1 w-3.5">
      <line
        x1="0"
        x2="14"
        y1="2"
        y2="2"
        stroke={`var(${colour})`}
        strokeWidth="3"
        strokeDasharray={dashed ? "4 2" : undefined}
      />
    </svg>
  );
}

function optionsOf(
  spec: ChartSpec,
  width: number,
  onIndex: (index: number | null) => void,
  zoom: React.RefObject<ChartProps["onZoom"]>,
): uPlot.Options {
  const styles = getComputedStyle(document.documentElement);
  const colour = (name: string) => styles.getPropertyValue(name).trim();
  const axis = {
    stroke: colour("--ink-faint"),
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { show: false },
    font: `11px ${getComputedStyle(document.body).fontFamily}`,
  };
  const bars = uPlot.paths.bars?.({ size: [0.7, 40], radius: 0.15 });
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    padding: [8, 8, 0, 0],
    cursor: { y: false, drag: { x: true, y: false, setScale: false } },
    scales: { y: { range: (_, __, max) => [0, max > 0 ? max * 1.1 : 1] } },
    axes: [axis, { ...axis, size: 64, values: (_, ticks) => ticks.map((tick) => spec.unit(tick)) }],
    series: [
      {},
      ...spec.lines.map((line, at) => ({
        label: line.label,
        stroke: colour(line.colour),
        fill: spec.bars ? colour(line.colour) : undefined,
        width: spec.bars ? 0 : 1.75,
        dash: !spec.bars && at % 2 === 1 ? [5, 3] : undefined,
        paths: spec.bars ? bars : undefined,
        points: { show: false, size: 5, filter: spec.bars ? undefined : alone },
      })),
    ],
    hooks: {
      setCursor: [(plot) => onIndex(plot.cursor.idx ?? null)],
      setSelect: [
        (plot) => {
          const { left, width: wide } = plot.select;
          if (wide < 4) return;
          zoom.current?.(plot.posToVal(left, "x"), plot.posToVal(left + wide, "x"));
        },
      ],
    },
  };
}

/** Values between two gaps: no line shows them. */
function alone(plot: uPlot, at: number): number[] {
  const values = plot.data[at] ?? [];
  const has = (index: number) => values[index] !== null && values[index] !== undefined;
  return [...values.keys()].filter((one) => has(one) && !has(one - 1) && !has(one + 1));
}

function themeNow(): string {
  return document.documentElement.dataset.theme ?? "light";
}

function onTheme(listener: () => void): () => void {
  const watch = new MutationObserver(listener);
  watch.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  return () => watch.disconnect();
}
