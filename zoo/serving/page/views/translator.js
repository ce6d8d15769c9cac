/** Translator: the best translations, and which source tokens each target token attends to. */

import { h, number, percent, sentence } from "../dom.js";
import { textsFor } from "../examples.js";
import { unknown } from "./classifier.js";

const NONE = -1e19; // log-probabilities below this are those of missing translations

export function translator(model) {
  return {
    task: "Translates a text.",
    fields: [
      { name: "text", kind: "text", label: "Text", rows: 2 },
      {
        name: "beam_size",
        kind: "number",
        label: "Beam size",
        min: 1,
        max: 32,
        value: 5,
        minor: true,
      },
      {
        name: "length_penalty",
        kind: "range",
        label: "Length penalty",
        min: 0,
        max: 2,
        step: 0.1,
        value: 1,
        minor: true,
      },
    ],
    examples: textsFor(model).map((text) => ({ text })),
    action: "Translate",
    live: true,
    async run({ text, beam_size, length_penalty }, job) {
      const request = { text, beam_size, length_penalty, max_tokens: 0 };
      const [row] = await job.predict("translate", [request]);
      const place = row.log_probabilities.map((value, rank) => (value > NONE ? rank : -1));
      const ranks = place.filter((rank) => rank >= 0);
      const holder = h("div.holder", {}, matrix(row, 0));
      const choose = (rank) => holder.replaceChildren(...matrix(row, rank));
      job.show(
        h("p.verdict", {}, row.translations[0]),
        ranks.length > 1 && others(row, ranks, choose),
        holder,
        row.truncated && h("p.note", {}, "Only the beginning of the text was read."),
        unknown(row),
      );
      return sentence(row.translations[0]);
    },
  };
}

/** The n-best list; each can be chosen to see its attention. */
function others(row, ranks, choose) {
  const line = (rank) =>
    h(
      "tr",
      {},
      h(
        "td",
        {},
        h(
          "label.option",
          {},
          h("input", {
            type: "radio",
            name: "rank",
            checked: rank === 0,
            on: { change: () => choose(rank) },
          }),
          row.translations[rank] || "(empty)",
        ),
      ),
      h("td.number", {}, percent(Math.exp(row.log_probabilities[rank]))),
      h("td.number", {}, number(row.log_probabilities[rank])),
    );
  const head = ["Translation", "Probability", "Log-probability"];
  return h(
    "table.ranked",
    {},
    h(
      "caption",
      {},
      "The best translations (log-probability in nats); choose one to see its attention",
    ),
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        head.map((name, place) => h(place ? "th.number" : "th", { scope: "col" }, name)),
      ),
    ),
    h("tbody", {}, ranks.map(line)),
  );
}

/** The attention weights of a translation as a table. */
function matrix(row, rank) {
  const source = row.source_tokens.filter((token) => token !== "");
  const target = row.target_tokens[rank].filter((token) => token !== "");
  const weights = row.attention[rank];
  if (!weights.flat().some((weight) => weight > 0)) return [];
  const cell = (weight) =>
    h(
      "td",
      { title: percent(weight), style: { "--strength": weight.toFixed(3) } },
      Math.round(100 * weight) || "",
    );
  const line = (token, place) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, shown(token)),
      source.map((_, column) => cell(weights[place][column])),
    );
  const table = h(
    "table.attention",
    { "aria-labelledby": "attention" },
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        h("td"),
        source.map((token) => h("th", { scope: "col" }, h("span", {}, shown(token)))),
      ),
    ),
    h("tbody", {}, target.map(line)),
  );
  const what = "Attention of each token of the translation (rows) to the text's, in percent";
  return [
    h("p.note", { id: "attention" }, what),
    h("div.scroll", { tabindex: 0, role: "group", "aria-label": "Attention" }, table),
  ];
}

/** A token as a heading: without the mark of a word's beginning; a blank as a sign. */
function shown(token) {
  return token.replace(/^\u2581/, "").trim() || "\u2423";
}
