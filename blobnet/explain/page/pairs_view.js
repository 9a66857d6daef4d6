// Pairs of a hashing net: distances of codes, what pulls and pushes, and the codes themselves.

function pairsView() {
  const pairs = net.header.pairs;
  if (!pairs) return;
  const section = find("pairs"), steps = pairs.frames.map((frame) => frame.step), body = h("div", {class: "columns"});
  section.hidden = false;
  let at = steps.length - 1;
  const show = () => refill(body, pairPanels(pairs, pairs.frames[at]));
  section.append(h("div", {class: "bar"}, h("h2", null, "Pairs", h("small", null, `codes that ${pairs.name} trains`))),
    steps.length > 1 ? frameSlider(steps, at, (to) => {
      at = to;
      show();
    }) : "", body, h("div", {class: "card gap"}, h("h3", null, "Who pulls and pushes most, at the last step"), forcesView(pairs)));
  onSelect(() => body.childElementCount || show());
  dark.addEventListener("change", show);
}

function pairPanels(pairs, frame) {
  const distances = numbers(frame.distances), codes = numbers(frame.codes), similar = numbers(pairs.similar);
  const size = {width: roomFor(2), height: 420}, tile = (array) => cells([plane([], array.kept)], "0");
  const matrix = new Picture({...size, array: distances, scale: scaleOf(distances.range), label: "Distances of all pairs", layout: tile(distances),
                              over: (picture, box) => markSimilar(picture, box, similar)});
  const rows = new Picture({...size, array: codes, scale: scaleOf(codes.range), label: "Codes, a row for each image", layout: tile(codes)});
  const margin = pairs.margin === null || pairs.margin === undefined ? "" : ` Dissimilar pairs push up to the distance ${format(pairs.margin)}.`;
  return [
    h("div", {class: "card"}, h("h3", null, "Distance of each pair of images"), matrix.element, legend(matrix.scale),
      h("p", {class: "quiet"}, `A dot marks similar pairs: the training brings them together.${margin}`)),
    h("div", {class: "card"}, h("h3", null, "Codes: an image a row, a bit a column"), rows.element, legend(rows.scale),
      histogramView(frame.histogram, "all code numbers"), folded("Labels and codes", () => codeTable(pairs, codes)))];
}

function markSimilar({pen}, {tile, x, y, w, h: height}, similar) {
  if (w < 3 || !similar) return;
  for (let r = 0; r < tile.rows; r++) {
    for (let c = 0; c < tile.cols; c++) {
      if (!similar.has([r, c]) || similar.of([r, c]) < 0.5) continue;
      pen.beginPath();
      pen.arc(x + (c + (w < 34 ? 0.5 : 0.84)) * w, y + (r + (w < 34 ? 0.5 : 0.16)) * height, Math.max(1, Math.min(3, w / 6)), 0, 7);
      pen.fillStyle = "#e8742c";
      pen.fill();
    }
  }
}

function codeTable(pairs, codes) {
  const bit = (value) => value >= 0 ? "1" : "0", rows = Array.from({length: codes.kept[0]}, (_, i) => {
    const row = Array.from({length: codes.kept[1]}, (_, k) => codes.of([i, k]));
    return [i, pairs.labels[i], h("code", null, row.map(bit).join(""))];
  });
  return h("div", {class: "scroll"}, table(["image", "label", "signs of the code"], rows));
}

// The strongest forces: > 0 pulls together, < 0 pushes apart.
function forcesView(pairs) {
  const force = numbers(pairs.force), distances = numbers(pairs.frames[pairs.frames.length - 1]?.distances), found = [];
  if (!force) return h("p", {class: "quiet"}, "No forces were kept.");
  for (let i = 0; i < force.kept[0]; i++) for (let j = i + 1; j < force.kept[1]; j++) found.push([force.of([i, j]), i, j]);
  found.sort(([a], [b]) => b - a);
  const rows = (list) => list.map(([value, i, j]) => [`${i} – ${j}`, `${pairs.labels[i]}, ${pairs.labels[j]}`,
                                                      distances?.has([i, j]) ? format(distances.of([i, j]), 3) : "", format(value, 3)]);
  const side = (title, list) => h("div", null, h("h4", null, title), list.length ? table(["images", "labels", "distance", "force"], rows(list))
    : h("p", {class: "quiet"}, "None."));
  return h("div", {class: "columns"}, side("pull together", found.slice(0, 8).filter(([value]) => value > 0)),
           side("push apart", found.slice(-8).reverse().filter(([value]) => value < 0)));
}
