/** A row of tokens that can be pointed at: one stop of the tab key, then the arrow keys. */

import { h } from "./dom.js";

/**
 * The tokens, and a line below them about the one that is pointed at.
 *
 * @param {object[]} items Each has `text`; `about`, what the line says of it; `before`, text before
 *   it; `kind`, classes; `strength`, 0 to 1; `mark`, a word below it. Items with the same `group`
 *   object in a row are shown as one, with `group.mark` below and `group.kind`.
 * @param {object} options `label` for those who do not see it; `hint`, what the line says at first.
 */
export function tokens(items, { label, hint = "" }) {
  const line = h("p.about-token", {}, hint);
  const list = h("div.tokens", { role: "group", "aria-label": label });
  const buttons = [];
  let group = null;
  let holder = list;

  const point = (button, focus) => {
    for (const each of buttons) each.tabIndex = each === button ? 0 : -1;
    line.textContent = button.dataset.about;
    if (focus) button.focus();
  };

  /** Adds a token behind the others. */
  function add(item) {
    if (item.before) (item.group && item.group === group ? holder : list).append(item.before);
    if (item.group !== group || !item.group) {
      group = item.group ?? null;
      holder = list;
      if (group) {
        holder = h(`span.group.${group.kind}`, {});
        list.append(h("span.grouped", {}, holder, h("span.mark", {}, group.mark)));
      }
    }
    const strength = Math.min(1, Math.max(0, item.strength ?? 0));
    const button = h(
      "button",
      {
        type: "button",
        class: `token ${item.kind ?? ""}`.trim(),
        tabindex: buttons.length ? -1 : 0,
        "aria-label": `${item.text.trim() || "blank"}: ${item.about}`,
        "data-about": `${shown(item.text)}: ${item.about}`,
        style: { "--strength": strength.toFixed(3) },
      },
      item.text,
    );
    buttons.push(button);
    holder.append(item.mark ? h("span.marked", {}, button, h("span.mark", {}, item.mark)) : button);
    return button;
  }

  for (const item of items) add(item);
  list.addEventListener("focusin", (event) => {
    const button = event.target.closest(".token");
    if (button) point(button);
  });
  list.addEventListener("pointerover", (event) => {
    const button = event.target.closest(".token");
    if (button) line.textContent = button.dataset.about;
  });
  list.addEventListener("click", (event) => {
    const button = event.target.closest(".token");
    if (button) point(button, true);
  });
  list.addEventListener("keydown", (event) => {
    const place = buttons.indexOf(document.activeElement);
    const last = buttons.length - 1;
    const steps = { ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: last };
    if (place < 0 || !(event.key in steps)) return;
    event.preventDefault();
    point(buttons[Math.min(last, Math.max(0, steps[event.key]))], true);
  });
  return { element: h("div.strip", {}, list, line), list, line, add };
}

/** A token in a sentence; blanks would not be seen. */
function shown(text) {
  return text.trim() ? text.trim() : "(blank)";
}
