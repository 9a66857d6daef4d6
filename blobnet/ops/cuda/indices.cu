// numbers = values, whole ones below `limit` in size, and where `bounded` those in 0 ... count - 1 or `ignored`; counted
// = whether a number is not ignored. What is wrong or ignored becomes 0.
extern "C" __global__ void whole_numbers(const real* values, real limit, int bounded, wide count, int ignores,
                                         wide ignored, wide* numbers, bool* counted, double* state, double* slot,
                                         wide n) {
  wide wrong = -1;
  EACH(i, n) {
    const bool whole = trunc(values[i]) == values[i] && abs(values[i]) < limit;
    const wide number = whole ? (wide)values[i] : 0;
    const bool counts = !(ignores && whole && number == ignored);
    const bool right = whole && (!bounded || !counts || (number >= 0 && number < count));
    if (!right && wrong < 0) wrong = i;
    numbers[i] = right && counts ? number : 0;
    if (bounded) counted[i] = counts;
  }
  if (block_sum((int)(wrong >= 0))) note(wrong, values, false, state, slot);
}

// found[k] = how often k occurs among the n numbers, where they are counted; of all where `counted` is null. (size)
extern "C" __global__ void tally(const wide* numbers, wide n, wide size, const bool* counted, wide* found) {
  EACH_ROW(k, size) {
    wide count = 0;
    EACH_IN_ROW(i, n) count += numbers[i] == k && (!counted || counted[i]);
    count = block_sum(count);
    if (threadIdx.x == 0) found[k] = count;
  }
}

// target[index[i]] += values[i] for every i in turn; target (rows, columns), values (n, columns). A thread adds up a
// number of target, so that there is one order.
extern "C" __global__ void add_rows(real* target, wide rows, wide columns, const wide* index, const real* values,
                                    wide n) {
  EACH(t, rows * columns) {
    const wide row = t / columns, column = t % columns;
    real sum = target[t];
    for (wide i = 0; i < n; i++)
      if (index[i] == row) sum += values[i * columns + column];
    target[t] = sum;
  }
}
