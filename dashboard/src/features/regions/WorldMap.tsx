import { count } from "@/lib/numbers";
import { placeOf, radiusOf, type Point } from "./places";
import type { Region } from "./queries";
import world from "./world.json";

interface WorldMapProps {
  regions: Region[];
  /** Calls of the last hour by region. */
  calls: ReadonlyMap<string, number>;
}

/** Where regions are, whether they are there, and what they have to do. */
export function WorldMap({ regions, calls }: WorldMapProps) {
  const placed = regions.flatMap((region) => {
    const at = placeOf(region.regionName, world.places as unknown as Record<string, Point>);
    return at ? [{ region, at }] : [];
  });
  const away = placed.filter(({ region }) => !region.regionConnected).length;
  const said =
    placed.length === 0
      ? "No region’s name says where it is."
      : `${placed.length} of ${regions.length} regions; ${away} away.`;
  return (
    <svg
      role="img"
      aria-label={`World map of regions: ${said}`}
      viewBox={`0 0 ${world.width} ${world.height}`}
      className="w-full"
    >
      <path d={world.land} className="fill-sunken stroke-line" strokeWidth={1} />
      {placed.map(({ region, at: [x, y] }) => (
        <g key={region.regionName} className={region.regionConnected ? "text-ok" : "text-bad"}>
          <circle
            cx={x}
            cy={y}
            r={radiusOf(calls.get(region.regionName) ?? 0)}
            className="fill-current stroke-current"
            fillOpacity={region.regionConnected ? 0.25 : 0}
            strokeWidth={1.5}
            strokeDasharray={region.regionConnected ? undefined : "3 2"}
          />
          <circle cx={x} cy={y} r={3} className="fill-current" />
          <title>
            {`${region.regionName}: ${region.regionConnected ? "connected" : "away"}, ${count(
              calls.get(region.regionName) ?? 0,
            )} calls in the last hour`}
          </title>
        </g>
      ))}
    </svg>
  );
}
