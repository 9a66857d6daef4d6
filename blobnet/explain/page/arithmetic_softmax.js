// Softmax: exps, each divided by the sum of all.

ARITHMETIC.softmax = {
  top(operands, number, index) {
    return ARITHMETIC.softmax_loss.probability(operands, ravel(index, operands.shape("top", 0)));
  },

  bottom(operands, number, index) {
    const soft = softmaxAround(operands, ravel(index, operands.shape("bottom", 0))), {own} = soft;
    const y = (c) => [soft.exps[c] / soft.sum, operands.place("top", 0, "data", soft.flats[c]), "y"];
    const dy = (c) => operands.factor("top", 0, "diff", soft.flats[c], "dy");
    return {terms: [[y(own), dy(own)], ...soft.flats.map((_, c) => [[-1, null, "less"], y(own), y(c), dy(c)])],
            workings: [underSoftmax(operands, soft)],
            words: "Chain rule along two ways: the exp of this class grows, straight to its y; and the sum under all "
              + `${soft.flats.length} classes grows with it, which takes off all of them. `
              + "dx = y · (dy − sum of y · dy)."};
  },
};
