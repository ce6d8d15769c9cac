/** The page: `?model=FOLDER` names the bundle; with `&run` it writes at once. */

import { LanguageModel } from "./language_model.js";

const [form, status, output] = ["form", "status", "output"].map((id) => document.getElementById(id));
const address = new URLSearchParams(location.search);
for (const field of form.elements) {
  if (field.name && address.has(field.name)) field.value = address.get(field.name);
}

async function write(model) {
  const { prompt, ...numbers } = Object.fromEntries(new FormData(form));
  const options = Object.entries(numbers).map(([name, value]) => [name, Number(value)]);
  output.textContent = prompt;
  status.textContent = "Writing ...";
  for await (const piece of model.generate(prompt, Object.fromEntries(options))) {
    output.textContent += piece;
  }
  status.textContent = "Done.";
}

async function tried(work) {
  try {
    await work();
  } catch (error) {
    status.textContent = `Error: ${error.message}`;
  }
}

await tried(async () => {
  const model = await LanguageModel.load(address.get("model") ?? "bundle");
  status.textContent = "Ready.";
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    tried(() => write(model));
  });
  if (address.has("run")) await write(model);
});
