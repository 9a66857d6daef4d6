// The sigmoid loss: each score by itself against its target.

// What one score costs: the negative logarithm of the probability of its target, without overflow; its probability.
function sigmoidCost(operands, flat) {
  const [x, t] = [0, 1].map((number) => operands.read("bottom", number, "data", flat));
  const p = x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x));
  const cost = Math.log1p(Math.exp(-Math.abs(x))) - x * (t - (x >= 0 ? 1 : 0));
  return {x, t, p, cost, counts: Math.trunc(t) !== operands.rule.ignore};
}

ARITHMETIC.sigmoid_loss = {
  top(operands) {
    const count = sizeOf(operands.shape("bottom", 0)), share = 1 / operands.rule.divisor, terms = [];
    for (let flat = 0; flat < count; flat++) {
      const {p, t, cost, counts} = sigmoidCost(operands, flat);
      if (counts) {
        const words = `cost of p = ${format(p)} for target ${format(t)}`;
        terms.push([[share, null, `1 / ${format(operands.rule.divisor)}`],
                    [cost, operands.place("bottom", 0, "data", flat), words]]);
      }
    }
    return {terms, words: "−(t · log p + (1 − t) · log(1 − p)) of each score, with p its sigmoid and t its target, "
      + `summed over ${terms.length} scores and divided by ${format(operands.rule.divisor)}.`};
  },

  bottom(operands, number, index) {
    const flat = ravel(index, operands.shape("bottom", 0)), {x, p, counts} = sigmoidCost(operands, flat);
    const reached = theLoss(operands), share = lossFactor(operands);
    if (!counts) return {terms: [], reached, words: "This target is ignored: it has no part in the loss."};
    return {terms: [[share, [p, operands.place("bottom", 0, "data", flat), `sigmoid of ${format(x)}`]],
                    [share, [-1, null, "less"], operands.factor("bottom", 1, "data", flat, "target")]], reached,
            words: "Chain rule through logarithm and sigmoid together: the probability less the target, times the "
              + "weight of the loss, divided by the divisor."};
  },
};
