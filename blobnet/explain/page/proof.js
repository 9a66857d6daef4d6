// The proof of a slope: move the number a little, work out again what it reaches, and see how the loss goes along.

const MANY = 3e5;  // terms that a proof works out without being asked

// {numeric, step, reached}: sum of dy * change of y / 2h, of the tops that the number reaches; {work}, the number of
// terms, where that is more than `most`; null where the page cannot work it out.
function proof(result, most = MANY) {
  const [kind, number, which, index] = result.place, layer = net.layers.get(result.layer);
  if (result.source !== "page" || which !== "diff" || kind === "top") return null;
  const reached = result.reached ?? topsOf(result.terms);
  const before = arrayOf(layer, kind, number, "data"), flat = ravel(index, shapeOf(layer, kind, number));
  const found = attempt(() => {
    const value = before.at(flat), step = 1e-5 * Math.max(1, Math.abs(value));
    const at = (moved, [top, index]) =>
      total(forwardOf(layer, {kind, number, flat, value: moved}, top, index).terms, 0);
    const work = reached.length && 2 * reached.length * forwardOf(layer, null, ...reached[0]).terms.length;
    if (work > most) return {work};
    const numeric = reached.reduce((sum, place) =>
      sum + slopeAt(layer, place) * (at(value + step, place) - at(value - step, place)), 0) / (2 * step);
    return {numeric, step, reached: reached.length};
  });
  return found.words ? null : found;
}

const forwardOf = (layer, moved, top, place) =>
  ARITHMETIC[layer.arithmetic.kind].top(new Operands(layer, moved), top, place);

function slopeAt(layer, [top, place]) {
  const array = arrayOf(layer, "top", top, "diff");
  return array ? array.of(place) : real(layer.loss_weights[top]);
}

function topsOf(list) {
  const found = new Map();
  for (const term of list) {
    for (const [, place] of term) {
      if (place?.[0] === "top" && place[2] === "diff") found.set(String([place[1], ...place[3]]), [place[1], place[3]]);
    }
  }
  return [...found.values()];
}
