// HashingLoss: which pairs of codes pull and push, and the pull of every number towards -1 or +1.

// The codes as rows, and of two rows: whether they are similar, what they cost, and c, which says how they pull.
function codePairs(operands) {
  const {margin} = operands.rule, rows = operands.shape("bottom", 0)[0];
  const bits = sizeOf(operands.shape("bottom", 0)) / rows, labels = sizeOf(operands.shape("bottom", 1)) / rows;
  const u = (i, k) => operands.read("bottom", 0, "data", i * bits + k);
  const label = (i, k) => operands.read("bottom", 1, "data", i * labels + k);
  const sumOver = (count, part) => [...Array(count).keys()].reduce((sum, k) => sum + part(k), 0);
  const shared = (i, j) => sumOver(labels, (k) => label(i, k) * label(j, k));
  const similar = (i, j) => labels === 1 ? label(i, 0) === label(j, 0) : shared(i, j) > 0;
  return {rows, bits, u, pair(i, j) {
    const distance = sumOver(bits, (k) => (u(i, k) - u(j, k)) ** 2), alike = similar(i, j), lack = margin - distance;
    const far = `unlike, farther than the margin ${format(margin)}: left alone`;
    return {distance, cost: alike ? distance : Math.max(lack, 0), c: alike ? 1 : lack > 0 ? -1 : 0,
            words: alike ? "similar, pulls" : lack > 0 ? "unlike and near, pushes" : far};
  }};
}

const HALF = " As published, pairs count half of the derivative.";

// The slope of | |u| - 1 |, as the layer takes it where it has none.
const binarySlope = (u) => u >= 1 || u <= 0 && u >= -1 ? 1 : -1;

ARITHMETIC.hashing_loss = {
  top(operands) {
    const {rows, bits, u, pair} = codePairs(operands), {tradeoff} = operands.rule, terms = [];
    const share = [1 / (rows * (rows - 1)), null, `1 / (${rows} · ${rows - 1})`];
    for (let i = 0; i < rows; i++) {
      for (let j = i + 1; j < rows; j++) {
        const {cost, c, distance} = pair(i, j), kind = c > 0 ? "similar: distance" : "unlike: margin − distance";
        if (c) terms.push([share, [cost, null, `rows ${i} and ${j}, ${kind}, at ${format(distance)}`]]);
      }
    }
    for (let flat = 0; flat < rows * bits; flat++) {
      const gap = Math.abs(Math.abs(u(Math.floor(flat / bits), flat % bits)) - 1);
      const place = operands.place("bottom", 0, "data", flat);
      terms.push([[tradeoff / rows, null, "tradeoff / rows"], [gap, place, "| |u| − 1 |"]]);
    }
    return {terms, words: "The squared distances of similar pairs, and what unlike ones lack of the margin "
      + `${format(operands.rule.margin)}, each pair once; and how far every number is from −1 or +1.`};
  },

  bottom(operands, number, index) {
    const {rows, bits, u, pair} = codePairs(operands), {factor, tradeoff} = operands.rule, terms = [], far = [];
    const flat = ravel(index, operands.shape("bottom", 0)), row = Math.floor(flat / bits), k = flat % bits;
    const own = u(row, k), place = (j) => operands.place("bottom", 0, "data", j * bits + k);
    for (let j = 0; j < rows; j++) {
      if (j === row) continue;
      const {c, words, distance} = pair(row, j), pull = [c, null, `row ${j}: ${words}`];
      const apart = [own - u(j, k), place(j), `from row ${j} to this row`];
      if (c) terms.push([lossFactor(operands, rows * (rows - 1) / factor), pull, apart]);
      else far.push([u(j, k), place(j), `row ${j}, at ${format(distance)}`, false]);
    }
    const side = [binarySlope(own), place(row), `towards ${own > 0 ? "+1" : "−1"}`];
    if (tradeoff) terms.push([lossFactor(operands, rows / tradeoff), side]);
    return {terms, reached: theLoss(operands),
            workings: far.length ? [{words: "Unlike rows beyond the margin, which do nothing", items: far}] : [],
            words: "Chain rule: similar rows pull this number towards theirs, unlike ones within the margin push it "
              + `away; and it is drawn to −1 or +1.${factor === 1 ? HALF : ""}`};
  },
};
