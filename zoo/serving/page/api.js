/** The server: its models, predictions and streams; each call is timed. */

const here = (path) => new URL(path, document.baseURI);

/** A sentence of the server, or what went wrong on the way to it. */
export class Refused extends Error {}

/** All models, as `GET /zoo/models` lists them. */
export async function models() {
  return (await answered(fetch(here("zoo/models")))).models;
}

/** The request of a prediction: its address and its body. */
export function request(model, signature, instances) {
  const path = `v1/models/${encodeURIComponent(model.name)}:predict`;
  return { url: here(path).href, body: { signature_name: signature, instances } };
}

/**
 * The rows that a signature answers, each an object of outputs.
 *
 * @param {object} model One of `models`.
 * @param {string} signature Its name.
 * @param {object[]} instances Inputs by name, a row each.
 * @param {AbortSignal} [signal]
 */
export async function predict(model, signature, instances, signal) {
  const { url, body } = request(model, signature, instances);
  const { predictions } = await answered(fetch(url, { ...post(body), signal }));
  const outputs = model.signatures[signature].outputs;
  if (outputs.length > 1) return predictions;
  return predictions.map((value) => ({ [outputs[0].name]: value }));
}

/** The request of a stream of text. */
export function streamRequest(model, input) {
  const path = `v2/models/${encodeURIComponent(model.name)}/generate_stream`;
  return { url: here(path).href, body: input };
}

/** The events of a stream of text, as they come. */
export async function* stream(model, input, signal) {
  const { url, body } = streamRequest(model, input);
  const response = await fetch(url, { ...post(body), signal }).catch(unreachable);
  if (!response.ok) await answered(response);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const parts = (rest + value).split(/\r?\n\r?\n/);
    rest = parts.pop();
    for (const part of parts) {
      const lines = part.split(/\r?\n/).filter((line) => line.startsWith("data:"));
      const text = lines.map((line) => line.slice(5).trimStart()).join("\n");
      if (!text) continue;
      const event = parsed(text);
      if (event.error) throw new Refused(event.error);
      yield event;
    }
  }
}

/** The command that sends a request from a terminal. */
export function curl({ url, body }) {
  const quoted = written(body).replaceAll("'", "'\\''");
  return `curl -d '${quoted}' ${url}`;
}

const post = (body) => ({
  method: "POST",
  headers: { "content-type": "application/json" },
  body: written(body),
});

const MISSING = "\u{f8ff}NaN"; // stands for NaN, which JSON lacks and the server reads

function written(body) {
  const text = JSON.stringify(body, (_, value) => (Number.isNaN(value) ? MISSING : value));
  return text.replaceAll(`"${MISSING}"`, "NaN");
}

function unreachable(error) {
  if (error.name === "AbortError") throw error;
  throw new Refused("the server does not answer: is it still running?");
}

async function answered(promise) {
  const response = await Promise.resolve(promise).catch(unreachable);
  const text = await response.text();
  let content = null;
  try {
    content = parsed(text);
  } catch {
    throw new Refused(`the server's answer is no JSON (status ${response.status})`);
  }
  if (!response.ok) throw new Refused(content.error ?? `status ${response.status}`);
  return content;
}

/** JSON in which NaN and infinities may be bare words, as TensorFlow Serving writes them. */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return JSON.parse(text.replace(/([[,:]\s*)(-?Infinity|NaN)(?=\s*[,\]}])/g, "$1null"));
  }
}
