/** Tagger: entities, or parts of speech, in the text itself. */

import { h, percent } from "../dom.js";
import { textsFor } from "../examples.js";
import { tokens } from "../tokens.js";
import { unknown } from "./classifier.js";

const HUES = 8;
const SPAN = /^([BIES])-(.+)$/;

export function tagger(model) {
  return {
    task: "Gives each word of a text a tag.",
    fields: [{ name: "text", kind: "text", label: "Text" }],
    examples: textsFor(model).map((text) => ({ text })),
    action: "Tag",
    live: true,
    async run({ text }, job) {
      const [row] = await job.predict("serving_default", [{ text }]);
      const words = read(row, text);
      const groups = new Set(words.map((word) => word.group).filter(Boolean));
      const spans = [...groups].map((group) => group.mark);
      const entities = words.some(({ tag }) => tag === "O" || SPAN.test(tag));
      const hint = "Point at a word, or tab to the first and use the arrow keys.";
      const strip = tokens(words, { label: "The tagged text", hint });
      job.show(
        strip.element,
        legend(entities ? spans : words.map(({ tag }) => tag)),
        words.some(({ kind }) => kind.includes("unsure")) &&
          h("p.note", {}, "Dotted: the model is less than 80 % sure."),
        row.truncated && h("p.note", {}, "Only the beginning of the text was read."),
        unknown(row),
      );
      if (!entities) return `${words.length} words tagged.`;
      return spans.length === 1 ? "One entity found." : `${spans.length || "No"} entities found.`;
    },
  };
}

/** The words with what stands before them, their tags, and the entities that they are part of. */
function read(row, text) {
  const letters = [...text]; // places are counted in characters, as Unicode does
  let end = 0;
  let group = null;
  return row.tokens.flatMap((token, place) => {
    if (token === "") return [];
    const tag = row.tags[place];
    const span = tag.match(SPAN);
    const begins = !group || !span || "BS".includes(span[1]) || span[2] !== group.mark;
    if (begins) group = span ? { mark: span[2], kind: hue(span[2]) } : null;
    const before = letters.slice(end, row.starts[place]).join("");
    end = row.ends[place];
    const share = row.confidence[place];
    return {
      text: letters.slice(row.starts[place], end).join("") || token,
      before,
      tag,
      about: `${named(tag)}, ${percent(share)} sure`,
      kind: [!span && tag !== "O" && hue(tag), share < 0.8 && "unsure"].filter(Boolean).join(" "),
      mark: span || tag === "O" ? null : tag,
      group,
    };
  });
}

const named = (tag) => (tag === "O" ? "no entity" : tag);

const known = new Map();

/** The same class for the same tag; beyond eight tags they repeat, and the name tells. */
function hue(tag) {
  if (!known.has(tag)) known.set(tag, known.size % HUES);
  return `hue-${known.get(tag)}`;
}

function legend(tags) {
  const counts = new Map();
  for (const tag of tags) counts.set(tag, (counts.get(tag) ?? 0) + 1);
  if (!counts.size) return null;
  const rows = [...counts].sort((a, b) => b[1] - a[1]);
  const entry = ([tag, count]) =>
    h("li", {}, h(`span.swatch.${hue(tag)}`, { "aria-hidden": "true" }), `${tag} \u00d7 ${count}`);
  return h("ul.legend", { "aria-label": "Tags in this text" }, rows.map(entry));
}
