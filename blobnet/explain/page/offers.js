// Which numbers of a blob were worked out ahead, where the page cannot work out all of them.

// The layer that works out the array `which` of the selected blob, and kind, number and which of its places there.
function workerOf({layer, value, param}, which) {
  if (param !== null) return [net.layers.get(layer), ["param", param, which]];
  const {layer: maker, top, readers} = net.values.get(value);
  if (which === "data") return [net.layers.get(maker), ["top", top, which]];
  const read = readers.filter(([reader]) => which === "diff" || reader === layer);
  return read.length === 1 ? [net.layers.get(read[0][0]), ["bottom", read[0][1], "diff"]] : [null, null];
}

// Whether every array of the layer is here as a whole, so that its arithmetic never stops.
const allHere = (layer) => [...layer.bottoms.flatMap(({value, part}) => [net.values.get(value).data, net.values.get(value).diff, part]),
  ...layer.tops.flatMap((id) => [net.values.get(id).data, net.values.get(id).diff]),
  ...layer.params.flatMap(({data, diff}) => [data, diff])].every((spec) => !spec || String(spec.shape) === String(spec.full));

// The indices that the picture marks: those of the file, where the page does not know the others. null: it knows all.
function offersOf(chosen, which) {
  const [layer, place] = workerOf(chosen, which);
  if (!layer || which === "update" || place[0] === "param" && which === "data") return null;
  if (layer.arithmetic && allHere(layer)) return null;
  return layer.cells.map((cell) => cell.place).filter((other) => place.every((part, i) => part === other[i])).map((other) => other[3]);
}

function offerWords(chosen, which, offers) {
  if (!offers) return null;
  const [layer] = workerOf(chosen, which), marked = offers.length ? `the ${plural(offers.length, "marked number")}` : "none";
  const ahead = h("p", {class: "quiet"}, layer.arithmetic
    ? `Some numbers that ${layer.name} looks at are left out of this file; worked out ahead: ${marked}.`
    : `${layer.type} is worked out ahead, here ${marked}; the others of this blob were not worked out.`);
  return layer.bottoms.length ? ahead : null;
}
