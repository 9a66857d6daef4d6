// The selected blob: its data and diff (and the update of a parameter) side by side.

const shownPictures = {key: null, pictures: []};

function blobView() {
  onSelect(showBlob);
  const again = () => {
    shownPictures.key = null;
    showBlob(selection);
  };
  let width = innerWidth;
  dark.addEventListener("change", again);
  addEventListener("resize", () => {
    if (Math.abs(innerWidth - width) > 40) again();
    width = innerWidth;
  });
}

function showBlob(chosen) {
  const {which, index} = chosen, key = pictureKey(chosen);
  if (key !== shownPictures.key) buildBlob(chosen);
  shownPictures.key = key;
  for (const [own, picture] of shownPictures.pictures) picture.choose(own === which ? index : null);
}

const WORDS = {data: "data, from forward", diff: "diff, from backward", update: "update, what a step takes off",
               part: "the part that this layer hands down"};

function buildBlob(chosen) {
  const section = find("blob"), layer = net.layers.get(chosen.layer);
  shownPictures.pictures = [];
  if (chosen.value === null && chosen.param === null) return refill(section);
  const arrays = Object.keys(WORDS).map((which) => [which, subjectArray(chosen, which)])
    .filter(([which, array]) => array || which === "diff");
  const room = roomFor(arrays.length > 2 ? 3 : 2);
  refill(section,
    bar(h("h2", null, nameOf(chosen), small(shapeText(subjectShape(chosen)))), controls(chosen, arrays[0][1])),
    subjects(layer, chosen),
    h("div", {class: arrays.length > 2 ? "columns three" : "columns"},
      arrays.map(([which, array]) => panel(chosen, which, array, room))));
}

// The name of a blob; with the layer that leaves it so, where layers in place change it.
function nameOf({layer: index, value: id, param}) {
  const layer = net.layers.get(index);
  if (param !== null) return `${layer.name}, ${layer.params[param].name}`;
  const {name, layer: maker} = net.values.get(id), same = net.header.values.filter((value) => value.name === name);
  return same.length === 1 || !net.layers.has(maker) ? name : `${name}, as ${net.layers.get(maker).name} leaves it`;
}

// The blobs of the layer, to choose from.
function subjects(layer, {value, param}) {
  const link = (text, kind, wanted, current) =>
    h("a", {href: hashOf({layer: layer.index, ...wanted}), "aria-current": current ? "true" : null}, small(kind), text);
  const blob = (kind, id) => link(net.values.get(id).name, kind, {value: id}, value === id);
  return h("nav", {class: "subjects", "aria-label": `Blobs of ${layer.name}`},
    layer.bottoms.map((bottom) => blob("bottom", bottom.value)),
    layer.params.map(({name}, number) => link(name, "param", {param: number}, param === number)),
    layer.tops.map((id) => blob("top", id)));
}

function panel(chosen, which, array, width) {
  const title = h("h3", null, WORDS[which]);
  if (!array) return h("div", {class: "card"}, title, quiet("No gradient comes here."));
  const {layer, value: id, param, page} = chosen, value = param === null ? net.values.get(id) : null;
  const colour = orderOf(chosen, array), scale = scaleOf(array.range, value?.role === "image" && which === "data");
  const offers = offersOf(chosen, which), histogram = (value ?? net.layers.get(layer).params[param]).histogram?.[which];
  const picture = new Picture({
    array, scale, colour, offers, width, height: 430, names: value?.names, label: `${nameOf(chosen)}, ${which}`,
    layout: layOut(array, layoutOptions(chosen, array)),
    onpick: (index) => select({layer, value: id, param, page, which, index})});
  shownPictures.pictures.push([which, picture]);
  const alone = sizeOf(array.full) === 1;
  return h("div", {class: "card"}, title, picture.element, colour || alone ? null : legend(scale), partWords(array),
           offerWords(chosen, which, offers), alone ? null : histogramView(histogram, `all numbers of ${which}`));
}

// The width in pixels of a picture, `count` of which stand side by side where there is room.
function roomFor(count) {
  const width = find("blob").clientWidth, columns = innerWidth > 900 ? count : 1;
  return Math.max(200, Math.min((width - 16 * (columns - 1)) / columns - 44, 640));
}

const partWords = (array) => array.whole ? null : quiet(`Here are the first ${shapeText(array.kept)} of `
  + `${shapeText(array.full)}; the others are left out of this file.`);
