/** Characters <-> ids, as `rnn_zoo_runtime.text.TextCodec` at the level `character`. */

export const [PAD, UNK, BOS, EOS] = [0, 1, 2, 3];
const SPECIAL = ["[PAD]", "[UNK]", "[BOS]", "[EOS]"];
const MEANT = { n: "\n", r: "\r", "\\": "\\" };

export class TextCodec {
  /**
   * @param {string} file The text path's file: a token in each line, in the order of the ids.
   * @param {{level: string, lower: boolean}} options Those in `runtime.json`.
   */
  constructor(file, options) {
    if (options.level !== "character") {
      throw new Error(`this page writes characters, and the model has the level ${options.level}`);
    }
    const lines = file.replace(/^\ufeff/, "").split("\n").map((line) => line.replace(/\r$/, ""));
    if (lines.at(-1) === "") lines.pop();
    this.tokens = lines.map((line) => line.replace(/\\([nr\\])/g, (_, letter) => MEANT[letter]));
    if (SPECIAL.some((token, id) => this.tokens[id] !== token)) {
      throw new Error("the file of the text path is no vocabulary: export the model again");
    }
    this.lower = options.lower;
    this.places = new Map(this.tokens.map((token, id) => [token, id]));
  }

  /** A text before it is split: line ends, control characters, case, normal form C. */
  normalized(text) {
    const found = text
      .replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, "\ufffd")
      .replace(/\r\n?/g, "\n")
      .replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/g, "");
    return (this.lower ? found.toLowerCase() : found).normalize("NFC");
  }

  /** The ids of a text, without BOS and EOS. */
  ids(text) {
    return [...this.normalized(text)].map((character) => this.places.get(character) ?? UNK);
  }

  /** The text of an id; that of PAD, BOS and EOS is empty. */
  text(id) {
    if (id === UNK) return "\ufffd";
    return id > EOS ? this.tokens[id] : "";
  }
}
