// Training: the selected blob at the steps that were kept, and curves.

function timeView() {
  const training = net.header.training;
  if (!training) return;
  find("time").hidden = false;
  const frames = h("div", {class: "card"}), curves = h("div", {class: "columns gap"}), state = {at: training.frames.length - 1, key: null};
  find("time").append(h("div", {class: "bar"}, h("h2", null, "Training")), frames, curves);
  const show = () => showFrame(frames, training, state);
  if (training.frames.length) onSelect(show);
  onSelect(({layer}) => showCurves(curves, training, layer));
  dark.addEventListener("change", () => {
    state.key = null;
    if (training.frames.length) show();
  });
}

// A slider over `count` frames that calls onmove(at) and says which step is shown.
function frameSlider(steps, at, onmove) {
  const words = h("output", null, `step ${steps[at]}`);
  const input = h("input", {type: "range", min: 0, max: steps.length - 1, value: at, "aria-label": "step of the training",
                            "aria-valuetext": `step ${steps[at]}`, oninput: () => {
    words.textContent = `step ${steps[input.value]}`;
    input.setAttribute("aria-valuetext", words.textContent);
    onmove(Number(input.value));
  }});
  return h("div", {class: "slider"}, h("span", null, "Step"), input, words);
}

// The arrays and histograms of the selected blob in a frame; null where the file has none.
function inFrame(frame, {layer, value, param}) {
  if (param !== null) return frame.params?.[`${layer}.${param}`] ?? null;
  const arrays = frame.values?.[value], histogram = frame.value_histograms?.[value];
  return arrays || histogram ? {...arrays, histogram} : null;
}

function showFrame(card, training, state) {
  const key = JSON.stringify([selection.layer, selection.value, selection.param, selection.n, selection.page]);
  if (key === state.key) return;
  state.key = key;
  const pictures = h("div", {class: "columns"}), title = h("h3", null, `${nameOf(selection)} while the net learns`);
  if (!training.frames.some((frame) => inFrame(frame, selection))) {
    return refill(card, title, h("p", {class: "quiet"}, "No frames of this blob were kept; choose another one above."));
  }
  const note = h("p", {class: "quiet"});
  const move = (at) => {
    state.at = at;
    const last = at === training.frames.length - 1;
    note.textContent = `${last ? "The last step: its exact numbers are in the pictures above." : "Numbers of earlier steps are kept "
      + "in 256 levels, so they are about right; exact numbers are there for the last step only."} Loss: ${format(training.frames[at].loss)}.`;
    refill(pictures, ["data", "diff"].map((which) => framePanel(training, at, which)));
  };
  refill(card, title, frameSlider(training.frames.map((frame) => frame.step), state.at, move), pictures, note);
  move(state.at);
}

function framePanel(training, at, which) {
  const found = inFrame(training.frames[at], selection), array = numbers(found?.[which]);
  const bins = histogramView(found?.histogram?.[which], which);
  if (!array && !bins) return null;
  const body = array ? framePicture(training, array, which) : [h("p", {class: "quiet"}, "No picture was kept.")];
  return h("div", null, h("h4", null, which), body, bins);
}

// All frames have one scale, so that they can be compared.
function framePicture(training, array, which) {
  const ranges = training.frames.map((frame) => numbers(inFrame(frame, selection)?.[which])?.range).filter(Boolean);
  const range = [Math.min(...ranges.map(([low]) => low)), Math.max(...ranges.map(([, high]) => high))];
  const value = selection.param === null ? net.values.get(selection.value) : null, scale = scaleOf(range, value?.role === "image");
  const page = selection.page, options = layoutOptions({...selection, n: Math.min(selection.n, (array.kept[0] ?? 1) - 1), page}, array);
  const picture = new Picture({array, scale, label: `${nameOf(selection)}, ${which}`, layout: layOut(array, options), names: value?.names,
                               colour: orderOf(selection, array), width: roomFor(2) - 20, height: 260});
  return [picture.element, legend(scale)];
}

function showCurves(columns, training, layer) {
  if (columns.dataset.layer === String(layer)) return;
  columns.dataset.layer = layer;
  const steps = (one) => ({name: one.name, strong: one.layer === layer, points: one.values.map((value, i) => [training.steps[i], value])});
  const outputs = Object.entries(training.outputs ?? {}).map(([name, points]) => ({name, points}));
  const charts = [
    training.loss?.length && chart([{name: "loss", points: training.loss}], {title: "Loss", from: 0}),
    outputs.length && chart(outputs, {title: "Outputs", from: 0}),
    training.gradient_norms?.length && chart(training.gradient_norms.map(steps), {title: "Length of the gradients (logarithmic)", log: true}),
    training.update_ratios?.length && chart(training.update_ratios.map(steps), {title: "Update : value (logarithmic; usual is about 0.001)", log: true}),
    training.rate?.length && chart([{name: "learning rate", points: training.rate}], {title: "Learning rate", from: 0})];
  refill(columns, charts.filter(Boolean));
}
