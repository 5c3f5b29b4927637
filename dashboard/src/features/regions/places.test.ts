import { expect, test } from "vitest";
import { placeOf, radiusOf, type Point } from "./places";
import world from "./world.json";

const PLACES: Record<string, Point> = {
  eu: [1, 1],
  "eu-west": [2, 2],
  "eu-west-1": [3, 3],
  westeurope: [4, 4],
};

test("the longest name that fits says where a region is", () => {
  expect(placeOf("eu-west-1", PLACES)).toEqual([3, 3]);
  expect(placeOf("eu-west-9", PLACES)).toEqual([2, 2]);
  expect(placeOf("eu-north", PLACES)).toEqual([1, 1]);
  expect(placeOf("westeurope2", PLACES)).toEqual([4, 4]);
  expect(placeOf("eu-west-1-internal", PLACES)).toEqual([3, 3]);
});

test("a name that only looks alike is nowhere", () => {
  expect(placeOf("eureka", PLACES)).toBeUndefined();
  expect(placeOf("local-1", PLACES)).toBeUndefined();
  expect(placeOf("", PLACES)).toBeUndefined();
});

test("every place of the table is on the map", () => {
  const places = Object.values(world.places) as Point[];
  expect(places.length).toBeGreaterThan(100);
  for (const [x, y] of places) {
    expect(x > 0 && x < world.width && y > 0 && y < world.height).toBe(true);
  }
});

test("more calls are larger, and no number of them covers the map", () => {
  expect(radiusOf(0)).toBeLessThan(radiusOf(10));
  expect(radiusOf(1e12)).toBeLessThan(20);
});
