/** Writer: text that grows token by token, each shaded by its probability. */

import { h, number, percent } from "../dom.js";
import { textsFor } from "../examples.js";
import { tokens } from "../tokens.js";

export const SAMPLING = [
  {
    name: "temperature",
    kind: "range",
    label: "Temperature",
    min: 0,
    max: 2,
    step: 0.05,
    value: 0.8,
  },
  { name: "top_p", kind: "range", label: "Top p", min: 0.05, max: 1, step: 0.05, value: 0.95 },
  { name: "seed", kind: "number", label: "Seed", min: 0, max: 2147483647, value: 1 },
].map((field) => ({ ...field, minor: true }));
const LENGTH = {
  name: "max_tokens",
  kind: "number",
  label: "Tokens",
  min: 1,
  max: 1000,
  value: 120,
  minor: true,
};

export function writer(model) {
  const streams = "draw" in model.signatures;
  return {
    task: "Continues a text.",
    fields: [{ name: "prompt", kind: "text", label: "Beginning", rows: 2 }, ...SAMPLING, LENGTH],
    examples: beginnings(textsFor(model)),
    action: "Write",
    stops: true,
    async run(values, job) {
      const strip = tokens([], {
        label: "What the model wrote",
        hint: "Point at a token to see its probability.",
      });
      strip.list.append(h("span.prompt", {}, values.prompt));
      job.show(h("div.prose", {}, strip.element), shading());
      let count = 0;
      let total = 0;
      try {
        for await (const { text, share } of (streams ? streamed : whole)(values, job)) {
          if (text) strip.add(shaded(text, share));
          count += 1;
          total += Math.log(share);
        }
      } catch (error) {
        if (error.name !== "AbortError") throw error;
      }
      if (!count) return "The model ended the text at once.";
      const mean = Math.exp(-total / count);
      return `${count} tokens, perplexity ${number(mean)}.`;
    },
  };
}

/** Examples of beginnings: from nothing, from each text, and once without chance. */
function beginnings(texts) {
  const given = texts.filter((text) => text.trim());
  return [
    { title: "From nothing", prompt: "", temperature: 0.8 },
    ...given.map((prompt) => ({ title: prompt.trim(), prompt, temperature: 0.8 })),
    { title: "Always the most probable token", prompt: given[0] ?? "", temperature: 0 },
  ];
}

/** What the server streams: pieces of text, each with the probability of its token. */
async function* streamed({ prompt, ...options }, job) {
  for await (const event of job.stream({ text_input: prompt, parameters: options })) {
    if ("log_probability" in event) {
      yield { text: event.text_output, share: Math.exp(event.log_probability) };
    }
  }
}

/** The text of a model that does not stream: all at once, with the mean probability if need be. */
async function* whole({ prompt, ...options }, job) {
  const [row] = await job.predict("generate", [{ prompt, ...options, top_k: 0 }]);
  const text = row.text.slice(prompt.length);
  const drawn = (row.tokens ?? []).filter((token) => token && token !== "[EOS]");
  if (drawn.join("") === text) {
    yield* drawn.map((token, place) => ({ text: token, share: row.token_probabilities[place] }));
  } else {
    yield { text, share: Math.exp(row.log_probability / Math.max(1, row.num_tokens)) };
  }
}

/** A token for a strip: the less probable, the stronger its shade. */
export function shaded(piece, share) {
  const before = piece.trim() ? piece.match(/^\s*/)[0] : ""; // blanks before a word have no shade
  const text = piece.slice(before.length);
  return { text, before, about: percent(share), kind: "chance", strength: surprise(share) };
}

/** From 0 (sure) to 1 (one in a thousand, or less). */
function surprise(share) {
  return Math.min(1, -Math.log10(Math.max(share, 1e-9)) / 3);
}

/** What the shades mean. */
export function shading() {
  const step = (share, text) =>
    h("span.token.chance", { style: { "--strength": surprise(share).toFixed(3) } }, text);
  return h(
    "p.key",
    {},
    "Probability of a token: ",
    step(1, "sure"),
    step(0.5, "1 in 2"),
    step(0.1, "1 in 10"),
    step(0.01, "1 in 100"),
    step(0.001, "1 in 1000"),
  );
}
