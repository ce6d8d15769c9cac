/** The workbench of a model: a form, its answer, how long it took, and how to ask it elsewhere. */

import * as address from "./address.js";
import * as api from "./api.js";
import { copied, h, number } from "./dom.js";
import { field } from "./fields.js";

const PAUSE = 500; // milliseconds after the last key before a live form asks

/**
 * The form and the answer of a model.
 *
 * @param {object} model One of `api.models`.
 * @param {object} work What a view returns: `fields`, `examples` (objects of values), `action` (the
 *   button), `live` (asks while typing), and `run(values, job)`, which shows the answer.
 * @param {object} given Values from the address.
 */
export function bench(model, work, given) {
  const fields = work.fields.map(field);
  const status = h("p.status", { role: "status" });
  const problem = h("p.problem", { role: "alert", hidden: true });
  const answer = h("section.answer", { "aria-label": "Answer", hidden: true });
  const submit = h("button.primary", { type: "submit" }, work.action);
  const stop = h("button", { type: "button", hidden: true, on: { click: () => halt() } }, "Stop");
  const share = h("div.share", { hidden: true });
  let running = null;
  let timer = 0;
  let last = null;

  const values = () => Object.fromEntries(fields.map((each) => [each.name, each.value]));

  function fill(wanted) {
    for (const each of fields) {
      if (wanted[each.name] !== undefined) each.value = wanted[each.name];
    }
  }

  function halt() {
    clearTimeout(timer);
    running?.abort();
    running = null;
  }

  async function ask() {
    halt();
    const wrong = fields.map((each) => each.problem?.()).find(Boolean);
    show(problem, wrong);
    if (wrong) return;
    const own = new AbortController();
    running = own;
    const texts = fields.filter((each) => each.shared);
    address.write(model.name, Object.fromEntries(texts.map((each) => [each.name, each.value])));
    answer.setAttribute("aria-busy", "true");
    stop.hidden = !work.stops;
    const start = performance.now();
    try {
      const said = await work.run(values(), job(own.signal));
      if (own.signal.aborted && (!work.stops || running)) return; // another request has begun
      const time = `Answered in ${number(performance.now() - start, 0)} ms.`;
      status.textContent = [said, own.signal.aborted ? "Stopped." : time].filter(Boolean).join(" ");
      share.hidden = false;
    } catch (error) {
      if (error.name === "AbortError") {
        if (running === null || running === own) status.textContent = "Stopped.";
        return;
      }
      if (!(error instanceof api.Refused)) console.error(error);
      answer.hidden = true;
      status.textContent = "";
      show(problem, error.message);
    } finally {
      if (running === own || running === null) {
        answer.setAttribute("aria-busy", "false");
        stop.hidden = true;
        running = null;
      }
    }
  }

  /** What a view's `run` works with. */
  const job = (signal) => ({
    signal,
    predict: async (signature, instances) => {
      last = api.request(model, signature, instances);
      return api.predict(model, signature, instances, signal);
    },
    stream: (input) => {
      last = api.streamRequest(model, input);
      return api.stream(model, input, signal);
    },
    show: (...nodes) => {
      if (signal.aborted) return;
      answer.replaceChildren(...nodes.flat().filter(Boolean));
      answer.hidden = false;
    },
  });

  const form = h(
    "form",
    {
      class: "form",
      on: {
        submit: (event) => {
          event.preventDefault();
          ask();
        },
        keydown: (event) => {
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
            event.preventDefault();
            ask();
          }
        },
        input: (event) => {
          clearTimeout(timer);
          if (work.live && !event.isComposing) timer = setTimeout(ask, PAUSE);
        },
      },
    },
    fields.filter((each) => !each.minor).map((each) => each.element),
    settings(fields.filter((each) => each.minor)),
    h("div.actions", {}, submit, stop, ...examples(work.examples ?? [], fill, ask)),
  );
  share.append(
    copier("Copy link", () => location.href),
    copier("Copy as curl", () => (last ? api.curl(last) : "")),
  );
  fill(given);
  const element = h("div.bench", {}, form, problem, answer, h("div.foot", {}, status, share));
  const asked = work.fields.some((each) => each.name in given);
  return { element, start: () => asked && ask(), stop: halt };
}

function show(problem, sentence) {
  problem.textContent = sentence || "";
  problem.hidden = !sentence;
}

function settings(fields) {
  return fields.length
    ? [
        h(
          "div.settings",
          {},
          fields.map((each) => each.element),
        ),
      ]
    : [];
}

function examples(list, fill, ask) {
  if (!list.length) return [];
  const button = ({ title, ...values }) =>
    h(
      "button.example",
      {
        type: "button",
        on: {
          click: () => {
            fill(values);
            ask();
          },
        },
      },
      title ?? Object.values(values)[0],
    );
  return [h("div.examples", { role: "group", "aria-label": "Examples" }, list.map(button))];
}

function copier(label, text) {
  const button = h("button.quiet", { type: "button" }, label);
  button.addEventListener("click", async () => {
    const done = await copied(text());
    button.textContent = done ? "Copied" : "Could not copy";
    setTimeout(() => (button.textContent = label), 2000);
  });
  return button;
}
