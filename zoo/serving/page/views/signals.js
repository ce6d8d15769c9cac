/** SignalClassifier and Transcriber: series of numbers, or sound, to a label or to text. */

import * as api from "../api.js";
import { chart } from "../chart.js";
import { h, number, percent, sentence } from "../dom.js";
import { isBuiltIn } from "../examples.js";
import { problemOf, steps } from "../numbers.js";
import { verdict } from "./classifier.js";

const DIGITS = 5; // of a sample that is sent

/** The label of a series of numbers, or of a sound. */
export async function signalClassifier(model) {
  const input = await inputOf(model);
  return {
    task: input.rate ? "Names what a sound is." : "Chooses a label for a series of numbers.",
    fields: [input.field],
    examples: isBuiltIn(model, "signals") ? motifs() : [],
    action: "Classify",
    async run({ values }, job) {
      const read = input.read(values);
      const [row] = await job.predict("serving_default", [{ values: read, lengths: read.length }]);
      if (!row.valid) throw new api.Refused("The model cannot read these numbers: is one missing?");
      job.show(verdict(row), !input.rate && drawing(read));
      return `${row.label}, ${percent(Math.max(...row.probabilities))}.`;
    },
  };
}

/** The text of a series of numbers, or of a sound. */
export async function transcriber(model) {
  const input = await inputOf(model);
  return {
    task: input.rate ? "Writes down what is said." : "Writes down what a series of numbers spells.",
    fields: [input.field],
    action: "Transcribe",
    async run({ values }, job) {
      const read = input.read(values);
      const [row] = await job.predict("serving_default", [{ values: read, lengths: read.length }]);
      if (!row.valid) throw new api.Refused("The model cannot read this: is it empty?");
      job.show(
        h("p.verdict", {}, row.text || "(nothing)"),
        h("p.note", {}, `Probability of this text: ${percent(Math.exp(row.log_probability))}`),
      );
      return sentence(row.text || "nothing");
    },
  };
}

async function inputOf(model) {
  const { inputs } = model.signatures.serving_default;
  const width = inputs.find(({ name }) => name === "values").shape.at(-1);
  if (!("sample_rate" in model.signatures)) {
    const field = {
      name: "values",
      kind: "text",
      label: width > 1 ? `Numbers, ${width} in each line` : "Numbers",
      rows: 8,
      problem: (text) => problemOf(text, width),
    };
    return { rate: 0, field, read: (text) => steps(text, width) };
  }
  const [{ sample_rate: rate }] = await api.predict(model, "sample_rate", [{ streams: 0 }]);
  const note = `Recordings are made ${number(rate)} samples a second, and stay on this server.`;
  const field = { name: "values", kind: "sound", label: "Sound", rate, note };
  return {
    rate,
    field,
    read: (samples) => Array.from(samples, (value) => [Number(value.toFixed(DIGITS))]),
  };
}

function drawing(rows) {
  const lines = rows[0].map((_, column) => ({
    kind: `series-${column % 4}`,
    points: rows.map((row, place) => [place + 1, row[column]]),
  }));
  const key = lines.map(({ kind }, column) =>
    h("li", {}, h(`span.swatch.line.${kind}`, { "aria-hidden": "true" }), `column ${column + 1}`),
  );
  return [
    chart({ lines, label: `${rows.length} steps of ${lines.length} numbers.` }),
    h("ul.legend", { "aria-label": "Key" }, key),
  ];
}

/** Series like the built-in ones: three motifs in an order, the middle one early or late. */
function motifs() {
  const weights = { a: [1, -0.6, 0.4], b: [0.5, 1, -0.7], c: [-0.6, 0.5, 1] };
  const shapes = {
    a: (phase) => Math.sin(Math.PI * phase),
    b: (phase) => Math.sin(2 * Math.PI * phase),
    c: (phase) => 2 * phase - 1,
  };
  const series = (order, places) => {
    const rows = Array.from({ length: 60 }, () => [0, 0, 0]);
    [...order].forEach((name, count) => {
      for (let step = 0; step < 8; step++) {
        const value = 1.5 * shapes[name](step / 7);
        weights[name].forEach(
          (weight, column) => (rows[places[count] + step][column] += weight * value),
        );
      }
    });
    return rows.map((row) => row.map((value) => value.toFixed(2)).join(" ")).join("\n");
  };
  return [
    { title: "a b .... c", values: series("abc", [4, 16, 46]) },
    { title: "c .... b a", values: series("cba", [4, 34, 46]) },
  ];
}
