// Elements from a description, so that no text is ever read as markup.

const SVG = "http://www.w3.org/2000/svg";

/**
 * h("p", { class: "quiet" }, "text", child, …). Attributes that begin with "on" listen; null children are left out.
 * @type {(name: string, attributes?: object | null, ...children: any[]) => any}
 */
export const h = (name, attributes, ...children) => fill(document.createElement(name), attributes, children);

/**
 * The same, in SVG.
 * @type {(name: string, attributes?: object | null, ...children: any[]) => any}
 */
export const s = (name, attributes, ...children) => fill(document.createElementNS(SVG, name), attributes, children);

/**
 * A formula: words and MathML from the program, as elements that can be broken into lines between them.
 * @param {string} markup
 */
export function math(markup) {
  const named = markup.replaceAll("<math>", '<math xmlns="http://www.w3.org/1998/Math/MathML">');
  const parsed = new DOMParser().parseFromString(
    `<span xmlns="http://www.w3.org/1999/xhtml">${named}</span>`,
    "application/xml",
  ).documentElement;
  return document.importNode(parsed, true);
}

/**
 * Base64 to bytes.
 * @type {(text: string) => Uint8Array}
 */
export const bytesOf = text => Uint8Array.from(atob(text), sign => sign.charCodeAt(0));

/**
 * The element of an id.
 * @type {(id: string) => HTMLElement}
 */
export const byId = id => document.getElementById(id);

/**
 * @param {Element} element
 * @param {object | null | undefined} attributes
 * @param {any[]} children
 */
function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter(child => child !== null && child !== undefined && child !== false));
  return element;
}
