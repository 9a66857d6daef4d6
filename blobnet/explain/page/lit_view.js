// Pictures of the arrays that a number was made of, with the numbers lit that it looked at.

function litPictures(result) {
  const found = [...placesOf(result).values()].map(litPicture).filter(Boolean);
  if (!found.length) return quiet("No other number had a part in it.");
  return [h("h3", null, "It looked at"), h("div", {class: "looked-at"}, found)];
}

// The places of the terms and of what stands beside them, by array: {layer, place, lit}.
function placesOf(result) {
  const arrays = new Map();
  const note = (place, layer = result.layer) => {
    if (!place) return;
    const key = JSON.stringify([layer, ...place.slice(0, 3)]);
    if (!arrays.has(key)) arrays.set(key, {layer, place, lit: []});
    arrays.get(key).lit.push(place[3]);
  };
  for (const term of result.terms) for (const [, place, , layer] of term) note(place, layer);
  for (const {items} of result.workings ?? []) for (const [, place] of items) note(place);
  return arrays;
}

function litPicture({layer: layerIndex, place, lit}) {
  const layer = net.layers.get(layerIndex), [kind, number, which] = place;
  const array = arrayOf(layer, kind, number, which), parameter = kind === "param";
  if (!array || !sizeOf(array.kept)) return null;
  const title = h("h4", null, placeName(layer, place));
  const here = lit.filter((index) => array.has(index));
  if (!here.length) return h("div", {class: "looked"}, title, quiet("left out of this file"));
  const value = parameter ? null : net.values.get(kind === "top" ? layer.tops[number] : layer.bottoms[number].value);
  const options = {n: here[0][0], parameter}, page = pageOfIndex(array, options, here);
  const picture = new Picture({
    array, lit: here, label: placeName(layer, place), layout: layOut(array, {...options, page}), names: value?.names,
    scale: scaleOf(array.range, value?.role === "image" && which === "data"), width: Math.min(430, roomFor(2.4)),
    height: 250,
    onpick: (index) => select(selectionOf(layerIndex, [kind, number, which, index]))});
  const many = plural(new Set(lit.map(String)).size, "number"), whose = value ? `${which} of ${value.name}` : which;
  title.append(small(` ${whose}, ${many}`));
  return h("div", {class: "looked"}, title, picture.element);
}

// A single tile where all that is lit lies in one of many, else the page of tiles with the first of it.
function pageOfIndex(array, options, lit) {
  const layout = layOut(array, {...options, page: "0"});
  if (layout.kind === "bars" || !layout.pages.length || array.kept.length > 4) return "0";
  const axis = array.kept.length - 3, position = lit[0][axis];
  const alone = layout.tiles.length > 16 && lit.every((index) => index[axis] === position);
  return alone ? `c${position}` : String(Math.floor(position / MOST_TILES));
}
