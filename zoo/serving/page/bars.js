/** Shares as bars with their numbers. */

import { h, percent } from "./dom.js";

/** A list of `{name, share}`, shares from 0 to 1. */
export function bars(rows, label) {
  return h(
    "ul.bars",
    { "aria-label": label },
    rows.map(({ name, share }) =>
      h(
        "li",
        {},
        h("span.name", {}, name),
        h(
          "span.bar",
          { "aria-hidden": "true" },
          h("span", { style: { "--share": share.toFixed(4) } }),
        ),
        h("span.number", {}, percent(share)),
      ),
    ),
  );
}
