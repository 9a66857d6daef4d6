// Losses: the softmax loss and half the squared distance.

const TINY = 1.1754943508222875e-38;  // the lowest probability that a loss takes the logarithm of

// The softmax over the classes at (outer o, inner i): exps, their sum, the label.
function softmaxAt(operands, o, i) {
  const [, classes, inner] = operands.rule.grouped, ignore = operands.rule.ignore;
  const flats = Array.from({length: classes}, (_, c) => (o * classes + c) * inner + i);
  const x = flats.map((flat) => operands.read("bottom", 0, "data", flat)), highest = Math.max(...x);
  const exps = x.map((value) => Math.exp(value - highest)), sum = exps.reduce((total, e) => total + e, 0);
  const label = operands.layer.bottoms.length > 1 ? Math.round(operands.read("bottom", 1, "data", o * inner + i)) : -1;
  return {flats, exps, sum, label, highest, counts: ignore === null || ignore === undefined || label !== ignore};
}

// The exps as they are written out; `chosen` is the class that is asked for.
function underSoftmax(operands, {flats, exps, sum, highest}, chosen) {
  const {names} = net.values.get(operands.layer.bottoms[0].value), called = (c) => names?.[c] ? `${c}, ${names[c]}` : c;
  const words = (c) => `exp(x − ${format(highest)}), class ${called(c)}`;
  const items = flats.map((flat, c) => [exps[c], operands.place("bottom", 0, "data", flat), words(c), c === chosen]);
  return {words: `Under the softmax: the exps of all classes, the largest x taken off; their sum is ${format(sum)}`,
          items};
}

function lossFactor({rule, layer}) {
  const weight = layer.loss_weights[0] ?? 1;
  return [weight / rule.divisor, null, `${weight === 1 ? "1" : `loss weight ${weight}`} / ${format(rule.divisor)}`];
}

ARITHMETIC.softmax_loss = {
  top(operands, number, index) {
    const [outer, classes, inner] = operands.rule.grouped, terms = [], share = 1 / operands.rule.divisor;
    if (number) return this.probability(operands, ravel(index, operands.shape("top", number)), classes, inner);
    eachIndex([outer, inner], ([o, i]) => {
      const soft = softmaxAt(operands, o, i);
      if (!soft.counts) return;
      const p = Math.max(soft.exps[soft.label] / soft.sum, TINY), place = soft.flats[soft.label];
      terms.push([[share, null, `1 / ${format(operands.rule.divisor)}`],
                  [-Math.log(p), operands.place("bottom", 0, "data", place), `−log ${format(p)}`]]);
    });
    return {terms, words: `−log of the probability that each label got, summed over ${terms.length} labels and divided `
      + `by ${format(operands.rule.divisor)}.`};
  },

  probability(operands, flat, classes, inner) {
    const soft = softmaxAt(operands, Math.floor(flat / inner / classes), flat % inner);
    const c = Math.floor(flat / inner) % classes, place = operands.place("bottom", 0, "data", flat);
    return {terms: [[[soft.exps[c], place, "exp"], [1 / soft.sum, null, "1 / sum"]]],
            words: "The exp of this class, divided by the sum of all.", workings: [underSoftmax(operands, soft, c)]};
  },

  bottom(operands, number, index) {
    const [, classes, inner] = operands.rule.grouped, flat = ravel(index, operands.shape("bottom", 0));
    const soft = softmaxAt(operands, Math.floor(flat / inner / classes), flat % inner), share = lossFactor(operands);
    const c = Math.floor(flat / inner) % classes, reached = [[0, operands.shape("top", 0).map(() => 0)]];
    if (!soft.counts) return {terms: [], reached, words: "This label is ignored: it has no part in the loss."};
    const terms = [[share, [soft.exps[c] / soft.sum, operands.place("bottom", 0, "data", flat), "probability"]]];
    if (c === soft.label) terms.push([share, [-1, null, "this class is the label"]]);
    return {terms, reached, workings: [underSoftmax(operands, soft, c)], words: "Chain rule through −log and softmax "
      + `together: the probability of class ${c}${c === soft.label ? ", less 1 as it is the label," : ""} times the `
      + "weight of the loss, divided by the divisor."};
  },
};

ARITHMETIC.difference = {
  top(operands) {
    const batch = operands.rule.batch, count = sizeOf(operands.shape("bottom", 0)), terms = [];
    for (let flat = 0; flat < count; flat++) {
      const [[a, ofA], [b, ofB]] = [0, 1].map((number) => operands.factor("bottom", number, "data", flat));
      terms.push([[0.5 / batch, null, `1 / ${2 * batch}`], [a - b, ofA, "a − b"], [a - b, ofB, "a − b"]]);
    }
    return {terms, words: `The squares of all differences a − b, summed and divided by ${2 * batch}.`};
  },

  bottom(operands, number, index) {
    const flat = ravel(index, operands.shape("bottom", number)), weight = operands.layer.loss_weights[0] ?? 1;
    const share = (number ? -weight : weight) / operands.rule.batch, words = `weight / ${operands.rule.batch}`;
    return {terms: [[[share, null, words], operands.factor("bottom", 0, "data", flat, "a")],
                    [[-share, null, `−${words}`], operands.factor("bottom", 1, "data", flat, "b")]],
            reached: [[0, operands.shape("top", 0).map(() => 0)]],
            words: "Chain rule: the slope of half a square is the difference itself"
              + `${number ? ", with the sign turned for b" : ""}, divided by the batch.`};
  },
};
