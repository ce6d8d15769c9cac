/** The page: the list of models, and the workbench of the one that the address names. */

import { about } from "./about.js";
import * as address from "./address.js";
import * as api from "./api.js";
import { bench } from "./bench.js";
import { h } from "./dom.js";
import { classifier } from "./views/classifier.js";
import { conditionalWriter } from "./views/conditional_writer.js";
import { forecaster } from "./views/forecaster.js";
import { raw } from "./views/raw.js";
import { signalClassifier, transcriber } from "./views/signals.js";
import { tagger } from "./views/tagger.js";
import { translator } from "./views/translator.js";
import { writer } from "./views/writer.js";

const VIEWS = {
  Classifier: classifier,
  ConditionalWriter: conditionalWriter,
  SeriesForecaster: forecaster,
  SignalClassifier: signalClassifier,
  Tagger: tagger,
  Transcriber: transcriber,
  Translator: translator,
  Writer: writer,
};

const [nav, main] = ["models", "main"].map((id) => document.getElementById(id));
let models = [];
let open = null; // the workbench that is shown
let shown = ""; // the name of its model

/** Shows the model that the address names, the first one by default. */
async function show(byUser) {
  const { model: name, ...values } = address.read();
  const model = models.find((each) => each.name === name) ?? (name ? null : models[0]);
  if (!model) {
    say(`There is no model ${name} here: choose one of the list.`);
    return;
  }
  open?.stop();
  shown = model.name;
  for (const link of nav.querySelectorAll("a")) {
    link.setAttribute("aria-current", link.dataset.model === shown ? "page" : "false");
  }
  document.title = `${model.name} - rnn-zoo`;
  const view = VIEWS[model.pipeline] ?? raw;
  const work = await view(model);
  if (shown !== model.name) return; // another one was chosen meanwhile
  open = bench(model, work, values);
  main.replaceChildren(
    h("h1", {}, model.name),
    h("p.task", {}, work.task),
    open.element,
    about(model),
  );
  if (byUser) main.focus();
  open.start();
}

function say(sentence) {
  open?.stop();
  open = null;
  shown = "";
  main.replaceChildren(h("p.problem", { role: "alert" }, sentence));
}

function list() {
  const link = ({ name, pipeline }) =>
    h(
      "a",
      { href: address.address(name), "data-model": name },
      name,
      h("small", {}, pipeline ?? ""),
    );
  nav.replaceChildren(
    h(
      "ul",
      {},
      models.map((model) => h("li", {}, link(model))),
    ),
  );
}

async function tried(work) {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof api.Refused)) console.error(error);
    say(error.message);
  }
}

window.addEventListener("hashchange", () => {
  const chosen = address.read().model;
  tried(() => show(chosen !== shown));
});

await tried(async () => {
  models = await api.models();
  list();
  if (!models.length) throw new api.Refused("The server has no models: export one first.");
  await show(false);
});
