// Number by number: functions of one number, masks, copies, and sums, products and maxima of several bottoms.

const compiled = new Map();

function evaluate(text, names) {
  if (!compiled.has(text)) compiled.set(text, parseExpression(text));
  return Number(compiled.get(text)(names));
}

ARITHMETIC.scalar = {
  top(operands, number, index) {
    const flat = ravel(index, operands.shape("top", 0)), x = operands.factor("bottom", 0, "data", flat, "x");
    const y = evaluate(operands.rule.y, {x: x[0], y: NaN});
    return {terms: [[[y, x[1], operands.rule.y]]], words: `y = ${operands.rule.y}, for every number by itself.`,
            workings: [{words: "with", items: [[...x, true]]}]};
  },

  bottom(operands, number, index) {
    const flat = ravel(index, operands.shape("bottom", 0)), x = operands.factor("bottom", 0, "data", flat, "x");
    const y = operands.factor("top", 0, "data", flat, "y"), dy = operands.factor("top", 0, "diff", flat, "dy");
    const slope = evaluate(operands.rule.slope, {x: x[0], y: y[0]});
    return {terms: [[dy, [slope, null, "slope"]]], words: `Chain rule: dy times the slope ${operands.rule.slope}.`,
            workings: [{words: "The slope at", items: [[...x, true], [...y, true]]}]};
  },
};

ARITHMETIC.masked = {
  top(operands, number, index) {
    const flat = ravel(index, operands.shape("top", 0)), factor = operands.rule.factor;
    if (operands.read("top", 0, "data", flat) === 0) {
      return {terms: [], words: "Silenced in this pass: 0, whatever x is.",
              workings: [{words: "x was", items: [[...operands.factor("bottom", 0, "data", flat), false]]}]};
    }
    return {terms: [[operands.factor("bottom", 0, "data", flat), [factor, null, "factor"]]],
            words: "Kept in this pass: x times the factor that makes up for the silenced ones."};
  },

  bottom(operands, number, index) {
    const flat = ravel(index, operands.shape("bottom", 0)), factor = operands.rule.factor;
    const dy = operands.factor("top", 0, "diff", flat), reached = [[0, dy[1][3]]];
    if (!this.kept(operands, flat)) {
      return {terms: [], reached, words: "Silenced in this pass: it moves nothing, so its diff is 0."};
    }
    return {terms: [[dy, [factor, null, "factor"]]], words: "Chain rule: dy times the factor."};
  },

  // Where x is 0 nothing but the diff itself tells what was kept.
  kept(operands, flat) {
    if (operands.read("bottom", 0, "data", flat) !== 0) return operands.read("top", 0, "data", flat) !== 0;
    return operands.read("bottom", 0, "diff", flat) !== 0;
  },
};

const sameFlat = (layer, number) => layer.bottoms.length === layer.tops.length ? number : 0;

ARITHMETIC.copy = {
  top(operands, number, index) {
    const flat = ravel(index, operands.shape("top", number));
    return {terms: [[operands.factor("bottom", sameFlat(operands.layer, number), "data", flat)]],
            words: "The same number, at the same place in the order."};
  },

  bottom(operands, number, index) {
    const {tops, bottoms} = operands.layer, flat = ravel(index, operands.shape("bottom", number));
    const into = tops.length === bottoms.length ? [number] : [...tops.keys()];
    return {terms: into.map((top) => [operands.factor("top", top, "diff", flat)]),
            words: "Chain rule with slope 1: dy of the same number."};
  },
};

// Which bottom a maximum takes: of equal ones among the first two the second, else the earlier.
function taken(values) {
  let best = values[0] <= values[1] ? 1 : 0;
  for (let i = 2; i < values.length; i++) if (values[i] > values[best]) best = i;
  return best;
}

ARITHMETIC.eltwise = {
  top(operands, number, index) {
    const flat = ravel(index, operands.shape("top", 0)), {operation, coefficients} = operands.rule;
    const x = operands.layer.bottoms.map((_, i) => operands.factor("bottom", i, "data", flat, `x${i}`));
    if (operation === "prod") return {terms: [x], words: "The product of the bottoms' numbers at this place."};
    if (operation === "sum") {
      return {terms: x.map((factor, i) => this.weighed(coefficients[i], factor)),
              words: "The sum of the bottoms' numbers at this place."};
    }
    const best = taken(x.map(([value]) => value));
    return {terms: [[x[best]]], words: `The largest of the bottoms' numbers at this place: that of bottom ${best}.`,
            workings: [{words: "Among", items: x.map((factor, i) => [...factor, i === best])}]};
  },

  bottom(operands, number, index) {
    const flat = ravel(index, operands.shape("bottom", number)), {operation, coefficients} = operands.rule;
    const dy = operands.factor("top", 0, "diff", flat, "dy"), bottoms = [...operands.layer.bottoms.keys()];
    if (operation === "sum") {
      return {terms: [this.weighed(coefficients[number], dy)], words: "Chain rule: dy times the coefficient."};
    }
    const x = (i) => operands.factor("bottom", i, "data", flat, `x${i}`);
    if (operation === "prod") {
      return {terms: [[dy, ...bottoms.filter((i) => i !== number).map(x)]],
              words: "Chain rule: the slope of a product is the product of the others."};
    }
    const best = taken(bottoms.map((i) => x(i)[0]));
    return {terms: best === number ? [[dy]] : [], reached: [[0, index]], words: best === number
      ? "Chain rule: this bottom was the largest, so dy goes to it." : `Bottom ${best} was larger: dy goes there.`};
  },

  weighed: (coefficient, factor) => coefficient === 1 ? [factor] : [[coefficient, null, "coefficient"], factor],
};
