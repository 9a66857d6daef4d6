// Layers that only move numbers: joined and cut along an axis. Copies, where the order stays, are among those of each.

// Which part a position along the axis lies in; `starts` are where the parts begin.
function partAt(starts, position) {
  return starts.findLastIndex((start) => start <= position);
}

function shifted(index, axis, by) {
  return index.map((position, i) => i === axis ? position + by : position);
}

// Where the bottoms of a Concat begin in its top.
function concatStarts({layer, rule}) {
  let start = 0;
  return layer.bottoms.map((_, i) => (start += i ? shapeOf(layer, "bottom", i - 1)[rule.axis] : 0));
}

const MOVED = "The same number";

ARITHMETIC.concat = {
  top(operands, number, index) {
    const {axis} = operands.rule, starts = concatStarts(operands), part = partAt(starts, index[axis]);
    const flat = ravel(shifted(index, axis, -starts[part]), operands.shape("bottom", part));
    return {terms: [[operands.factor("bottom", part, "data", flat)]],
            words: `${MOVED}: here lies bottom ${part}, which begins at position ${starts[part]} of axis ${axis}.`};
  },

  bottom(operands, number, index) {
    const {axis} = operands.rule, start = concatStarts(operands)[number];
    const flat = ravel(shifted(index, axis, start), operands.shape("top", 0));
    return {terms: [[operands.factor("top", 0, "diff", flat)]],
            words: `Chain rule with slope 1: dy of the same number, ${start} further along axis ${axis}.`};
  },
};

ARITHMETIC.slice = {
  top(operands, number, index) {
    const {axis, points} = operands.rule;
    const flat = ravel(shifted(index, axis, points[number]), operands.shape("bottom", 0));
    return {terms: [[operands.factor("bottom", 0, "data", flat)]],
            words: `${MOVED}: this top begins at position ${points[number]} of axis ${axis} of the bottom.`};
  },

  bottom(operands, number, index) {
    const {axis, points} = operands.rule, part = partAt(points, index[axis]);
    const flat = ravel(shifted(index, axis, -points[part]), operands.shape("top", part));
    return {terms: [[operands.factor("top", part, "diff", flat)]],
            words: `Chain rule with slope 1: dy of the same number, which lies in top ${part}.`};
  },
};
