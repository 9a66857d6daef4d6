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
  refill(find("layer"),
    h("div", {class: "bar"},
      h("h2", null, h("span", {class: `swatch family-${layer.family}`, "aria-hidden": "true"}), layer.name,
        h("small", null, `${layer.type} · ${layer.family}`)),
      h("div", {class: "tools"}, h("span", {class: "stepper"},
        button("‹", "the layer before", step(-1), {disabled: at === 0}),
        button("›", "the layer after", step(1), {disabled: at === list.length - 1})))),
    layer.marks.map((mark) => h("p", {class: "note"}, h("span", {class: "mark"}, mark.kind), " ", mark.text)),
    h("div", {class: "columns"},
      h("article", {class: "card page"}, pageOf(layer)),
      h("div", {class: "card"}, flow(layer), lettersOf(layer), optionsView(layer), paramsTable(layer), checksView(layer))));
}

function pageOf(layer) {
  const page = h("div");
  page.innerHTML = layer.page;
  return page;
}

const blobLink = (layer, id, more = "") => {
  const value = net.values.get(id);
  return h("a", {class: "blob", href: hashOf({layer: layer.index, value: id})}, h("b", null, value.name),
           h("small", null, `${shapeText(value.shape)}${more}`));
};

function flow(layer) {
  const bottoms = layer.bottoms.map((bottom) => blobLink(layer, bottom.value));
  const tops = layer.tops.map((id, i) => blobLink(layer, id, lossWords(layer, i)));
  return h("div", {class: "flow"}, bottoms.length ? [bottoms, h("span", {"aria-label": "to"}, "→")] : null,
           h("span", {class: "this"}, layer.type), h("span", {"aria-label": "to"}, "→"), tops.length ? tops : "nothing");
}

function lossWords(layer, top) {
  const weight = real(layer.loss_weights[top] ?? 0);
  return weight ? `, loss weight ${format(weight)}` : "";
}

const lettersOf = (layer) => layer.letters.length ? [h("h3", null, "The letters, here"),
  h("p", {class: "letters"}, layer.letters.map(([letter, size]) => h("span", null, h("i", null, letter), " = ", size)))] : null;

function paramsTable(layer) {
  if (!layer.params.length) return null;
  const rows = layer.params.map((param, number) => [
    h("a", {href: hashOf({layer: layer.index, param: number})}, param.name), shapeText(param.shape), format(param.lr_mult),
    ratioView(param)]);
  return [h("h3", null, layer.learns ? "Parameters" : "Parameters (they do not learn)"),
          table(["name", "shape", "lr_mult", "update : value"], rows)];
}

// How much a step changes the parameter: about a thousandth is usual.
function ratioView(param) {
  if (param.ratio === null || param.ratio === undefined) return h("span", {class: "quiet"}, "no step here");
  const ratio = real(param.ratio), usual = ratio > 1e-4 && ratio < 1e-2;
  return [format(ratio, 2), h("small", {class: usual ? "quiet" : "warn"}, usual ? " usual is about 0.001"
    : ` ${ratio >= 1e-2 ? "large" : "small"}: usual is about 0.001`)];
}

function checksView(layer) {
  const forward = layer.forward_check, rows = layer.check.map((check) => [
    check.blob, `${check.checked}${check.skipped ? ` (${check.skipped} skipped)` : ""}`, format(check.error, 2),
    verdict(check.passed), check.note]);
  return [
    h("h3", null, "Checked"),
    forward ? h("p", null, "Forward against the formula: ", verdict(forward.passed),
                forward.error === null ? "" : ` error ${format(forward.error, 2)}. `, forward.note) : null,
    rows.length ? h("div", {class: "scroll"}, table(["gradient of", "numbers", "error", "", ""], rows))
      : h("p", {class: "quiet"}, "No gradient to check.")];
}

const verdict = (passed) => h("span", {class: passed ? "passed" : "failed"}, passed ? "✓ passed" : "✗ failed");
