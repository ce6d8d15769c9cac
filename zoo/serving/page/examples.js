/** Texts to try: those that the model's makers gave, or some of the recipe's built-in data. */

const BUILT_IN = {
  sentiment: [
    "slow at first, but I loved the ending",
    "there is nothing to like about it",
    "not as good as the first one",
  ],
  origin: ["Macdel", "Kowalski", "Nakamura"],
  ner: ["Jordan, as my aunt told me, was founded in 1820.", "Ann Miller met Bob in Oslo."],
  pos: ["Rose knows that that guard can open the can.", "She will book the old ship."],
  translation: ["see you on the 3rd of May 1998", "Monday, 12 December 1994", "4/7/2021"],
  generation: ["The old farmer"],
};

/** Whether a model knows a recipe's built-in data alone. */
export const isBuiltIn = (model, recipe) =>
  model.provenance?.recipe === recipe && model.provenance.data === "builtin";

/** The texts for a model; none where nothing is known of it. */
export function textsFor(model) {
  const { recipe, data, examples } = model.provenance ?? {};
  if (Array.isArray(examples)) return examples.filter((each) => typeof each === "string");
  return (data === "builtin" && BUILT_IN[recipe]) || [];
}
