/** What a model is: its metric, size, licence and origin, and its card. */

import { h, number } from "./dom.js";
import { markdown } from "./markdown.js";

// the metric that is shown, the first that a model has
const METRICS = [
  ["entity_f1", "Entity F1"],
  ["accuracy", "Accuracy"],
  ["exact_match", "Exact match"],
  ["word_error_rate", "Word error rate"],
  ["perplexity", "Perplexity"],
  ["bits_per_character", "Bits per character"],
  ["mase", "MASE"],
  ["loss", "Loss"],
];
const SPLITS = ["test", "validation", "train"];

/** The facts of a model, and its card to open. */
export function about(model) {
  const facts = [
    declared(model.provenance?.metric) ?? metricOf(model.metrics),
    model.metrics?.parameters && ["Parameters", number(model.metrics.parameters)],
    size(model.bytes) && ["Size", size(model.bytes)],
    licenceOf(model) && ["Licence", licenceOf(model)],
    model.provenance?.data && ["Data", dataOf(model.provenance.data)],
    ["Version", model.version],
  ].filter(Boolean);
  return h(
    "section.about",
    { "aria-label": "About this model" },
    h(
      "dl.facts",
      {},
      facts.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
    ),
    model.card &&
      h("details", {}, h("summary", {}, "Model card"), h("div.card", {}, markdown(model.card))),
    h("details", {}, h("summary", {}, "Signatures"), signatures(model)),
  );
}

/** The metric that a model's makers chose, on its test split. */
function declared(metric) {
  return metric?.name && Number.isFinite(metric.value)
    ? [`${metric.name[0].toUpperCase()}${metric.name.slice(1)} (test)`, figure(metric.value)]
    : null;
}

/** A metric: a share with four digits after the point, a larger number with two. */
const figure = (value) => number(value, Math.abs(value) > 1 ? 2 : 4);

function metricOf(metrics = {}) {
  for (const split of SPLITS) {
    const [key, name] = METRICS.find(([known]) => Number.isFinite(metrics[split]?.[known])) ?? [];
    if (key) return [`${name} (${split})`, figure(metrics[split][key])];
  }
  return null;
}

function licenceOf({ licence, license, provenance, card = "" }) {
  return licence ?? license ?? provenance?.licence ?? card.match(/^licen[cs]e:\s*(.+)$/im)?.[1].trim();
}

const dataOf = (data) => (data === "builtin" ? "built-in corpus" : data);

function size(bytes) {
  if (!bytes) return "";
  return bytes < 1e6 ? `${number(bytes / 1e3, 0)} kB` : `${number(bytes / 1e6, 1)} MB`;
}

function signatures(model) {
  const axes = (shape) => (shape ?? ["?"]).map((axis) => (axis < 0 ? "?" : axis)).join(", ");
  const tensor = ({ name, dtype, shape }) => `${name}: ${dtype} [${axes(shape)}]`;
  const row = ([name, { inputs, outputs }]) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, name),
      [inputs, outputs].map((list) =>
        h(
          "td",
          {},
          list.map((each) => h("div", {}, tensor(each))),
        ),
      ),
    );
  const head = ["Signature", "Inputs", "Outputs"].map((name) => h("th", { scope: "col" }, name));
  const table = h(
    "table.signatures",
    {},
    h("thead", {}, h("tr", {}, head)),
    h("tbody", {}, Object.entries(model.signatures).map(row)),
  );
  return h("div.scroll", { tabindex: 0, role: "group", "aria-label": "Signatures" }, table);
}
