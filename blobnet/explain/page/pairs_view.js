// Pairs of a hashing net: distances of codes, and the codes themselves.

function pairsView() {
  const {pairs} = net.header;
  if (!pairs) return;
  const steps = pairs.frames.map((frame) => frame.step), body = h("div", {class: "columns"});
  let at = steps.length - 1;
  const show = () => refill(body, pairPanels(pairs, pairs.frames[at]));
  const slider = frameSlider(steps, at, (to) => {
    at = to;
    show();
  });
  find("pairs").hidden = false;
  refill(find("pairs"), bar(h("h2", null, "Pairs", small(`codes that ${pairs.name} trains`))),
         steps.length > 1 ? slider : null, body, forcesView(pairs));
  onSelect(() => body.childElementCount || show());
  dark.addEventListener("change", show);
}

function pairPanels(pairs, frame) {
  const distances = numbers(frame.distances), codes = numbers(frame.codes), similar = numbers(pairs.similar);
  const square = (array, label, more) => new Picture({
    array, label, scale: scaleOf(array.range), layout: cells([plane([], array.kept)], "0"), width: roomFor(2),
    height: 420, ...more});
  const over = (picture, box) => markSimilar(picture, box, similar);
  const matrix = square(distances, "Distances of all pairs", {over});
  const rows = square(codes, "Codes, a row for each image");
  const margin = isShown(pairs.margin) ? ` Dissimilar pairs push up to the distance ${format(pairs.margin)}.` : "";
  return [
    card(h("h3", null, "Distance of each pair of images"), matrix.element, legend(matrix.scale),
         quiet(`A dot marks similar pairs: the training brings them together.${margin}`)),
    card(h("h3", null, "Codes: an image a row, a bit a column"), rows.element, legend(rows.scale),
         histogramView(frame.histogram, "all code numbers"),
         folded("Labels and codes", () => codeTable(pairs, codes)))];
}

// A dot in the corner of cells with a number in it, else in the middle.
function markSimilar({pen}, {tile, x, y, w, h: height}, similar) {
  if (w < 3 || !similar) return;
  const [right, down] = w < 34 ? [0.5, 0.5] : [0.84, 0.16], radius = Math.max(1, Math.min(3, w / 6));
  pen.fillStyle = "#e8742c";
  eachIndex([tile.rows, tile.cols], ([r, c]) => {
    if (!similar.has([r, c]) || similar.of([r, c]) < 0.5) return;
    pen.beginPath();
    pen.arc(x + (c + right) * w, y + (r + down) * height, radius, 0, 2 * Math.PI);
    pen.fill();
  });
}

function codeTable(pairs, codes) {
  const [count, bits] = codes.kept, bit = (value) => value >= 0 ? "1" : "0";
  const rows = Array.from({length: count}, (_, i) => [
    i, pairs.labels[i], h("code", null, Array.from({length: bits}, (_, k) => bit(codes.of([i, k]))).join(""))]);
  return h("div", {class: "scroll"}, table(["image", "label", "signs of the code"], rows));
}
