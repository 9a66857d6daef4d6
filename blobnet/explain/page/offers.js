// Which numbers of a blob were worked out ahead, where the page cannot work out all of them.

// The layer that works out the array `which` of the selected blob, and kind, number and which of its places there.
function workerOf({layer, value, param}, which) {
  if (param !== null) return [net.layers.get(layer), ["param", param, which]];
  const {layer: maker, top, readers} = net.values.get(value);
  if (which === "data") return [net.layers.get(maker), ["top", top, which]];
  const read = readers.filter(([reader]) => which === "diff" || reader === layer);
  return read.length === 1 ? [net.layers.get(read[0][0]), ["bottom", read[0][1], "diff"]] : [null, []];
}

// Whether every array of the layer is here as a whole, so that its arithmetic never stops.
function isAllHere({bottoms, tops, params}) {
  const ids = [...bottoms.map(({value}) => value), ...tops];
  const owners = [...ids.map((id) => net.values.get(id)), ...params];
  const specs = [...owners.flatMap(({data, diff}) => [data, diff]), ...bottoms.map(({part}) => part)];
  return specs.every((spec) => !spec || String(spec.shape) === String(spec.full));
}

const MOST_LINKS = 8;

// The indices that the picture marks: those of the file, where the page does not know the others. null: it knows all.
function offersOf(chosen, which) {
  const [layer, [kind, number, own]] = workerOf(chosen, which);
  if (!layer?.bottoms.length || which === "update" || kind === "param" && which === "data") return null;
  if (layer.arithmetic && isAllHere(layer)) return null;
  const isHere = (place) => place[0] === kind && place[1] === number && place[2] === own;
  return layer.cells.map((cell) => cell.place).filter(isHere).map((place) => place[3]);
}

function offerWords(chosen, which, offers) {
  if (!offers) return null;
  const [{index, arithmetic, name, type}, place] = workerOf(chosen, which);
  const ahead = offers.length ? `the ${plural(offers.length, "marked number")}` : "none";
  const links = offers.slice(0, MOST_LINKS).map((other) => [" ", placeLink(index, [...place, other])]);
  return quiet(arithmetic ? `Some numbers that ${name} looks at are left out of this file; worked out ahead: ${ahead}.`
    : `${type} is worked out ahead, here ${ahead}; the others of this blob were not worked out.`, links);
}
