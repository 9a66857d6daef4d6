// Deconvolution: a convolution in which x and y have changed places.

// What a convolution's rules read, where they read its dy in x and its x in dy, or the other way round.
class ChangedPlaces {
  constructor(operands) {
    this.operands = operands;
    this.rule = {...operands.rule, bias: false};
    this.layer = operands.layer;
    this.places = {bottom: ["top", "diff"], top: ["bottom", "data"], param: ["param", "data"]};
  }

  shape(kind, number) {
    return this.operands.shape(this.places[kind][0], number);
  }

  factor(kind, number, which, flat, words) {
    const [other, otherWhich] = this.places[kind];
    return this.operands.factor(other, number, otherWhich, flat, words);
  }
}

ARITHMETIC.deconvolution = {
  top(operands, number, index) {
    const {terms} = ARITHMETIC.convolution.bottom(new ChangedPlaces(operands), number, index), {bias} = operands.rule;
    if (bias) terms.push([operands.factor("param", 1, "data", index[1], "bias")]);
    return {terms, words: "Every number of x is spread over a window of y through the filters. Here they meet: each x "
      + `whose window lies here, times the weight that lay between, all added up${bias ? ", and the bias" : ""}.`};
  },

  bottom(operands, number, index) {
    const {terms} = ARITHMETIC.convolution.top(new ChangedPlaces(operands), number, index);
    return {terms, words: "Chain rule: this number of x was spread over a window of y. Each dy in it comes back times "
      + "the weight that led there."};
  },

  param(operands, number, index) {
    if (number) return ARITHMETIC.convolution.param(operands, number, index);
    const {terms} = ARITHMETIC.convolution.param(new ChangedPlaces(operands), number, index);
    return {terms, words: "Chain rule: this weight led every number of its channel of x to one y. Each x times the dy "
      + "that it was led to; the sum over images and places."};
  },
};
