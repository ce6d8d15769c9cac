/** ConditionalWriter: new texts for a label, such as surnames; melodies are drawn and played. */

import * as api from "../api.js";
import { h } from "../dom.js";
import { melody } from "../melody.js";
import { tokens } from "../tokens.js";
import { SAMPLING, shaded, shading } from "./writer.js";

const MOST_LABELS = 500;
const NOTE = /^[A-G](#|b)?-?\d+$/;

export async function conditionalWriter(model) {
  const labels = await labelsOf(model);
  const plays = labels.every((label) => NOTE.test(label));
  const most = plays ? { many: 4, few: 1, tokens: 256 } : { many: 30, few: 10, tokens: 100 };
  const guidance = { min: 0, max: 3, step: 0.1, value: 0 };
  return {
    task: plays ? "Writes a melody that begins with a note." : "Writes new texts for a label.",
    fields: [
      { name: "label", kind: "choice", label: plays ? "First note" : "Label", options: labels },
      {
        name: "count",
        kind: "number",
        label: "How many",
        min: 1,
        max: most.many,
        value: most.few,
        minor: true,
      },
      ...SAMPLING,
      { name: "guidance", kind: "range", label: "Guidance", ...guidance, minor: true },
    ],
    action: plays ? "Compose" : "Write",
    async run({ label, count, seed, ...options }, job) {
      const rows = Array.from({ length: count }, (_, place) => ({
        label,
        ...{ ...options, max_tokens: most.tokens, top_k: 0, min_p: 0 },
        seed: (seed + place) % 2 ** 31,
      }));
      const found = await job.predict("generate", rows);
      if (plays) job.show(found.map((row, place) => melody(row.text, place + 1)));
      else job.show(h("ol.texts", {}, found.map(item)), shading());
      const what = plays ? ["melody", "melodies"] : ["text", "texts"];
      return `${found.length} ${what[found.length > 1 ? 1 : 0]} for ${label}.`;
    },
  };
}

async function labelsOf(model) {
  const ids = Array.from({ length: MOST_LABELS }, (_, place) => ({ ids: place }));
  const rows = await api.predict(model, "labels", ids);
  return rows.map(({ labels }) => labels).filter((label) => label !== "");
}

function item(row) {
  const drawn = (row.tokens ?? [])
    .map((text, place) => ({ text, share: row.token_probabilities[place] }))
    .filter(({ text }) => text !== "" && text !== "[EOS]");
  const fits = drawn.map(({ text }) => text).join("") === row.text;
  if (!row.text) return h("li", {}, h("em", {}, "(empty)"));
  if (!fits) return h("li", {}, row.text);
  const strip = tokens(
    drawn.map(({ text, share }) => shaded(text, share)),
    { label: row.text },
  );
  return h("li", {}, strip.element);
}
