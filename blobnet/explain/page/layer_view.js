// The selected layer: its page, what it is here, its checks and marks.

function layerView() {
  let shown = null;
  onSelect(({layer}) => {
    if (layer === shown) return;
    shown = layer;
    showLayer(net.layers.get(layer));
  });
}

function showLayer(layer) {
  const list = net.header.layers, at = list.indexOf(layer), step = (by) => () => select({layer: list[at + by].index});
  const swatch = svg("svg", {class: "swatch net-drawing", viewBox: "0 0 14 14", "aria-hidden": "true"}, svg("rect", {
    class: `family-${layer.family}`, x: 0.5, y: 0.5, width: 13, height: 13, rx: 3}));  // as in the drawing
  const note = (mark) => h("p", {class: "note"}, span("mark", mark.kind), " ", mark.text);
  refill(find("layer"),
    bar(h("h2", null, swatch, layer.name, small(`${layer.type} · ${layer.family}`)), span("stepper",
      button("‹", "the layer before", step(-1), {disabled: at === 0}),
      button("›", "the layer after", step(1), {disabled: at === list.length - 1}))),
    layer.marks.map(note),
    h("div", {class: "card page"}, pageOf(layer)),
    h("div", {class: "card here"}, flow(layer), h("div", {class: "columns"},
      h("div", null, lettersOf(layer), optionsView(layer)),
      h("div", null, paramsTable(layer), checksView(layer)))));
}

function pageOf(layer) {
  const page = h("div");
  page.innerHTML = layer.page;
  return page;
}

function blobLink(layer, id, more = "") {
  const value = net.values.get(id), words = small(shapeText(value.shape) + more);
  return h("a", {class: "blob", href: hashOf({layer: layer.index, value: id})}, h("b", null, value.name), words);
}

function flow(layer) {
  const bottoms = layer.bottoms.map((bottom) => blobLink(layer, bottom.value));
  const to = h("span", {role: "img", "aria-label": "to"}, "→");
  const tops = layer.tops.map((id, i) => blobLink(layer, id, lossWords(layer, i)));
  return h("div", {class: "flow"}, bottoms, bottoms.length ? to.cloneNode(true) : null, span("this", layer.type), to,
           tops.length ? tops : "nothing");
}

function lossWords(layer, top) {
  const weight = real(layer.loss_weights[top] ?? 0);
  return weight ? `, loss weight ${format(weight)}` : "";
}

function lettersOf({letters}) {
  const letter = ([name, size]) => h("span", null, h("i", null, name), " = ", size);
  return letters.length ? [h("h3", null, "Its letters here"), h("p", {class: "letters"}, letters.map(letter))] : null;
}

function paramsTable(layer) {
  if (!layer.params.length) return null;
  const rows = layer.params.map((param, number) => [
    linkText(hashOf({layer: layer.index, param: number}), param.name), shapeText(param.shape), format(param.lr_mult),
    ratioView(param)]);
  return [h("h3", null, layer.learns ? "Parameters" : "Parameters (they do not learn)"),
          table(["name", "shape", "lr_mult", "update : value"], rows)];
}

// How much a step changes the parameter: about a thousandth is usual.
function ratioView(param) {
  if (!isShown(param.ratio)) return span("quiet", "no step here");
  const ratio = real(param.ratio), usual = "usual is about 0.001";
  if (ratio > 1e-4 && ratio < 1e-2) return [format(ratio, 2), h("small", {class: "quiet"}, ` ${usual}`)];
  return [format(ratio, 2), h("small", {class: "warn"}, ` ${ratio >= 1e-2 ? "large" : "small"}: ${usual}`)];
}

function checksView(layer) {
  const forward = layer.forward_check, error = forward?.error ?? null;
  return [
    h("h3", null, "Checked"),
    forward ? h("p", null, "Forward against the formula: ", verdict(forward.passed),
                error === null ? " " : `, error ${format(error, 2)}. `, forward.note) : null,
    layer.check.length ? checkTable(layer.check) : quiet(layer.unchecked || "No gradient to check.")];
}

function checkTable(checks) {
  const name = (blob, note) => note ? [blob, h("div", {class: "remark"}, note)] : blob;
  const rows = checks.map(({blob, checked, skipped, error, passed, note}) => [
    name(blob, note), skipped ? `${checked} (${skipped} skipped)` : checked, format(error, 2), verdict(passed)]);
  return h("div", {class: "scroll"}, table(["gradient of", "numbers", "error", ""], rows));
}

const verdict = (passed) => span(passed ? "passed" : "failed", passed ? "✓ passed" : "✗ failed");
