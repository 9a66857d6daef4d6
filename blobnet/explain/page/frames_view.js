// The selected blob at the steps of the training that were kept.

function framesView(place, training) {
  const state = {at: training.frames.length - 1, key: null}, show = () => {
    const key = pictureKey(selection);
    if (key !== state.key) showFrames(place, training, state);
    state.key = key;
  };
  onSelect(show);
  dark.addEventListener("change", () => {
    state.key = null;
    show();
  });
}

// The arrays and histograms of the selected blob in a frame; null where the file has none.
function inFrame(frame, {layer, value, param}) {
  if (param !== null) return frame.params?.[`${layer}.${param}`] ?? null;
  const arrays = frame.values?.[value], histogram = frame.value_histograms?.[value];
  return arrays || histogram ? {...arrays, histogram} : null;
}

const ROUGH = "Numbers of earlier steps are kept in 256 levels, so they are about right; exact ones are there for the "
  + "last step only.";

function showFrames(place, training, state) {
  const {frames} = training, title = h("h3", null, `${nameOf(selection)} while the net learns`);
  if (!frames.some((frame) => inFrame(frame, selection))) {
    return refill(place, title, quiet("No frames of this blob were kept; choose another one above."));
  }
  const pictures = h("div", {class: "columns"}), note = quiet(), move = (at) => {
    const words = at === frames.length - 1 ? "The last step: its exact numbers are in the pictures above." : ROUGH;
    state.at = at;
    note.textContent = `${words} Loss: ${format(frames[at].loss)}.`;
    refill(pictures, ["data", "diff"].map((which) => framePanel(frames, at, which)));
  };
  refill(place, title, frameSlider(frames.map((frame) => frame.step), state.at, move), pictures, note);
  move(state.at);
}

function framePanel(frames, at, which) {
  const found = inFrame(frames[at], selection), array = numbers(found?.[which]);
  const bins = histogramView(found?.histogram?.[which], which);
  if (!array && !bins) return null;
  const picture = array ? framePicture(frames, array, which) : quiet("No picture was kept.");
  return h("div", null, h("h4", null, which), picture, bins);
}

// All frames have one scale, so that they can be compared.
function framePicture(frames, array, which) {
  const ranges = frames.map((frame) => numbers(inFrame(frame, selection)?.[which])?.range).filter(Boolean);
  const range = [Math.min(...ranges.map(([low]) => low)), Math.max(...ranges.map(([, high]) => high))];
  const value = selection.param === null ? net.values.get(selection.value) : null;
  const n = Math.min(selection.n, (array.kept[0] ?? 1) - 1), scale = scaleOf(range, value?.role === "image");
  const picture = new Picture({
    array, scale, label: `${nameOf(selection)}, ${which}`, names: value?.names, colour: orderOf(selection, array),
    layout: layOut(array, layoutOptions({...selection, n}, array)), width: roomFor(2) - 20, height: 260});
  return [picture.element, legend(scale)];
}
