// Convolution: which weights meet which numbers.

// The sizes of a convolution, and where things are.
function convolving(operands, number) {
  const rule = operands.rule, weight = operands.shape("param", 0);
  const x = operands.shape("bottom", number), y = operands.shape("top", number);
  const outputs = y[1] / rule.group, channels = x[1] / rule.group;
  const covered = (p, r, axis) => p[axis] * rule.stride[axis] + r[axis] * rule.dilation[axis] - rule.pad[axis];
  return {
    ...rule, weight, x, y, outputs, channels,
    // The place of x under tap r of the window p; null outside of x.
    under(p, r) {
      const place = r.map((_, axis) => covered(p, r, axis));
      return place.every((h, axis) => h >= 0 && h < x[axis + 2]) ? place : null;
    },
    // The window whose tap r lies on the place h; null where there is none.
    over(h, r) {
      const place = r.map((tap, axis) => (h[axis] + rule.pad[axis] - tap * rule.dilation[axis]) / rule.stride[axis]);
      return place.every((p, axis) => Number.isInteger(p) && p >= 0 && p < y[axis + 2]) ? place : null;
    },
  };
}

ARITHMETIC.convolution = {
  top(operands, number, [n, k, ...p]) {
    const sizes = convolving(operands, number), terms = [], first = Math.floor(k / sizes.outputs) * sizes.channels;
    let outside = 0;
    eachIndex([sizes.channels, ...sizes.kernel], ([c, ...r]) => {
      const under = sizes.under(p, r);
      if (!under) return void outside++;
      terms.push([operands.factor("param", 0, "data", ravel([k, c, ...r], sizes.weight)),
                  operands.factor("bottom", number, "data", ravel([n, first + c, ...under], sizes.x))]);
    });
    if (sizes.bias) terms.push([operands.factor("param", 1, "data", k, "bias")]);
    const edge = outside ? ` ${outside} of its weights lie outside of x, where zeros are.` : "";
    return {terms, words: `Filter ${k} lies on a window of x: each weight times the number under it, all added up`
      + `${sizes.bias ? ", and the bias of the filter" : ""}.${edge}`};
  },

  bottom(operands, number, [n, c, ...h]) {
    const sizes = convolving(operands, number), terms = [], group = Math.floor(c / sizes.channels);
    eachIndex([sizes.outputs, ...sizes.kernel], ([k, ...r]) => {
      const over = sizes.over(h, r), output = group * sizes.outputs + k;
      if (!over) return;
      terms.push([operands.factor("param", 0, "data", ravel([output, c % sizes.channels, ...r], sizes.weight)),
                  operands.factor("top", number, "diff", ravel([n, output, ...over], sizes.y))]);
    });
    return {terms, words: "Chain rule: this number of x went into every y whose window lies on it. Each of them hands "
      + "down its dy times the weight that lay on x."};
  },

  param(operands, number, index) {
    const terms = [];
    for (let i = 0; i < operands.layer.bottoms.length; i++) {
      const sizes = convolving(operands, i), [k, c = 0, ...r] = index;
      const channel = Math.floor(k / sizes.outputs) * sizes.channels + c;
      eachIndex([sizes.x[0], ...sizes.y.slice(2)], ([n, ...p]) => {
        const under = number ? null : sizes.under(p, r);
        if (!number && !under) return;
        const dy = operands.factor("top", i, "diff", ravel([n, k, ...p], sizes.y));
        const x = (place) => operands.factor("bottom", i, "data", ravel([n, channel, ...place], sizes.x));
        terms.push(number ? [dy] : [dy, x(under)]);
      });
    }
    return {terms, words: number ? "Chain rule: the bias went into every y of its filter with slope 1: the sum of "
      + "their dy." : "Chain rule: this weight met one number of x in each window. Each y hands down its dy times that "
      + "number; the sum over images and windows."};
  },
};
