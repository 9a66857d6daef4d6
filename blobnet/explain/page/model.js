// The net of the payload: layers, values and their arrays, found by number.

const net = {header: null, layers: new Map(), values: new Map(), bytes: null, arrays: new WeakMap()};

function openNet({header, bytes}) {
  Object.assign(net, {header, bytes});
  for (const layer of header.layers) net.layers.set(layer.index, layer);
  for (const value of header.values) net.values.set(value.id, value);
}

function numbers(spec) {
  if (!spec) return null;
  if (!net.arrays.has(spec)) net.arrays.set(spec, new Numbers(spec, net.bytes));
  return net.arrays.get(spec);
}

// The array of a place's kind, number and which; null where the file has none.
function arrayOf(layer, kind, number, which) {
  if (kind === "param") return numbers(layer.params[number]?.[which]);
  if (kind === "top") return numbers(net.values.get(layer.tops[number])?.[which]);
  const bottom = layer.bottoms[number];
  if (!bottom) return null;
  return numbers(which === "diff" && bottom.part || net.values.get(bottom.value)[which]);
}

function shapeOf(layer, kind, number) {
  if (kind === "param") return layer.params[number].shape;
  return net.values.get(kind === "top" ? layer.tops[number] : layer.bottoms[number].value).shape;
}

function stored(layerIndex, [kind, number, which, index]) {
  const array = arrayOf(net.layers.get(layerIndex), kind, number, which);
  return array && array.has(index) ? array.of(index) : undefined;
}

const samePlace = (a, b) => a[0] === b[0] && a[1] === b[1] && a[2] === b[2] && String(a[3]) === String(b[3]);

// The rules of each kind of arithmetic, {top, bottom, param}: (operands, number, index) -> {terms, words} for a top's
// data and for a bottom's and a parameter's diff. They may add `workings`, what stands beside the sum, and `reached`,
// the places [top, index] that a moved number reaches, where the terms do not tell.
const ARITHMETIC = {};

// What the kinds of arithmetic read: the arrays of one layer. `moved` is one number that stands elsewhere for a
// while, {kind, number, flat, value}: so the page proves slopes with the forward that it has.
class Operands {
  constructor(layer, moved = null) {
    this.layer = layer;
    this.rule = layer.arithmetic;
    this.moved = moved;
  }

  shape(kind, number) {
    return shapeOf(this.layer, kind, number);
  }

  read(kind, number, which, flat) {
    const moved = this.moved;
    if (moved && which === "data" && moved.flat === flat && moved.kind === kind && moved.number === number) {
      return moved.value;
    }
    const array = arrayOf(this.layer, kind, number, which);
    if (!array) throw new LeftOut(placeName(this.layer, [kind, number, which]));
    if (!array.whole && !array.has(unravel(flat, array.full))) {
      throw new LeftOut(placeText(this.layer.index, this.place(kind, number, which, flat)));
    }
    return array.at(flat);
  }

  // A factor [value, place, words] of a term.
  factor(kind, number, which, flat, words = "") {
    return [this.read(kind, number, which, flat), this.place(kind, number, which, flat), words];
  }

  place(kind, number, which, flat) {
    return [kind, number, which, unravel(flat, this.shape(kind, number))];
  }
}
