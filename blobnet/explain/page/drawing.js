// The drawing of the net: chosen with pointer and keys, wires as wide as their numbers are large, zoom and search.

const drawn = {svg: null, view: null};

function drawingView() {
  drawn.svg = find("drawing").querySelector("svg");
  drawn.view = drawn.svg && zoomable(find("drawing"), drawn.svg);
  find("net-tools").append(searchBox(), layerChoice(), drawn.svg ? zoomButtons() : "");
  if (!drawn.svg) return void (find("drawing").hidden = true);
  for (const node of drawn.svg.querySelectorAll("g.layer[data-layer]")) layerNode(node);
  for (const node of drawn.svg.querySelectorAll("g.wire[data-blob], text.blob[data-blob]")) blobNode(node);
  for (const node of drawn.svg.querySelectorAll("g[data-mark]")) markNode(node);
  const {width, height} = drawn.svg.viewBox.baseVal;
  document.body.classList.toggle("aside", height > width);  // a high drawing stands beside the rest of the page
  drawn.view.to(Math.max(0.8, Math.min(1.15, drawn.view.fitting())));
  onSelect(showSelected);
}

function choosable(node, label, pick) {
  node.setAttribute("tabindex", "0");
  node.setAttribute("role", "button");
  if (!node.hasAttribute("aria-label")) node.setAttribute("aria-label", label);
  node.addEventListener("click", (event) => {
    event.stopPropagation();
    pick();
  });
  node.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    pick();
  });
}

function layerNode(node) {
  const layer = net.layers.get(Number(node.dataset.layer));
  if (!layer) return;
  choosable(node, `Layer ${layer.name}, ${layer.type}`, () => select({layer: layer.index}));
}

// In the drawing a name stands for the last value that has it.
const valueNamed = (name) => net.header.values.findLast((value) => value.name === name);

function blobNode(node) {
  const value = valueNamed(node.dataset.blob);
  if (!value) return;
  const size = real(value.size.data), slope = value.size.diff === null ? null : real(value.size.diff);
  if (node.matches("text")) choosable(node, `Blob ${value.name}`, () => select({layer: value.layer, value: value.id}));
  else node.addEventListener("click", () => select({layer: value.layer, value: value.id}));
  widen(node.querySelector("path.data"), size, "data");
  widen(node.querySelector("path.diff"), slope, "diff");
  node.querySelector("title")?.remove();
  const sizes = `data ${format(size, 3)}, diff ${format(slope, 3)}`;
  node.append(svg("title", null, `${value.name} ${shapeText(value.shape)}: ${sizes}`));
}

// From 0.8 to 3.2 pixels, by the logarithm of the size among all sizes of the net.
function widen(path, size, which) {
  if (!path) return;
  path.classList.toggle("absent", !(size > 0));
  if (!(size > 0)) return;
  const logs = net.header.values.map((value) => Math.log10(real(value.size[which] ?? 0))).filter(Number.isFinite);
  const low = Math.min(...logs), high = Math.max(...logs);
  path.style.strokeWidth = `${(0.8 + 2.4 * (Math.log10(size) - low) / (high - low || 1)).toFixed(2)}px`;
}

// A warning sign at the corner of a layer that has marks.
function markNode(node) {
  const marks = net.layers.get(Number(node.dataset.mark))?.marks ?? [];
  if (!marks.length) return;
  node.append(svg("title", null, marks.map((mark) => `${mark.kind}: ${mark.text}`).join(" ")),
              svg("path", {class: "sign", d: "M-6,7L1,-6L8,7Z"}),
              svg("path", {class: "stroke", d: "M1,-2V2.5M1,4.5V5"}));
}

const zoomButtons = () => h("span", {class: "stepper", role: "group", "aria-label": "Zoom"},
  button("−", "smaller", drawn.view.smaller), button("+", "larger", drawn.view.larger),
  button("fit", "fit into the width", drawn.view.fit));

function showSelected({layer, value}) {
  let shown = null;
  for (const node of drawn.svg.querySelectorAll("[data-layer], [data-blob]")) {
    const name = node.dataset.blob, own = name === undefined ? Number(node.dataset.layer) === layer
      : value !== null && net.values.get(value).name === name;
    node.classList.toggle("selected", own);
    if (own && node.matches("g.layer")) shown = node;
  }
  if (shown) drawn.view.centre(shown, false);
}
