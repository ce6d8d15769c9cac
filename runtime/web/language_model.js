/** A language model from an ONNX bundle: it reads a prompt and writes on, a token at a time. */

import * as ort from "onnxruntime-web";
import { draw, uniform } from "./sampling.js";
import { BOS, EOS, PAD, TextCodec, UNK } from "./text.js";

const FORMAT = 1;
ort.env.wasm.numThreads = 1; // more need headers that a plain file server does not send

export class LanguageModel {
  constructor(codec, start, step, states) {
    Object.assign(this, { codec, start, step, states });
  }

  /** Loads a bundle from the address of its folder. */
  static async load(folder) {
    const file = async (name, kind) => {
      const response = await fetch(`${folder}/${name}`);
      if (!response.ok) throw new Error(`no ${name} in ${folder}: give a folder of export_onnx`);
      return response[kind]();
    };
    const description = await file("runtime.json", "json");
    if (description.format > FORMAT || description.pipeline !== "Writer") {
      throw new Error(`this page reads a Writer of the format ${FORMAT}, and no other bundle`);
    }
    const path = description.text_paths.codec;
    if (path.class !== "TextCodec") throw new Error("this page reads models of characters alone");
    const codec = new TextCodec(await file(path.files[0], "text"), path.options);
    const [start, step] = await Promise.all(
      ["start", "step"].map(async (name) =>
        ort.InferenceSession.create(await file(description.graphs[name], "arrayBuffer")),
      ),
    );
    return new LanguageModel(codec, start, step, description.states);
  }

  /**
   * Continues a prompt: yields each piece of text as it is drawn.
   *
   * @param {string} prompt
   * @param {object} options `maxTokens`, `seed`, and those of `draw`.
   */
  async *generate(prompt, { maxTokens = 100, seed = 0, ...options } = {}) {
    let states = await this.start.run({ streams: ints([0]) });
    let logits = null;
    for (const id of [BOS, ...this.codec.ids(prompt)]) {
      [logits, states] = await this.read(id, states);
    }
    for (let count = 0; count < maxTokens; count++) {
      const forbidden = [PAD, UNK, BOS];
      const id = draw(logits, uniform(seed, count), { ...options, forbidden });
      if (id === EOS) return;
      yield this.codec.text(id);
      [logits, states] = await this.read(id, states);
    }
  }

  /** One step: the logits after a token, and the states to go on with. */
  async read(id, states) {
    const found = await this.step.run({ token_ids: ints([id]), ...states });
    const after = this.states.map((name) => [name, found[`next_${name}`]]);
    return [[...found.logits.data], Object.fromEntries(after)];
  }
}

function ints(values) {
  return new ort.Tensor("int32", Int32Array.from(values), [values.length]);
}
