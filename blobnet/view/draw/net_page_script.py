"""What the controls of the page of a drawing do: choose, search, fold and unfold."""

SCRIPT = r"""
const control = (id) => document.getElementById(id);
const net = JSON.parse(control("net-data").textContent);
const drawing = control("drawing").querySelector("svg");
const view = zoomable(control("drawing"), drawing, net.upright ? "Width" : "Height");
const all = (selector) => [...drawing.querySelectorAll(selector)];
const isShown = (node) => !node.closest("[display=none]");

// Blocks. What lies behind the rank of an unfolded block moves on along the flow, and lines grow with it.
const axis = net.upright ? 1 : 0, {width, height} = drawing.viewBox.baseVal;
const blocks = all("g.block").map((group) => ({
  group, open: false, number: group.dataset.from,
  ...Object.fromEntries(["end", "more", "growth"].map((name) => [name, Number(group.dataset[name])]))}));
const movable = all(":scope > [data-at]");
const ways = new Map(movable.filter((node) => node.matches("g.wire")).map((node) => {
  const path = node.querySelector("path");
  return [node, {path, d: path.getAttribute("d")}];
}));

function arrange() {
  const grown = new Map();
  for (const {open, end, growth} of blocks) if (open) grown.set(end, Math.max(growth, grown.get(end) ?? 0));
  const moved = (at) => [...grown].reduce((sum, [end, growth]) => sum + (end <= at + 0.05 ? growth : 0), 0);
  const longer = new Map(blocks.map(({number, open, more}) => [number, open ? more : 0]));
  for (const node of movable) {
    const {at, from} = node.dataset, begin = moved(Number(at));
    const start = begin + (from === undefined ? 0 : longer.get(from));
    if (ways.has(node)) stretch(ways.get(node), start, moved);
    else node.setAttribute("transform", shift(node.matches("g.block") ? begin : start));
  }
  const sides = [width, height];
  sides[axis] += moved(Infinity);
  drawing.setAttribute("viewBox", ["0 0", ...sides.map((side) => +side.toFixed(1))].join(" "));
  view.resize();
}

const shift = (by) => axis ? `translate(0 ${by})` : `translate(${by} 0)`;

// The points of a line move as what they stand beside; where it leaves its box they move as the box ends.
function stretch({path, d}, start, moved) {
  const first = d.match(/[-\d.]+,[-\d.]+/)[0];
  path.setAttribute("d", d.replace(/(.)([-\d.]+),([-\d.]+)/g, (_, letter, ...pair) => {
    const spot = pair.slice(0, 2).map(Number);
    spot[axis] += letter === "M" && pair.slice(0, 2).join() === first ? start : moved(spot[axis]);
    return letter + spot.map((value) => value.toFixed(1)).join();
  }));
}

function setOpen(block, open) {
  block.open = open;
  for (const part of block.group.children) {
    if (part.matches(".whole") === open) part.removeAttribute("display");
    else part.setAttribute("display", "none");
  }
}

const unfoldAll = (open) => {
  for (const block of blocks) setOpen(block, open);
  arrange();
  control("unfold").textContent = open ? "fold all" : "unfold all";
};

// What is chosen.
const layerNodes = (index) => all(`g.layer[data-layer="${index}"]`);
const blobNodes = (name) => all("text.blob").filter((node) => node.dataset.blob === name);

// A node that is in sight, if need be after its block is unfolded.
function inSight(nodes) {
  const shown = nodes.find(isShown);
  if (shown || !nodes.length) return shown;
  setOpen(blocks.find(({group}) => group.contains(nodes[0])), true);
  arrange();
  return nodes[0];
}

function choose(nodes, centred = true) {
  for (const node of all(".selected")) node.classList.remove("selected");
  for (const node of nodes) node.classList.add("selected");
  const node = inSight(nodes);
  if (!node) return;
  if (node.dataset.layer === undefined) blobDetails(node.dataset.blob);
  else layerDetails(Number(node.dataset.layer));
  if (centred) view.centre(node);
}

function element(tag, text, more = {}) {
  const made = Object.assign(document.createElement(tag), more);
  made.append(text);
  return made;
}

function showDetails(title, kind, pairs, links = []) {
  const list = element("dl", "");
  for (const [word, text] of pairs) list.append(element("dt", word), element("dd", text));
  for (const [word, targets] of links) {
    if (!targets.length) continue;
    const cell = element("dd", "");
    for (const [text, nodes] of targets) cell.append(element("button", text, {type: "button",
                                                                              onclick: () => choose(nodes())}), " ");
    list.append(element("dt", word), cell);
  }
  control("details-text").replaceChildren(element("h2", title), element("p", kind, {className: "soft"}), list);
  control("details").hidden = false;
}

const layerLink = (index) => [net.layers[index].name, () => layerNodes(index)];
const layersWith = (field, blob) => net.layers.map((_, index) => index).filter((index) =>
  net.layers[index][field].includes(blob) && layerNodes(index).length).map(layerLink);

function layerDetails(index) {
  const {name, type, family, facts, bottoms, tops} = net.layers[index];
  const own = ([other]) => other !== name;
  const near = (field, blobs) => [...new Map(blobs.flatMap((blob) => layersWith(field, blob))).entries()].filter(own);
  showDetails(name || "no name", family ? `${type}, ${family}` : type, facts,
              [["reads from", near("tops", bottoms)], ["read by", near("bottoms", tops)]]);
}

function blobDetails(name) {
  showDetails(name, "blob", net.shapes[name] ? [["shape", net.shapes[name]]] : [],
              [["made by", layersWith("tops", name)], ["read by", layersWith("bottoms", name)]]);
}

function closeDetails() {
  control("details").hidden = true;
  for (const node of all(".selected")) node.classList.remove("selected");
}

function pressable(node, press) {
  node.addEventListener("click", press);
  node.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    press();
  });
}

for (const node of all("g.layer")) {
  const {name, type, facts} = net.layers[Number(node.dataset.layer)], title = document.createElementNS(
    "http://www.w3.org/2000/svg", "title");
  title.textContent = [`${name} (${type})`, ...facts.map((pair) => pair.join(": "))].join("\n");
  node.prepend(title);
  pressable(node, () => choose(layerNodes(node.dataset.layer), false));
}
for (const node of all("text.blob")) pressable(node, () => choose(blobNodes(node.dataset.blob), false));
for (const block of blocks) {
  for (const node of block.group.querySelectorAll("g.repeat")) {
    const within = node.closest(".whole") !== null;
    node.setAttribute("aria-expanded", within);
    pressable(node, () => {
      setOpen(block, !within);
      arrange();
      block.group.querySelector(within ? ".once g.repeat" : ".whole g.repeat").focus({preventScroll: true});
    });
  }
}

// Search: all that is found is marked, and one of it is in the middle.
let found = [], at = 0;

function search() {
  const wanted = control("search").value.trim().toLowerCase();
  const has = (...words) => wanted !== "" && words.some((word) => word.toLowerCase().includes(wanted));
  const blobs = [...new Set(all("text.blob").map((node) => node.dataset.blob))];
  found = [...net.layers.map((layer, index) => has(layer.name, layer.type) ? layerNodes(index) : []),
           ...blobs.map((name) => has(name) ? blobNodes(name) : [])].filter((nodes) => nodes.length);
  for (const node of all(".found")) node.classList.remove("found");
  for (const node of found.flat()) node.classList.add("found");
  at = Math.max(0, found.findIndex((nodes) => nodes.some(isShown)));
  if (found.length) choose(found[at]);
  tell(wanted);
}

function step(by) {
  if (!found.length) return;
  at = (at + by + found.length) % found.length;
  choose(found[at]);
  tell("found");
}

const tell = (wanted) => control("count").textContent = !wanted ? "" : found.length
  ? `${at + 1} of ${found.length}` : "nothing";

control("search").addEventListener("input", search);
control("tools").addEventListener("submit", (event) => {
  event.preventDefault();
  step(1);
});
control("search").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !event.shiftKey) return;
  event.preventDefault();
  step(-1);
});
control("next").addEventListener("click", () => step(1));
control("smaller").addEventListener("click", view.smaller);
control("larger").addEventListener("click", view.larger);
control("fit").addEventListener("click", view.fit);
control("close").addEventListener("click", closeDetails);
control("unfold").hidden = !blocks.length;
control("unfold").addEventListener("click", () => unfoldAll(blocks.some(({open}) => !open)));
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") closeDetails();
  if (event.key !== "/" || event.target.closest("input")) return;
  event.preventDefault();
  control("search").focus();
});

control("tools").hidden = false;
view.to(Math.max(0.8, Math.min(1.15, view.fitting())));
const first = all("g.layer")[0];
if (first) {
  view.centre(first);
  control("drawing").scrollTo({top: 0, behavior: "instant"});
}
"""
