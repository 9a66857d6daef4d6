// Pooling: windows of which one number, or the mean, goes on.

// The windows of one plane: `list(p)` are the flat places of window p in x, `divisor(p)` its size.
function pooling(operands) {
  const {starts, stops, divisors} = operands.rule, x = operands.shape("bottom", 0);
  return {
    x,
    list([n, c, ...p]) {
      const first = p.map((q, axis) => starts[axis][q]), found = [];
      const sides = p.map((q, axis) => Math.max(0, stops[axis][q] - first[axis]));
      eachIndex(sides, (r) => found.push(ravel([n, c, ...r.map((tap, axis) => first[axis] + tap)], x)));
      return found;
    },
    divisor: (p) => p.reduce((product, q, axis) => product * divisors[axis][q], 1),
    // All windows that lie on the place h of a plane.
    over(h) {
      const along = h.map((place, axis) => [...starts[axis].keys()]
        .filter((q) => starts[axis][q] <= place && place < stops[axis][q]));
      const found = [];
      eachIndex(along.map((list) => list.length), (i) => found.push(i.map((q, axis) => along[axis][q])));
      return found;
    },
  };
}

// The position in `flats` of the first largest number of x; -1 of an empty window.
function winner(operands, flats) {
  let best = -1, highest = -Infinity;
  flats.forEach((flat, i) => {
    const value = operands.read("bottom", 0, "data", flat);
    if (best < 0 || value > highest) [best, highest] = [i, value];
  });
  return best;
}

const windowOf = (operands, flats, chosen) => flats.map((flat, i) =>
  [...operands.factor("bottom", 0, "data", flat, i === chosen ? "the largest" : ""), i === chosen]);

const LOWEST = -3.4028234663852886e38;  // what the maximum of an empty window is

ARITHMETIC.pool = {
  top(operands, number, index) {
    const windows = pooling(operands), flats = windows.list(index);
    if (operands.rule.method === "AVE") {
      const divisor = windows.divisor(index.slice(2)), share = [1 / divisor, null, `1 / ${divisor}`];
      return {terms: flats.map((flat) => [operands.factor("bottom", 0, "data", flat), share]),
              words: `The sum over a window of ${flats.length} numbers of x, divided by ${divisor}.`};
    }
    const chosen = winner(operands, flats), place = flats[chosen];
    const workings = [{words: "The window", items: windowOf(operands, flats, chosen)}];
    if (number === 1) {
      const position = chosen < 0 ? -1 : place % sizeOf(windows.x.slice(2));
      return {terms: [[[position, null, "place"]]], workings, words: "Where the largest number of the window lies, "
        + "counted row by row in its plane."};
    }
    if (chosen < 0) return {terms: [[[LOWEST, null, "lowest number"]]], words: "The window lies outside of x."};
    return {terms: [[operands.factor("bottom", 0, "data", place)]], workings,
            words: `The largest of a window of ${flats.length} numbers of x; the first one of equals.`};
  },

  bottom(operands, number, index) {
    const windows = pooling(operands), [n, c, ...h] = index, own = ravel(index, windows.x), terms = [], lost = [];
    const average = operands.rule.method === "AVE", over = windows.over(h), y = operands.shape("top", 0);
    for (const p of over) {
      const flats = windows.list([n, c, ...p]), dy = operands.factor("top", 0, "diff", ravel([n, c, ...p], y));
      const divisor = windows.divisor(p);
      if (average) terms.push([dy, [1 / divisor, null, `1 / ${divisor}`]]);
      else if (flats[winner(operands, flats)] === own) terms.push([dy]);
      else lost.push([...dy, false]);
    }
    return {terms, reached: over.map((p) => [0, [n, c, ...p]]), words: this.handed(average, over.length, terms.length),
            workings: lost.length ? [{words: "Windows that another number won", items: lost}] : []};
  },

  handed(average, all, won) {
    const windows = plural(all, "window");
    if (average) return `Chain rule: it lies in ${windows}, and each hands down its dy divided by the window's size.`;
    return `Chain rule: it lies in ${windows} and is the largest of ${won || "none"}: only then dy comes back.`;
  },
};
