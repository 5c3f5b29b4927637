/**
 * Writes src/features/regions/world.json: the outline of the land and where regions are, projected
 * here so that the page has nothing to compute and asks nobody for a map.
 */
import { geoNaturalEarth1, geoPath } from "d3-geo";
import { readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { feature } from "topojson-client";
import type { GeometryCollection, Topology } from "topojson-specification";
import { PLACES } from "./places.ts";

const WIDTH = 960;
const HEIGHT = 440;
// From the north of Greenland to the south of Chile: nobody has a region on the ice.
const SHOWN = { type: "MultiPoint" as const, coordinates: [-168, -30, 60, 190].flatMap(edge) };

function edge(longitude: number): [number, number][] {
  return [
    [longitude, 80],
    [longitude, -56],
  ];
}

const file = createRequire(import.meta.url).resolve("world-atlas/land-110m.json");
const atlas = JSON.parse(await readFile(file, "utf8")) as Topology<{ land: GeometryCollection }>;
const projection = geoNaturalEarth1()
  .rotate([-11, 0])
  .fitSize([WIDTH, HEIGHT], SHOWN)
  .clipExtent([
    [0, 0],
    [WIDTH, HEIGHT],
  ]);
const land = geoPath(projection).digits(0)(feature(atlas, atlas.objects.land));
const places = Object.entries(PLACES).map(([name, at]) => {
  const [x, y] = projection(at) ?? [0, 0];
  return [name, [Math.round(x), Math.round(y)]] as const;
});
const world = { width: WIDTH, height: HEIGHT, land, places: Object.fromEntries(places) };
await writeFile(
  new URL("../src/features/regions/world.json", import.meta.url),
  `${JSON.stringify(world)}\n`,
);
