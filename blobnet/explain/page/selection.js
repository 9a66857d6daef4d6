// What is selected, and its name in the address of the page: #layer=3&value=5&n=0&cell=diff:0,3,5,5

const selection = {layer: null, value: null, param: null, n: 0, page: "0", which: null, index: null};
const listeners = [];

const onSelect = (listener) => listeners.push(listener);

function hashOf({layer, value, param, n, which, index}) {
  const parts = [`layer=${layer}`];
  if (value !== null && value !== undefined) parts.push(`value=${value}`);
  if (param !== null && param !== undefined) parts.push(`param=${param}`);
  if (n) parts.push(`n=${n}`);
  if (which) parts.push(`cell=${which}:${index.join(",")}`);
  return `#${parts.join("&")}`;
}

// What an address says; what it does not say, or what is not there, is left out.
function readHash(text) {
  const fields = new Map(text.replace(/^#/, "").split("&").map((part) => part.split("="))), found = {};
  const whole = (name) => /^\d+$/.test(fields.get(name) ?? "") ? Number(fields.get(name)) : null;
  if (!net.layers.has(whole("layer"))) return null;
  found.layer = whole("layer");
  if (net.values.has(whole("value"))) found.value = whole("value");
  if (net.layers.get(found.layer).params[whole("param")]) found.param = whole("param");
  found.n = whole("n") ?? 0;
  const cell = /^(data|diff|update|part):([\d,]*)$/.exec(decodeURIComponent(fields.get("cell") ?? ""));
  if (cell) Object.assign(found, {which: cell[1], index: cell[2] ? cell[2].split(",").map(Number) : []});
  return found;
}

// Select a layer, one of its blobs ({value} or {param}), and a number of it ({which, index}).
function select(wanted, {replace = false} = {}) {
  const next = {value: null, param: null, n: 0, page: "0", which: null, index: null, ...wanted};
  if (next.value === null && next.param === null) next.value = usualValue(net.layers.get(next.layer));
  const shape = subjectShape(next);
  if (next.index && !(shape && next.index.length === shape.length && next.index.every((i, axis) => i < shape[axis]))) {
    Object.assign(next, {which: null, index: null});
  }
  if (next.index && next.param === null && shape.length > 1) next.n = next.index[0];
  if (next.index && next.param !== null && shape.length > 3) next.n = next.index[0];
  if (shape && next.n >= (shape[0] ?? 1)) next.n = 0;
  Object.assign(selection, next);
  const hash = hashOf(selection);
  if (location.hash !== hash) history[replace ? "replaceState" : "pushState"](null, "", hash);
  for (const listener of listeners) listener(selection);
}

const usualValue = (layer) => layer.tops[0] ?? layer.bottoms[0]?.value ?? null;

function subjectShape({layer, value, param}) {
  if (param !== null) return net.layers.get(layer).params[param].shape;
  return value === null ? null : net.values.get(value).shape;
}

// The array of the selected blob: its data, diff, update; or the part of its diff that the selected layer hands down.
function subjectArray({layer, value, param}, which) {
  if (param !== null) return numbers(net.layers.get(layer).params[param][which]);
  if (value === null) return null;
  if (which === "part") return numbers(partOf(layer, value)?.part);
  return numbers(net.values.get(value)[which]);
}

const partOf = (layer, value) => net.layers.get(layer).bottoms.find((bottom) => bottom.value === value && bottom.part);

// The layer and place that `terms` takes for the selected number.
function placeOf({layer, value, param, which, index}) {
  if (param !== null) return [layer, ["param", param, which, index]];
  if (which === "part") {
    return [layer, ["bottom", net.layers.get(layer).bottoms.indexOf(partOf(layer, value)), "diff", index]];
  }
  const {layer: maker, top, readers} = net.values.get(value);
  if (net.layers.has(maker)) return [maker, ["top", top, which, index]];
  return [readers[0][0], ["bottom", readers[0][1], which, index]];
}

// What to select for a factor that stands at `place` of a layer: the layer is the one that works the number out.
function selectionOf(layerIndex, [kind, number, which, index]) {
  const layer = net.layers.get(layerIndex);
  if (kind === "param") return {layer: layerIndex, param: number, which, index};
  const value = kind === "top" ? layer.tops[number] : layer.bottoms[number].value;
  const {layer: maker, readers} = net.values.get(value);
  if (which === "data") return {layer: maker, value, which, index};
  if (kind === "bottom") return {layer: layerIndex, value, which: layer.bottoms[number].part ? "part" : "diff", index};
  return {layer: readers.length === 1 && net.layers.has(readers[0][0]) ? readers[0][0] : maker, value, which, index};
}

const linkTo = (layerIndex, place) => hashOf(selectionOf(layerIndex, place));
