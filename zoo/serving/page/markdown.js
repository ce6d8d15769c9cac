/** A model card as elements: headings, paragraphs, lists, tables, code. Anything else is text. */

import { h } from "./dom.js";

/** The elements of a text in Markdown; headings begin at level 3. */
export function markdown(text) {
  const lines = text.replace(/^---\n[\s\S]*?\n---\n/, "").split("\n");
  const blocks = [];
  while (lines.length) {
    const line = lines.shift();
    const heading = line.match(/^(#{1,6})\s+(.*)$/);
    if (line.startsWith("```")) {
      const code = taken(lines, (next) => !next.startsWith("```"));
      lines.shift();
      blocks.push(h("pre", { tabindex: 0 }, h("code", {}, code.join("\n"))));
    } else if (heading) {
      const level = Math.min(6, heading[1].length + 2);
      blocks.push(h(`h${level}`, {}, inline(heading[2])));
    } else if (/^\s*[-*]\s/.test(line)) {
      const rows = [line, ...taken(lines, (next) => /^\s*([-*]\s|\S)/.test(next))];
      const items = rows.reduce(
        (found, row) =>
          /^\s*[-*]\s/.test(row)
            ? [...found, row.replace(/^\s*[-*]\s+/, "")]
            : [...found.slice(0, -1), `${found.at(-1)} ${row.trim()}`],
        [],
      );
      blocks.push(
        h(
          "ul",
          {},
          items.map((item) => h("li", {}, inline(item))),
        ),
      );
    } else if (line.startsWith("|")) {
      blocks.push(table([line, ...taken(lines, (next) => next.startsWith("|"))]));
    } else if (line.trim()) {
      const more = taken(lines, (next) => next.trim() && !/^(#|```|\||\s*[-*]\s)/.test(next));
      blocks.push(h("p", {}, inline([line, ...more].join(" "))));
    }
  }
  return blocks;
}

function taken(lines, holds) {
  const found = [];
  while (lines.length && holds(lines[0])) found.push(lines.shift());
  return found;
}

function table(lines) {
  const rows = lines
    .filter((line) => !/^\|[\s:|-]+\|?\s*$/.test(line))
    .map((line) => line.replace(/^\||\|\s*$/g, "").split("|"));
  const [head, ...body] = rows.map((row) => row.map((cell) => inline(cell.trim())));
  const line = (cells, tag) =>
    h(
      "tr",
      {},
      cells.map((cell) => h(tag, {}, cell)),
    );
  const whole = h(
    "table",
    {},
    h("thead", {}, line(head, "th")),
    h(
      "tbody",
      {},
      body.map((row) => line(row, "td")),
    ),
  );
  return h("div.scroll", { tabindex: 0, role: "group", "aria-label": "Table" }, whole);
}

/** Code, strong words, and links as their text: a card loads nothing and leads nowhere. */
function inline(text) {
  return text.split(/(`[^`]+`|\*\*[^*]+\*\*|\[[^\]]+\]\([^)]+\))/).map((part) => {
    if (/^`[^`]+`$/.test(part)) return h("code", {}, part.slice(1, -1));
    if (/^\*\*.+\*\*$/.test(part)) return h("strong", {}, part.slice(2, -2));
    const link = part.match(/^\[([^\]]+)\]\(([^)]+)\)$/);
    return link ? link[1] : part;
  });
}
