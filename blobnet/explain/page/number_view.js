// The selected number: how it was made, term by term, and what it was made of.

function numberView() {
  onSelect(showNumber);
  dark.addEventListener("change", () => showNumber(selection));
}

function showNumber(chosen) {
  const section = find("number");
  if (!chosen.index) return refill(section, h("div", {class: "bar"}, h("h2", null, "A number")), hintOf(chosen));
  const [layer, place] = placeOf(chosen), result = terms(layer, place), there = stored(layer, place);
  const heading = `${chosen.which === "part" ? "a part of diff" : chosen.which} ${indexText(chosen.index)} = ${exactly(there)}`;
  refill(section,
    h("div", {class: "bar"}, h("h2", null, heading, h("small", null, nameOf(chosen)))),
    result.source ? worked(result, there) : h("p", {class: "card"}, result.words),
    partsView(result), goesTo(chosen));
  find("live").textContent = `${nameOf(chosen)}, ${heading}. ${result.words}`;
}

function hintOf({layer}) {
  const cells = net.layers.get(layer).cells.slice(0, 8);
  return h("div", {class: "card quiet"}, h("p", null, "Choose a number in a picture above: with the pointer, or with the arrow keys and Enter."),
           cells.length ? h("p", null, "Worked out ahead: ", cells.map((cell) => [placeLink(layer, cell.place), " "])) : null);
}

// The maker of the terms, as the heading of the sum says it.
function byWhom(result) {
  const layer = net.layers.get(result.layer), backward = result.place[2] === "diff";
  return h("p", {class: "by"}, backward ? "Backward of " : "Forward of ", h("a", {href: hashOf({layer: layer.index})}, layer.name),
           ` (${layer.type})`, result.source === "file" ? ": these terms were worked out when the file was made" : "");
}

function worked(result, there) {
  return h("div", {class: "columns number"},
    h("div", {class: "card"}, byWhom(result), h("p", null, result.words), equation(result), sumLine(result, there),
      workingsView(result), proofView(result)),
    h("div", {class: "card lit"}, litPictures(result)));
}

// The sum beside what the blob holds.
function sumLine(result, there) {
  const gap = there === undefined ? undefined : result.value - there;
  return facts([["sum of the terms", exactly(result.value)], ["in the blob", there === undefined ? "left out" : exactly(there)],
                gap === undefined ? null : ["difference", h("span", {class: small(gap, result, there) ? "passed" : "failed"}, format(gap, 2))]]);
}

function small(gap, {layer, place}, there) {
  const [low, high] = arrayOf(net.layers.get(layer), place[0], place[1], place[2])?.range ?? [there, there];
  return Math.abs(gap) <= 1e-5 * Math.max(Math.abs(low), Math.abs(high)) || gap === 0;
}

// Pictures of the arrays that the number was made of, with the numbers lit that it looked at.
function litPictures(result) {
  const places = new Map();
  const note = (place, layer = result.layer) => {
    if (!place) return;
    const key = JSON.stringify([layer, ...place.slice(0, 3)]);
    if (!places.has(key)) places.set(key, {layer, place, lit: []});
    places.get(key).lit.push(place[3]);
  };
  for (const term of result.terms) for (const [, place, , layer] of term) note(place, layer);
  for (const {items} of result.workings ?? []) for (const [, place] of items) note(place);
  const found = [...places.values()].map(litPicture).filter(Boolean);
  return found.length ? [h("h3", null, "It looked at"), h("div", {class: "looked-at"}, found)] : h("p", {class: "quiet"}, "No other number had a part in it.");
}

function litPicture({layer: layerIndex, place, lit}) {
  const layer = net.layers.get(layerIndex), [kind, number, which] = place, array = arrayOf(layer, kind, number, which);
  if (!array || !sizeOf(array.kept)) return null;
  const value = kind === "param" ? null : net.values.get(kind === "top" ? layer.tops[number] : layer.bottoms[number].value);
  const first = lit[0], page = pageOfIndex(array, first, kind === "param", lit);
  const picture = new Picture({
    array, label: placeName(layer, place), layout: layOut(array, {n: first[0], page, parameter: kind === "param"}),
    scale: scaleOf(array.range, value?.role === "image" && which === "data"), names: value?.names,
    width: Math.min(430, roomFor(2.4)), height: 250, onpick: (index) => select(selectionOf(layerIndex, [kind, number, which, index]))});
  picture.mark({lit});
  const many = plural(new Set(lit.map(String)).size, "number");
  return h("div", {class: "looked"}, h("h4", null, placeName(layer, place), h("small", null, ` ${value ? `${which} of ${value.name}` : which}, ${many}`)),
           picture.element);
}

// One tile where one tile holds all that is lit, else the page of tiles with the first of them.
function pageOfIndex(array, first, parameter, lit) {
  const options = {n: first[0], parameter}, tiles = layOut(array, {...options, page: "0"});
  if (tiles.kind === "bars" || !tiles.pages.length) return "0";
  const axis = array.kept.length - 3, position = first[axis], same = lit.every((index) => index[axis] === position);
  if (array.kept.length > 4) return "0";
  return same && tiles.tiles.length > 16 ? `c${position}` : String(Math.floor(position / MOST_TILES));
}

// The parts of a diff that several layers hand down, each worked out.
function partsView(result) {
  if (!result.parts) return null;
  return result.terms.map(([[, place, , layer]]) => {
    const part = terms(layer, place), there = stored(layer, place);
    return h("div", null, h("h3", null, `The part from ${net.layers.get(layer).name}`),
             part.source ? worked(part, there) : h("p", {class: "card"}, part.words));
  });
}

// Where a number of data goes on to.
function goesTo({value, which}) {
  if (value === null || which !== "data") return null;
  const readers = net.values.get(value).readers.map(([reader]) => net.layers.get(reader)).filter(Boolean);
  return readers.length ? h("p", {class: "quiet"}, "It goes on to ", readers.map((layer, i) =>
    [i ? ", " : "", h("a", {href: hashOf({layer: layer.index})}, layer.name)]), ".") : null;
}
