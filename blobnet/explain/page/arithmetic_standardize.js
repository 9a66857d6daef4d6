// BatchNorm: less the mean, divided by the deviation, channel by channel.

const statistics = new Map(), KEPT_STATISTICS = 8;  // a proof asks for those of one channel again and again

// The channel of a flat place: its number, its flat places, mean, deviation and where they come from.
function channelAt(operands, flat) {
  const [outer, channels, inner] = operands.rule.grouped, c = Math.floor(flat / inner) % channels, {moved} = operands;
  const key = String([operands.layer.index, c, moved?.kind, moved?.flat, moved?.value]);
  if (!statistics.has(key)) {
    if (statistics.size >= KEPT_STATISTICS) statistics.clear();
    const flats = Array.from({length: outer * inner}, (_, i) =>
      (Math.floor(i / inner) * channels + c) * inner + i % inner);
    const found = operands.rule.mode === "batch" ? ofBatch(operands, c, flats) : ofStore(operands, c);
    statistics.set(key, {c, flats, ...found});
  }
  return statistics.get(key);
}

function spreadOf(variance, eps) {
  const deviation = Math.sqrt(variance + eps);
  return {variance, deviation, divided: [1 / deviation, null, "1 / deviation"],
          spread: `deviation = sqrt(variance + eps) = sqrt(${format(variance)} + ${format(eps)}) = `
            + format(deviation)};
}

// As forward found them; where a number was moved, they are counted anew.
function ofBatch(operands, c, flats) {
  const meanOf = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  let [mean, variance] = [real(operands.rule.mean[c]), real(operands.rule.variance[c])];
  if (operands.moved) {
    const x = flats.map((flat) => operands.read("bottom", 0, "data", flat));
    mean = meanOf(x);
    variance = meanOf(x.map((value) => (value - mean) ** 2));
  }
  return {mean: [[mean, null, "mean"]], center: mean, ...spreadOf(variance, operands.rule.eps),
          source: `the ${flats.length} numbers of the channel in this batch`};
}

function ofStore(operands, c) {
  const factor = operands.factor("param", 2, "data", 0), share = factor[0] ? 1 / factor[0] : 0;
  const mean = operands.factor("param", 0, "data", c), variance = operands.read("param", 1, "data", c) * share;
  return {mean: [mean, [share, factor[1], "1 / running factor"]], center: mean[0] * share,
          ...spreadOf(variance, operands.rule.eps), source: "what training kept: running sums divided by their factor"};
}

ARITHMETIC.standardize = {
  top(operands, number, index) {
    const flat = ravel(index, operands.shape("top", 0)), channel = channelAt(operands, flat);
    return {terms: [[operands.factor("bottom", 0, "data", flat, "x"), channel.divided],
                    [[-1, null, "less"], ...channel.mean, channel.divided]],
            words: `x less the mean of channel ${channel.c}, divided by the deviation. Both are of `
              + `${channel.source}: mean ${format(channel.center)}, ${channel.spread}.`};
  },

  bottom(operands, number, index) {
    const flat = ravel(index, operands.shape("bottom", 0)), channel = channelAt(operands, flat);
    const straight = [operands.factor("top", 0, "diff", flat, "dy"), channel.divided];
    if (operands.rule.mode !== "batch") {
      return {terms: [straight], words: "Chain rule: mean and deviation were there before, so dy comes back straight, "
        + `divided by the deviation. ${channel.spread}.`};
    }
    const normal = (at) => (operands.read("bottom", 0, "data", at) - channel.center) / channel.deviation;
    const dy = channel.flats.map((at) => operands.read("top", 0, "diff", at)), count = dy.length;
    const mean = dy.reduce((sum, value) => sum + value, 0) / count;
    const slope = dy.reduce((sum, value, i) => sum + value * normal(channel.flats[i]), 0) / count;
    const shape = operands.shape("top", 0), xhat = [normal(flat), operands.place("top", 0, "data", flat), "xhat"];
    return {terms: [straight, [[-mean, null, "less the mean of dy"], channel.divided],
                    [[-slope, null, "less the mean of dy · xhat"], xhat, channel.divided]],
            reached: channel.flats.map((at) => [0, unravel(at, shape)]),
            words: "Chain rule along three ways: straight to y; through the mean, which this x moves for all "
              + `${count} numbers of channel ${channel.c}; and through the variance. xhat is (x − mean) / deviation. `
              + `${channel.spread}.`};
  },
  param: () => ({terms: [], words: "A running statistic: forward counts it, no gradient goes to it."}),
};
