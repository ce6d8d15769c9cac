/** Charts in SVG: lines over steps, and the fan of a forecast. */

import { number, s } from "./dom.js";

const [WIDEST, HEIGHT] = [720, 300];
const [LEFT, RIGHT, TOP, BOTTOM] = [52, 12, 12, 44];

/**
 * A chart of lines and bands over steps.
 *
 * @param {object} content `lines`: {points: [x, y][], kind}; `bands`: {points: [x, low, high][],
 *   strength}; `divide`: the x of a dividing line; `label`: what it shows, in words.
 */
export function chart({ lines, bands = [], divide = null, label }) {
  const width = Math.min(WIDEST, document.getElementById("main").clientWidth - 64);
  const points = [
    ...lines.flatMap((line) => line.points),
    ...bands.flatMap((band) =>
      band.points.flatMap(([x, low, high]) => [
        [x, low],
        [x, high],
      ]),
    ),
  ].filter(([, y]) => Number.isFinite(y));
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  const x = scale(Math.min(...xs), Math.max(...xs), LEFT, width - RIGHT);
  const ticks = rounded(Math.min(...ys), Math.max(...ys));
  const y = scale(ticks[0], ticks.at(-1), HEIGHT - BOTTOM, TOP);
  const place = ([a, b]) => `${x(a).toFixed(1)},${y(b).toFixed(1)}`;
  const band = ({ points: own, strength }) => {
    const there = own.map(([a, , high]) => place([a, high]));
    const back = own.map(([a, low]) => place([a, low])).reverse();
    return s("polygon.band", {
      points: [...there, ...back].join(" "),
      style: { "--strength": strength },
    });
  };
  return s(
    "svg.chart",
    { viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", "aria-label": label },
    ticks.map((tick) => [
      s("line.grid", { x1: LEFT, x2: width - RIGHT, y1: y(tick), y2: y(tick) }),
      s("text", { x: LEFT - 8, y: y(tick) + 4, "text-anchor": "end" }, number(tick, 6)),
    ]),
    rounded(Math.min(...xs), Math.max(...xs))
      .filter((tick) => tick >= Math.min(...xs) && tick <= Math.max(...xs))
      .map((tick) =>
        s("text", { x: x(tick), y: HEIGHT - 26, "text-anchor": "middle" }, number(tick)),
      ),
    s("text", { x: width - RIGHT, y: HEIGHT - 6, "text-anchor": "end" }, "steps"),
    bands.map(band),
    divide !== null &&
      s("line.divide", { x1: x(divide), x2: x(divide), y1: TOP, y2: HEIGHT - BOTTOM }),
    lines.flatMap(({ points: own, kind }) =>
      whole(own).map((part) => s(`polyline.${kind}`, { points: part.map(place).join(" ") })),
    ),
  );
}

/** The parts of a line between missing values. */
function whole(points) {
  const parts = [[]];
  for (const point of points) {
    if (Number.isFinite(point[1])) parts.at(-1).push(point);
    else if (parts.at(-1).length) parts.push([]);
  }
  return parts.filter((part) => part.length);
}

function scale(low, high, from, to) {
  const span = high - low || 1;
  return (value) => from + ((value - low) / span) * (to - from);
}

/** About five round numbers around a range. */
function rounded(low, high) {
  const rough = (high - low || Math.abs(high) || 1) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough);
  const first = Math.floor(low / step) * step;
  const count = Math.max(1, Math.ceil((high - first) / step - 1e-9));
  return Array.from({ length: count + 1 }, (_, place) => first + place * step);
}
