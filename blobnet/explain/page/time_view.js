// Training: curves over the iterations, and a slider over the steps that were kept.

function timeView() {
  const {training} = net.header;
  if (!training) return;
  const frames = card(), curves = h("div", {class: "columns gap"});
  find("time").hidden = false;
  refill(find("time"), bar(h("h2", null, "Training")), training.frames.length ? frames : null, curves);
  if (training.frames.length) framesView(frames, training);
  onSelect(({layer}) => showCurves(curves, training, layer));
}

// A slider over steps that calls onmove(number) and says which step is shown.
function frameSlider(steps, at, onmove) {
  const words = h("output", null, `step ${steps[at]}`), move = () => {
    words.textContent = `step ${steps[input.value]}`;
    input.setAttribute("aria-valuetext", words.textContent);
    onmove(Number(input.value));
  };
  const input = h("input", {type: "range", min: 0, max: steps.length - 1, value: at, oninput: move,
                            "aria-label": "step of the training", "aria-valuetext": `step ${steps[at]}`});
  return h("div", {class: "slider"}, h("span", null, "Step"), input, words);
}

function showCurves(columns, training, layer) {
  if (columns.dataset.layer === String(layer)) return;
  columns.dataset.layer = layer;
  const bySteps = (list) => (list ?? []).map((one) => ({
    name: one.name, strong: one.layer === layer, points: one.values.map((value, i) => [training.steps[i], value])}));
  const curve = (name, points) => points?.length ? [{name, points}] : [];
  const outputs = Object.entries(training.outputs ?? {}).flatMap(([name, points]) => curve(name, points));
  const shown = [
    [curve("loss", training.loss), {title: "Loss", from: 0}],
    [outputs, {title: "Outputs", from: 0}],
    [bySteps(training.gradient_norms), {title: "Length of the gradients (logarithmic)", log: true}],
    [bySteps(training.update_ratios), {title: "Update : value (logarithmic; usual is about 0.001)", log: true}],
    [curve("learning rate", training.rate), {title: "Learning rate", from: 0}]];
  refill(columns, shown.map(([series, options]) => series.length ? chart(series, options) : null));
}
