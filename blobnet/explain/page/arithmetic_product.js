// Sums of rows: the inner product; and Scale and Bias.

// Where things are in a product: the flat places of x[row, i], y[row, k], w[k, i].
function multiplying({rule}) {
  return {
    ...rule,
    x: (row, i) => row * rule.inner + i,
    y: (row, k) => row * rule.outputs + k,
    w: (k, i) => rule.transpose ? i * rule.outputs + k : k * rule.inner + i,
    ofWeight: ([first, second]) => rule.transpose ? [second, first] : [first, second],
  };
}

ARITHMETIC.product = {
  top(operands, number, index) {
    const sizes = multiplying(operands), flat = ravel(index, operands.shape("top", 0)), terms = [];
    const row = Math.floor(flat / sizes.outputs), k = flat % sizes.outputs;
    for (let i = 0; i < sizes.inner; i++) {
      terms.push([operands.factor("param", 0, "data", sizes.w(k, i)),
                  operands.factor("bottom", 0, "data", sizes.x(row, i))]);
    }
    if (sizes.bias) terms.push([operands.factor("param", 1, "data", k, "bias")]);
    return {terms, words: `Row ${row} of x times the weights of output ${k}, number by number, all added up`
      + `${sizes.bias ? ", and the bias" : ""}.`};
  },

  bottom(operands, number, index) {
    const sizes = multiplying(operands), flat = ravel(index, operands.shape("bottom", 0)), terms = [];
    const row = Math.floor(flat / sizes.inner), i = flat % sizes.inner;
    for (let k = 0; k < sizes.outputs; k++) {
      terms.push([operands.factor("param", 0, "data", sizes.w(k, i)),
                  operands.factor("top", 0, "diff", sizes.y(row, k))]);
    }
    return {terms, words: "Chain rule: this number of x went into every output of its row. Each of them hands down its "
      + "dy times the weight between the two."};
  },

  param(operands, number, index) {
    const sizes = multiplying(operands), terms = [], [k, i] = number ? index : sizes.ofWeight(index);
    for (let row = 0; row < sizes.rows; row++) {
      const dy = operands.factor("top", 0, "diff", sizes.y(row, k));
      terms.push(number ? [dy] : [dy, operands.factor("bottom", 0, "data", sizes.x(row, i))]);
    }
    return {terms, words: number ? "Chain rule: the bias went into its output of every row with slope 1: the sum of "
      + "their dy." : "Chain rule: in every row this weight met one number of x. The output hands down its dy times "
      + "that number; the sum over the rows."};
  },
};

// Scale and Bias: which blobs are the factor and the shift, and where x[outer, c, inner] is.
function spreading({rule}) {
  const [outer, count, inner] = rule.grouped, blobs = rule.bottoms === 2 ? [["bottom", 1]] : [];
  for (let i = 0; blobs.length < 2; i++) blobs.push(["param", i]);
  return {outer, inner, factor: rule.scale ? blobs[0] : null, shift: rule.bias ? blobs[rule.scale ? 1 : 0] : null,
          channel: (flat) => Math.floor(flat / inner) % count, flat: (n, c, i) => (n * count + c) * inner + i};
}

ARITHMETIC.along = {
  top(operands, number, index) {
    const {factor, shift, channel} = spreading(operands), flat = ravel(index, operands.shape("top", 0));
    const c = channel(flat), terms = [[operands.factor("bottom", 0, "data", flat)]];
    if (factor) terms[0].push(operands.factor(...factor, "data", c, "a"));
    if (shift) terms.push([operands.factor(...shift, "data", c, "b")]);
    return {terms, words: `x ${factor ? `times the factor of position ${c}` : ""}${factor && shift ? ", " : ""}`
      + `${shift ? `plus the shift of position ${c}` : ""}.`};
  },

  bottom(operands, number, index) {
    if (number === 1) return this.spread(operands, "bottom", 1, index);
    const {factor, channel} = spreading(operands), flat = ravel(index, operands.shape("bottom", 0));
    const term = [operands.factor("top", 0, "diff", flat)];
    if (factor) term.push(operands.factor(...factor, "data", channel(flat), "slope: a"));
    return {terms: [term], words: `Chain rule: dy times the slope, which is ${factor ? "the factor a" : "1"}.`};
  },

  param(operands, number, index) {
    return this.spread(operands, "param", number, index);
  },

  // The diff of a factor or a shift: it went into all numbers at its position.
  spread(operands, kind, number, index) {
    const {factor, outer, inner, flat} = spreading(operands), c = ravel(index, operands.shape(kind, number));
    const scales = factor && factor[0] === kind && factor[1] === number, terms = [];
    eachIndex([outer, inner], ([n, i]) => {
      const term = [operands.factor("top", 0, "diff", flat(n, c, i))];
      if (scales) term.push(operands.factor("bottom", 0, "data", flat(n, c, i), "slope: x"));
      terms.push(term);
    });
    return {terms, words: `Chain rule: it went into all numbers at position ${c}; the sum of their dy`
      + `${scales ? " times x" : ""}.`};
  },
};
