/** Elements from data. Text is always text: no string is ever read as markup. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * Makes an element.
 *
 * @param {string} tag Its name, with classes after dots: "p.note".
 * @param {object} [properties] Attributes; `on` is an object of listeners, `style` one of styles
 *   (custom properties too). Null, undefined and false leave an attribute out.
 * @param {...(Node|string|number|Array)} children Nodes, or what becomes text; null, undefined and
 *   false are left out.
 */
export function h(tag, properties = {}, ...children) {
  return made((name) => document.createElement(name), tag, properties, children);
}

/** The same in SVG. */
export function s(tag, properties = {}, ...children) {
  return made((name) => document.createElementNS(SVG, name), tag, properties, children);
}

function made(create, tag, properties, children) {
  const [name, ...classes] = tag.split(".");
  const element = create(name);
  if (classes.length) element.setAttribute("class", classes.join(" "));
  const { on = {}, style = {}, ...attributes } = properties;
  for (const [event, listener] of Object.entries(on)) element.addEventListener(event, listener);
  for (const [property, value] of Object.entries(style)) {
    element.style.setProperty(property, value);
  }
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    element.setAttribute(key, value === true ? "" : value);
  }
  const nothing = [null, undefined, false];
  element.append(...children.flat(Infinity).filter((child) => !nothing.includes(child)));
  return element;
}

/** A number with at most `digits` digits after the point, in the page's language. */
export function number(value, digits = 2) {
  const text = Number(value).toLocaleString("en", { maximumFractionDigits: digits });
  return text.replace(/^-0$/, "0").replace("-", "\u2212");
}

/** A probability as percent; what is not 0 or 1 is not shown as such. */
export function percent(share) {
  if (share > 0 && share < 0.001) return "< 0.1 %";
  if (share < 1 && share > 0.999) return "> 99.9 %";
  return `${number(100 * share, 1)} %`;
}

/** A text with a full stop, unless it ends a sentence already. */
export const sentence = (text) => (/[.!?\u2026]$/.test(text.trim()) ? text : `${text}.`);

/** Text for the clipboard; says whether it was copied. */
export async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = h("textarea", { class: "unseen", "aria-hidden": "true" });
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}
