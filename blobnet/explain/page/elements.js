// Elements of the page, made by hand; texts are always texts.

const SVG = "http://www.w3.org/2000/svg";

// Children may be lists; null, undefined and false are left out.
const isShown = (child) => child !== null && child !== undefined && child !== false;
const nodes = (children) => children.flat(Infinity).filter(isShown);

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...nodes(children));
  return element;
}

const h = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);

const svg = (tag, attributes, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);

const refill = (element, ...children) => element.replaceChildren(...nodes(children));

const find = (id) => document.getElementById(id);

const button = (text, label, onclick, more = {}) =>
  h("button", {type: "button", "aria-label": label, title: label, onclick, ...more}, text);

const span = (name, ...children) => h("span", {class: name}, ...children);
const small = (...children) => h("small", null, ...children);
const quiet = (...children) => h("p", {class: "quiet"}, ...children);
const card = (...children) => h("div", {class: "card"}, ...children);
const bar = (title, ...tools) => h("div", {class: "bar"}, title, h("div", {class: "tools"}, ...tools));
const linkText = (href, ...text) => h("a", {href}, ...text);

function choice(label, options, chosen, onpick) {
  const option = ([value, text]) => h("option", {value, selected: String(value) === String(chosen)}, text);
  const select = h("select", {onchange: () => onpick(select.value)}, options.map(option));
  return h("label", {class: "choice"}, h("span", null, label), select);
}

// Buttons for one step back and forth around a choice among 0 … count - 1.
function stepper(label, count, chosen, onpick, text = String) {
  const options = Array.from({length: count}, (_, i) => [i, text(i)]);
  const step = (by) => onpick((chosen + by + count) % count);
  return h("span", {class: "stepper"}, choice(label, options, chosen, (value) => onpick(Number(value))),
           button("‹", `previous ${label}`, () => step(-1)), button("›", `next ${label}`, () => step(1)));
}

function table(heads, rows, attributes = {}) {
  return h("table", attributes, h("thead", null, h("tr", null, heads.map((head) => h("th", {scope: "col"}, head)))),
           h("tbody", null, rows.map((row) => h("tr", null, row.map((cell) => h("td", null, cell))))));
}

// A part that is made when it is opened for the first time.
function folded(summary, make) {
  const details = h("details", {ontoggle: () => {
    if (details.open && details.childElementCount === 1) details.append(make());
  }}, h("summary", null, summary));
  return details;
}

const facts = (pairs) => h("dl", {class: "facts"}, pairs.filter(Boolean).map(([name, value]) =>
  h("div", null, h("dt", null, name), h("dd", null, value))));
