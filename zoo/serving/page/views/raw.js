/** Any other model: a request in JSON. */

import { h } from "../dom.js";

export function raw(model) {
  const names = Object.keys(model.signatures);
  const value = names.includes("serving_default") ? "serving_default" : names[0];
  const example = (name) =>
    JSON.stringify(
      Object.fromEntries(model.signatures[name].inputs.map((input) => [input.name, of(input)])),
    );
  return {
    task: "Answers requests in JSON.",
    fields: [
      { name: "signature", kind: "choice", label: "Signature", options: names, value },
      {
        name: "instance",
        kind: "text",
        label: "Inputs of a row, as JSON",
        rows: 5,
        value: example(value),
        problem,
      },
    ],
    action: "Ask",
    async run({ signature, instance }, job) {
      const [row] = await job.predict(signature, [JSON.parse(instance)]);
      job.show(h("pre", { tabindex: 0 }, h("code", {}, JSON.stringify(row, null, 1))));
      return "";
    },
  };
}

function of({ dtype, shape }) {
  const one = /string/i.test(dtype) ? "text" : /bool/i.test(dtype) ? true : 0;
  return (shape ?? [-1])
    .slice(1)
    .reduceRight((inner, size) => Array(Math.max(1, size)).fill(inner), one);
}

function problem(text) {
  try {
    JSON.parse(text);
    return "";
  } catch (error) {
    return `This is no JSON: ${error.message}`;
  }
}
