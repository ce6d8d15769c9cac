/** The fields of a form: a label, a control, and a value that the address can carry. */

import { h, number } from "./dom.js";
import { sound } from "./sound.js";

let made = 0;

/**
 * A field of a description: `name`, `kind`, `label`, `value`, `minor` (one of the settings).
 *
 * Its `value` can be read and set; `problem()` is a sentence if it cannot be used; with `shared`
 * the address carries it.
 */
export function field(given) {
  const found = KINDS[given.kind](given, id());
  return Object.assign(found, { minor: given.minor, name: given.name });
}

const id = () => `field-${(made += 1)}`;

/** A control with its label; `value` is that of the control. */
function labelled(given, own, control, ...more) {
  const note = given.note && h("p.note", { id: `${own}-note` }, given.note);
  if (note) control.setAttribute("aria-describedby", note.id);
  const element = h("div.field", {}, h("label", { for: own }, given.label, more), control, note);
  return {
    element,
    shared: true,
    problem: () => given.problem?.(control.value) ?? "",
    get value() {
      return control.value;
    },
    set value(wanted) {
      control.value = wanted;
      control.dispatchEvent(new Event("refresh"));
    },
  };
}

const KINDS = {
  text: (given, own) => {
    const control = h("textarea", {
      id: own,
      name: given.name,
      rows: given.rows ?? 3,
      spellcheck: "false",
      autocomplete: "off",
    });
    control.value = given.value ?? "";
    return labelled(given, own, control);
  },
  line: (given, own) => {
    const control = h("input", { id: own, name: given.name, type: "text", autocomplete: "off" });
    control.value = given.value ?? "";
    return labelled(given, own, control);
  },
  date: (given, own) => {
    const control = h("input", { id: own, name: given.name, type: "date" });
    control.value = given.value ?? new Date().toISOString().slice(0, 10);
    return labelled(given, own, control);
  },
  range: (given, own) => {
    const { min, max, step } = given;
    const control = h("input", { id: own, name: given.name, type: "range", min, max, step });
    control.value = given.value;
    const shown = h("output", { for: own });
    const refresh = () => (shown.textContent = number(control.value));
    control.addEventListener("input", refresh);
    control.addEventListener("refresh", refresh);
    refresh();
    return numeric(labelled(given, own, control, shown));
  },
  number: (given, own) => {
    const { min, max } = given;
    const control = h("input", { id: own, name: given.name, type: "number", min, max, step: 1 });
    control.value = given.value;
    const found = numeric(labelled(given, own, control));
    found.problem = () =>
      control.validity.valid && control.value !== ""
        ? ""
        : `${given.label} must be a whole number from ${min} to ${number(max)}.`;
    return found;
  },
  choice: (given, own) => {
    const options = given.options.map((each) => h("option", { value: each }, each));
    const control = h("select", { id: own, name: given.name }, options);
    if (given.value !== undefined) control.value = given.value;
    const found = labelled(given, own, control);
    found.problem = () => (control.value ? "" : `Choose one of the list: ${given.label}.`);
    return found;
  },
  sound,
};

function numeric(found) {
  const own = Object.getOwnPropertyDescriptor(found, "value");
  return Object.defineProperty(found, "value", {
    ...own,
    get: () => Number(own.get.call(found)),
  });
}
