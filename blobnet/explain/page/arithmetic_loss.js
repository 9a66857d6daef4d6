// Losses: the softmax loss and half the squared distance.

const TINY = 1.1754943508222875e-38;  // the lowest probability that a loss takes the logarithm of

// The softmax over the classes at (outer o, inner i): exps, their sum, the label.
function softmaxAt(operands, o, i) {
  const [, classes, inner] = operands.rule.grouped;
  const flats = Array.from({length: classes}, (_, c) => (o * classes + c) * inner + i);
  const x = flats.map((flat) => operands.read("bottom", 0, "data", flat)), highest = Math.max(...x);
  const exps = x.map((value) => Math.exp(value - highest)), sum = exps.reduce((total, e) => total + e, 0);
  const label = operands.layer.bottoms.length > 1 ? Math.round(operands.read("bottom", 1, "data", o * inner + i)) : -1;
  return {flats, exps, sum, label, highest, counts: label !== operands.rule.ignore};
}

// The softmax that a flat place is in, and which of its classes it is.
function softmaxAround(operands, flat) {
  const [, classes, inner] = operands.rule.grouped;
  return {...softmaxAt(operands, Math.floor(flat / inner / classes), flat % inner),
          own: Math.floor(flat / inner) % classes};
}

// The exps as they are written out, the class that is asked for among them.
function underSoftmax(operands, {flats, exps, sum, highest, own}) {
  const {names} = net.values.get(operands.layer.bottoms[0].value), called = (c) => names?.[c] ? `${c}, ${names[c]}` : c;
  const words = (c) => `exp(x − ${format(highest)}), class ${called(c)}`;
  const items = flats.map((flat, c) => [exps[c], operands.place("bottom", 0, "data", flat), words(c), c === own]);
  return {words: `Under the softmax: the exps of all classes, the largest x taken off; their sum is ${format(sum)}`,
          items};
}

function lossFactor({rule, layer}, divisor = rule.divisor) {
  const weight = layer.loss_weights[0] ?? 1;
  return [weight / divisor, null, `${weight === 1 ? "1" : `loss weight ${weight}`} / ${format(divisor)}`];
}

// What every number of a loss's bottom reaches: the loss.
const theLoss = (operands) => [[0, operands.shape("top", 0).map(() => 0)]];

ARITHMETIC.softmax_loss = {
  top(operands, number, index) {
    const [outer, , inner] = operands.rule.grouped, terms = [], share = 1 / operands.rule.divisor;
    if (number) return this.probability(operands, ravel(index, operands.shape("top", number)));
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

  probability(operands, flat) {
    const soft = softmaxAround(operands, flat), place = operands.place("bottom", 0, "data", flat);
    return {terms: [[[soft.exps[soft.own], place, "exp"], [1 / soft.sum, null, "1 / sum"]]],
            words: "The exp of this class, divided by the sum of all.", workings: [underSoftmax(operands, soft)]};
  },

  bottom(operands, number, index) {
    const flat = ravel(index, operands.shape("bottom", 0)), soft = softmaxAround(operands, flat), c = soft.own;
    const share = lossFactor(operands), reached = theLoss(operands);
    if (!soft.counts) return {terms: [], reached, words: "This label is ignored: it has no part in the loss."};
    const terms = [[share, [soft.exps[c] / soft.sum, operands.place("bottom", 0, "data", flat), "probability"]]];
    if (c === soft.label) terms.push([share, [-1, null, "this class is the label"]]);
    return {terms, reached, workings: [underSoftmax(operands, soft)], words: "Chain rule through −log and softmax "
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
            reached: theLoss(operands),
            words: "Chain rule: the slope of half a square is the difference itself"
              + `${number ? ", with the sign turned for b" : ""}, divided by the batch.`};
  },
};
