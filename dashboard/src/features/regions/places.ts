export type Point = [number, number];

/**
 * Where on the map a region of this name is: the longest name that it begins with, up to a dash or
 * a digit. Nothing: the name does not say.
 */
export function placeOf(name: string, places: Record<string, Point>): Point | undefined {
  for (let end = name.length; end > 0; end -= 1) {
    const isWhole = end === name.length || /[-\d]/.test(name.charAt(end));
    const place = isWhole ? places[name.slice(0, end).replace(/-$/, "")] : undefined;
    if (place !== undefined) return place;
  }
  return undefined;
}

/** A circle's radius for so many calls: its area grows with their magnitude. */
export function radiusOf(calls: number): number {
  return 5 + 3 * Math.sqrt(Math.log10(1 + calls));
}
