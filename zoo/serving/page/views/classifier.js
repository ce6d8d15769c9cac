/** Classifier: the label, the probabilities, and the words that moved the answer. */

import { h, percent } from "../dom.js";
import { bars } from "../bars.js";
import { textsFor } from "../examples.js";
import { tokens } from "../tokens.js";

const MOST = 6; // classes, and words on each side, that are listed

export function classifier(model) {
  const explains = "explain" in model.signatures;
  return {
    task: "Chooses a label for a text" + (explains ? ", and shows what moved it." : "."),
    fields: [{ name: "text", kind: "text", label: "Text" }],
    examples: textsFor(model).map((text) => ({ text })),
    action: "Classify",
    live: true,
    async run({ text }, job) {
      const [row] = await job.predict(explains ? "explain" : "serving_default", [{ text }]);
      job.show(verdict(row), explains && moved(row), unknown(row));
      return `${row.label}, ${percent(Math.max(...row.probabilities))}.`;
    },
  };
}

/** The label and the most probable classes. */
export function verdict(row) {
  const order = row.classes
    .map((name, place) => ({ name, share: row.probabilities[place] }))
    .sort((a, b) => b.share - a.share);
  const rest = order.length - MOST;
  return [
    h("p.verdict", {}, row.label),
    bars(order.slice(0, MOST), "Probabilities"),
    rest > 0 && h("p.note", {}, `and ${rest} more labels`),
  ];
}

function moved(row) {
  const read = row.tokens
    .map((text, place) => ({ text, score: row.scores[place] }))
    .filter(({ text }) => text !== "");
  const most = Math.max(...read.map(({ score }) => Math.abs(score)), 1e-9);
  const grams = "^$".includes(read[0]?.text[0]) && read.some(({ text }) => text.includes("^"));
  if (!read.length) return null;
  const spaced = !read.some(({ text }) => !text.trim());
  const items = read.map(({ text, score }, place) => ({
    text,
    before: place && spaced ? " " : "",
    about: `${signed(score)} for ${row.label}`,
    kind: score >= 0 ? "for" : "against",
    strength: Math.abs(score) / most,
  }));
  if (grams) items.sort((a, b) => b.strength - a.strength);
  const part = grams ? "group of letters" : "word";
  const hint = `Point at a ${part}, or tab to the first and use the arrow keys.`;
  const shown = grams ? items.slice(0, 4 * MOST).map((item) => ({ ...item, before: " " })) : items;
  const strip = tokens(shown, { label: "What moved the answer", hint });
  return [
    h("h3", {}, grams ? "Groups of letters that moved it" : "Words that moved it"),
    h(
      "p.key",
      {},
      h("span.token.for", { style: { "--strength": 0.7 } }, `for ${row.label}`),
      " ",
      h("span.token.against", { style: { "--strength": 0.7 } }, "against"),
      grams && " ^ is the beginning of the name, $ its end.",
    ),
    strip.element,
    h(
      "p.note",
      {},
      "Gradient times input: how far the label's logit would fall, to a first estimate, if the " +
        `model did not read the ${part}.`,
    ),
  ];
}

function signed(score) {
  return `${score >= 0 ? "+" : "\u2212"}${Math.abs(score).toFixed(2)}`;
}

/** A sentence about the words that a model does not know, if there are any. */
export function unknown(row) {
  if (!row.unknown_share) return null;
  return h("p.note", {}, `${percent(row.unknown_share)} of the words are unknown to this model.`);
}
