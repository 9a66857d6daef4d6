// The selected blob: its data and diff (and the update of a parameter) side by side.

const shownPictures = {key: null, pictures: []};
const channelOrder = {};  // of blobs with three channels: "RGB", "BGR" or "" (apart)

function blobView() {
  onSelect(showBlob);
  const again = () => {
    shownPictures.key = null;
    showBlob(selection);
  };
  dark.addEventListener("change", again);
  let width = innerWidth;
  addEventListener("resize", () => {
    if (Math.abs(innerWidth - width) > 40) again();
    width = innerWidth;
  });
}

function showBlob(chosen) {
  const key = JSON.stringify([chosen.layer, chosen.value, chosen.param, chosen.n, chosen.page, channelOrder]);
  if (key !== shownPictures.key) buildBlob(chosen);
  shownPictures.key = key;
  for (const [which, picture] of shownPictures.pictures) {
    picture.mark({chosen: which === chosen.which ? chosen.index : null});
  }
}

const WHICH = ["data", "diff", "update", "part"];
const WORDS = {data: "data, from forward", diff: "diff, from backward", update: "update, what a step takes off",
               part: "the part that this layer hands down"};

function buildBlob(chosen) {
  shownPictures.pictures = [];
  const layer = net.layers.get(chosen.layer), section = find("blob");
  if (chosen.value === null && chosen.param === null) return refill(section);
  const there = WHICH.map((which) => [which, subjectArray(chosen, which)]).filter(([which, array]) => array || which === "diff");
  refill(section,
    h("div", {class: "bar"}, h("h2", null, nameOf(chosen), h("small", null, shapeText(subjectShape(chosen)))),
      h("div", {class: "tools"}, controls(chosen, there[0][1]))),
    subjects(layer, chosen),
    h("div", {class: `columns${there.length > 2 ? " three" : ""}`}, there.map(([which, array]) => panel(chosen, which, array))));
}

function nameOf({layer, value, param}) {
  if (param !== null) return `${net.layers.get(layer).name}, ${net.layers.get(layer).params[param].name}`;
  const {name, layer: maker} = net.values.get(value), alone = net.header.values.filter((other) => other.name === name).length === 1;
  return alone || !net.layers.has(maker) ? name : `${name}, as ${net.layers.get(maker).name} leaves it`;
}

// The blobs of the layer, to choose from.
function subjects(layer, chosen) {
  const link = (text, kind, wanted, current) => h("a", {href: hashOf({layer: layer.index, ...wanted}), "aria-current": current ? "true" : null},
                                                  h("small", null, kind), text);
  return h("nav", {class: "subjects", "aria-label": `Blobs of ${layer.name}`},
    layer.bottoms.map(({value}) => link(net.values.get(value).name, "bottom", {value}, chosen.value === value)),
    layer.params.map((param, number) => link(param.name, "param", {param: number}, chosen.param === number)),
    layer.tops.map((value) => link(net.values.get(value).name, "top", {value}, chosen.value === value)));
}

function controls(chosen, array) {
  if (!array) return null;
  const parameter = chosen.param !== null, rank = array.kept.length, layout = layOut(array, layoutOptions(chosen, array));
  const keep = {layer: chosen.layer, value: chosen.value, param: chosen.param, n: chosen.n};
  const images = !parameter && rank > 1 || parameter && picksFirst(array) && !orderOf(chosen, array);
  return [
    images && array.kept[0] > 1 ? stepper(parameter ? "filter" : "image", array.kept[0], chosen.n, (n) => select({...keep, n, page: chosen.page})) : null,
    layout.pages.length ? choice(parameter && (orderOf(chosen, array) || !picksFirst(array)) ? "filters" : "channel", layout.pages, chosen.page, (page) => select({...keep, page})) : null,
    coloured(chosen, array) ? choice("three channels", [["", "apart"], ["RGB", "as RGB"], ["BGR", "as BGR"]], orderOf(chosen, array), (order) => {
      channelOrder[subjectKey(chosen)] = order;
      select({...keep});
    }) : null];
}

const subjectKey = ({layer, value, param}) => param === null ? `v${value}` : `p${layer}.${param}`;

// Images, and the filters that lie on them, can be seen in colour.
function coloured({layer, value, param}, array) {
  if (array.full.length !== 4 || array.kept[1] !== 3 || array.full[1] !== 3) return false;
  if (param === null) return net.values.get(value).role === "image";
  return net.layers.get(layer).bottoms.some((bottom) => net.values.get(bottom.value).role === "image");
}

const orderOf = (chosen, array) => coloured(chosen, array) ? channelOrder[subjectKey(chosen)] ?? "BGR" : "";

const layoutOptions = (chosen, array) => ({n: chosen.n, page: chosen.page, parameter: chosen.param !== null,
                                           colour: Boolean(orderOf(chosen, array))});

function panel(chosen, which, array) {
  const value = chosen.param === null ? net.values.get(chosen.value) : null, title = h("h3", null, WORDS[which]);
  if (!array) return h("div", {class: "card"}, title, h("p", {class: "quiet"}, "No gradient comes here."));
  const image = value?.role === "image" && which === "data", order = orderOf(chosen, array), scale = scaleOf(array.range, image);
  const names = value?.names, picture = new Picture({
    array, label: `${nameOf(chosen)}, ${which}`, layout: layOut(array, layoutOptions(chosen, array)), scale, colour: order,
    names, offers: offersOf(chosen, which), width: roomFor(WHICH.filter((other) => subjectArray(chosen, other)).length > 2 ? 3 : 2), height: 430,
    onpick: (index) => select({layer: chosen.layer, value: chosen.value, param: chosen.param, page: chosen.page, which, index})});
  shownPictures.pictures.push([which, picture]);
  const alone = sizeOf(array.full) === 1, source = value ?? net.layers.get(chosen.layer).params[chosen.param];
  return h("div", {class: "card"}, title, picture.element, order || alone ? null : legend(scale), partWords(array), offerWords(chosen, which, picture.offers),
           alone ? null : histogramView(source.histogram?.[which], `all numbers of ${which}`));
}

// The width in pixels of a picture, `count` of which stand side by side where there is room.
function roomFor(count) {
  const width = find("blob").clientWidth, columns = innerWidth > 900 ? count : 1;
  return Math.max(200, Math.min((width - 16 * (columns - 1)) / columns - 44, 640));
}

function partWords(array) {
  return array.whole ? null : h("p", {class: "quiet"}, `Here are the first ${shapeText(array.kept)} of ${shapeText(array.full)}; `
    + "the others are left out of this file.");
}
