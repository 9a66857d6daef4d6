// Ways to a layer beside the drawing: a search box, and a list.

function matching(text) {
  const wanted = text.trim().toLowerCase();
  return net.header.layers.filter(({name, type}) => wanted && `${name}\n${type}`.toLowerCase().includes(wanted));
}

function searchBox() {
  const input = h("input", {type: "search", placeholder: "find a layer or type", list: "layer-names",
                            "aria-label": "Find a layer by name or type"});
  const names = [...new Set(net.header.layers.flatMap(({name, type}) => [name, type]))];
  input.addEventListener("input", () => {
    const found = new Set(matching(input.value).map((layer) => layer.index));
    for (const node of document.querySelectorAll("g.layer[data-layer]")) {
      node.classList.toggle("found", found.has(Number(node.dataset.layer)));
    }
  });
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    const found = matching(input.value), at = found.findIndex((layer) => layer.index === selection.layer);
    if (found.length) select({layer: found[(at + 1) % found.length].index});
  });
  return h("span", null, input, h("datalist", {id: "layer-names"}, names.map((value) => h("option", {value}))));
}

// A list of all layers; those of a block that is repeated stand together.
function layerChoice() {
  const label = choice("layer", [], null, (index) => select({layer: Number(index)})), blocks = new Map();
  const list = label.querySelector("select");
  for (const {index, name, type, marks} of net.header.layers) {
    const option = h("option", {value: index}, `${name} · ${type}${marks.length ? " ⚠" : ""}`);
    const block = document.querySelector(`g.layer[data-layer="${index}"]`)?.dataset.block;
    if (block && !blocks.has(block)) blocks.set(block, h("optgroup", {label: `block ${block}`}));
    blocks.get(block)?.append(option);
    list.append(blocks.get(block) ?? option);
  }
  onSelect(({layer}) => list.value = layer);
  return label;
}
