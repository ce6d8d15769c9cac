/** SeriesForecaster: the fan of a forecast for pasted numbers. */

import * as api from "../api.js";
import { covariates, step } from "../calendar.js";
import { chart } from "../chart.js";
import { h, number } from "../dom.js";
import { problemOf, steps } from "../numbers.js";

const SHOWN = 3; // times the horizon, of the past in the chart
const MOST = 5000; // steps that are read of a model without a look-back

export async function forecaster(model) {
  const { inputs } = model.signatures.serving_default;
  const sizes = Object.fromEntries(inputs.map(({ name, shape }) => [name, shape]));
  const width = sizes.values.at(-1) - (sizes.future?.at(-1) ?? 0); // covariates are added here
  const [described] = await api.predict(model, "description", [{ streams: 0 }]);
  const info = {
    columns: [],
    static_columns: [],
    future_columns: [],
    ...JSON.parse(described.description),
  };
  const targets = info.columns.slice(0, info.targets ?? 1);
  const columns =
    width > 1 ? `: ${info.columns.join(", ") || `${width} numbers`} in each line` : "";
  const own = (info.future_columns ?? []).filter((name) => !/_(sin|cos)$/.test(name));
  const dated = sizes.future && own.length < info.future_columns.length;
  const example = sample(width, info.look_back ?? 112, info.season || 7);
  return {
    task: `Forecasts the next ${info.horizon ?? ""} values of a series.`.replace("  ", " "),
    fields: [
      {
        name: "values",
        kind: "text",
        label: `The past${columns}`,
        rows: width > 1 ? 8 : 4,
        note: `Numbers apart by spaces, commas or lines, the latest last; - is a missing value.${
          info.look_back ? ` The last ${info.look_back} are read.` : ""
        }${own.length ? ` ${own.join(" and ")} count as 0.` : ""}`,
        problem: (text) => problemOf(text, width),
      },
      dated && { name: "last", kind: "date", label: `Date of the last ${step(info)}`, minor: true },
      ...(sizes.static ? info.static_columns : []).map((name) => ({
        name: `static_${name}`,
        kind: "line",
        label: name,
        value: "0",
        minor: true,
        problem: (text) =>
          Number.isFinite(Number(text)) && text ? "" : `${name} must be a number.`,
      })),
      targets.length > 1 && {
        name: "target",
        kind: "choice",
        label: "Shown",
        options: targets,
        minor: true,
      },
    ].filter(Boolean),
    examples: [{ title: "A series with a season", values: example }],
    action: "Forecast",
    async run(given, job) {
      const past = steps(given.values, width).slice(-(info.look_back ?? MOST));
      const known = (count, first) => covariates(info.future_columns, given.last, count, first);
      const instance = { values: past, lengths: past.length };
      if (sizes.future) {
        const before = known(past.length, 1 - past.length);
        instance.values = past.map((row, place) => [...row, ...before[place]]);
        instance.future = known(sizes.future[1], 1);
      }
      if (sizes.static)
        instance.static = info.static_columns.map((name) => Number(given[`static_${name}`]));
      const [row] = await job.predict("serving_default", [instance]);
      if (!row.valid) throw new api.Refused("The model cannot read these numbers: is one missing?");
      const column = Math.max(0, targets.indexOf(given.target));
      job.show(fan(past, row, column), legend(row), table(row, column));
      const last = row.forecast.at(-1)[column];
      return `${row.forecast.length} steps forecast, the last one ${number(last)}.`;
    },
  };
}

/** The pairs of quantiles around the median, the widest first: their places in `levels`. */
function intervals({ levels }) {
  const pairs = levels.map((level, place) => [place, levels.length - 1 - place]);
  return pairs.filter(([low, high]) => low < high);
}

function fan(past, row, column) {
  const shown = past.slice(-SHOWN * row.forecast.length);
  const last = shown.at(-1)[column];
  const points = row.forecast.map((values, place) => [place + 1, values[column]]);
  const pairs = intervals(row);
  const bands = pairs.map(([low, high], place) => ({
    strength: (place + 1) / (pairs.length + 1),
    points: row.quantiles.map((values, at) => [at + 1, values[column][low], values[column][high]]),
  }));
  const joined = Number.isFinite(last) ? [[0, last], ...points] : points;
  const tail = points.at(-1);
  return chart({
    label:
      `The last ${shown.length} values and ${points.length} forecast ones, ` +
      `to ${number(tail[1])}.`,
    divide: 0,
    bands,
    lines: [
      {
        kind: "past",
        points: shown.map((values, place) => [place - shown.length + 1, values[column]]),
      },
      { kind: "median", points: joined },
    ],
  });
}

function legend(row) {
  const bands = intervals(row).map(([low, high], place, all) =>
    h(
      "li",
      {},
      h("span.swatch.band", {
        "aria-hidden": "true",
        style: { "--strength": (place + 1) / (all.length + 1) },
      }),
      `${number(100 * (row.levels[high] - row.levels[low]), 1)} % of the outcomes`,
    ),
  );
  const line = (kind, text) =>
    h("li", {}, h(`span.swatch.${kind}`, { "aria-hidden": "true" }), text);
  return h(
    "ul.legend",
    { "aria-label": "Key" },
    line("past", "past"),
    line("median", "median"),
    bands,
  );
}

function table(row, column) {
  const head = ["Step", ...row.levels.map((level) => `${number(100 * level, 1)} %`)];
  const line = (values, place) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, place + 1),
      values[column].map((value) => h("td.number", {}, number(value))),
    );
  return h(
    "details",
    {},
    h("summary", {}, "The quantiles as numbers"),
    h(
      "div.scroll",
      { tabindex: 0, role: "group", "aria-label": "Quantiles" },
      h(
        "table",
        {},
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            head.map((name) => h("th", { scope: "col" }, name)),
          ),
        ),
        h("tbody", {}, row.quantiles.map(line)),
      ),
    ),
  );
}

/** A series with a season and a trend, the same each time. */
function sample(width, length, season) {
  const value = (place, column) =>
    40 +
    0.1 * place +
    12 * Math.sin((2 * Math.PI * place) / season + column) +
    3 * Math.sin(place * 12.9898);
  const rows = Array.from({ length }, (_, place) =>
    Array.from({ length: width }, (_, column) => value(place, column).toFixed(1)).join(" "),
  );
  return rows.join(width > 1 ? "\n" : " ");
}
