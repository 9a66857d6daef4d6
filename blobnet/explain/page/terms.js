// The terms of one number: worked out here from the arrays, or ahead in the file.

const product = (term) => term.reduce((value, factor) => value * real(factor[0]), 1);

const total = (terms, rest) => terms.reduce((sum, term) => sum + product(term), rest);

// {value, terms, rest, source, words, …}: how the number at `place` of a layer was made. source: "page" worked out
// here, "file" ahead; null where nobody did, and `words` say why.
function terms(layerIndex, place) {
  const layer = net.layers.get(layerIndex), [kind, number, which, index] = place;
  if (kind === "bottom" && which === "data") {
    const value = net.values.get(layer.bottoms[number].value);
    const maker = net.layers.get(value.layer), common = {layer: layerIndex, place};
    return maker ? ofLayer(maker, ["top", value.top, "data", index]) : nothing(common, "It comes from outside.");
  }
  if (kind === "top" && which === "diff") return fromReaders(layer, number, index);
  return ofLayer(layer, place);
}

const nothing = (common, words) => ({...common, value: undefined, terms: [], rest: 0, source: null, words});

function ofLayer(layer, place) {
  const cell = layer.cells.find((other) => samePlace(other.place, place)), worked = workedOut(layer, place);
  const common = {layer: layer.index, place, numeric: cell ? real(cell.numeric) : null};
  if (worked.terms) return {...common, ...worked, rest: 0, value: total(worked.terms, 0), source: "page"};
  if (!cell) return nothing(common, worked.words);
  return {...common, terms: cell.terms, rest: real(cell.rest), rest_words: cell.rest_words, count: cell.count,
          words: cell.words, value: total(cell.terms, real(cell.rest)), source: "file"};
}

const PARTS = {"top data": "top", "bottom diff": "bottom", "param diff": "param"};

function workedOut(layer, [kind, number, which, index]) {
  const part = PARTS[`${kind} ${which}`];
  if (!part) return {words: kind === "param" ? given(which) : "Nothing makes this number."};
  if (!layer.bottoms.length && kind === "top") return {words: "It comes from outside: this layer reads data."};
  const rules = layer.arithmetic && ARITHMETIC[layer.arithmetic.kind];
  if (!rules || !rules[part]) {
    return {words: "Numbers of this layer are worked out ahead, some of them. The others have no terms here."};
  }
  return attempt(() => rules[part](new Operands(layer), number, index));
}

const given = (which) => which === "data" ? "A parameter: the fillers and the training made it, not this pass."
  : "What the solver took off this parameter in the last step.";

function attempt(work) {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof LeftOut)) throw error;
    return {words: `It needs ${error.message}, which is left out of this file.`};
  }
}

// The diff of a top is what its readers hand down.
function fromReaders(layer, number, index) {
  const value = net.values.get(layer.tops[number]);
  const common = {layer: layer.index, place: ["top", number, "diff", index]};
  if (!value.readers.length) return seed(layer, number, value, common);
  const readers = value.readers.map(([reader, bottom]) => [net.layers.get(reader), bottom]);
  const parts = readers.filter(([reader, bottom]) => reader?.bottoms[bottom].part);
  if (parts.length) return sumOfParts(parts, index, common);
  const found = readers.map(([reader, bottom]) => reader && ofLayer(reader, ["bottom", bottom, "diff", index]));
  return found.find((result) => result?.source) ?? found.find((result) => result)
    ?? nothing(common, "Nobody hands a gradient down to it.");
}

function seed(layer, number, value, common) {
  const weight = real(layer.loss_weights[number] ?? 0);
  if (!value.diff || !weight) {
    return nothing(common, "No loss comes after this number.");
  }
  return {...common, value: weight, terms: [[[weight, null, "loss weight"]]], rest: 0, source: "page",
          words: "Backward begins here: the slope of the loss by this number is its loss weight."};
}

function sumOfParts(parts, index, common) {
  const worked = attempt(() => ({terms: parts.map(([reader, bottom]) => {
    const place = ["bottom", bottom, "diff", index];
    return [[arrayOf(reader, "bottom", bottom, "diff").of(index), place, `from ${reader.name}`, reader.index]];
  })}));
  if (!worked.terms) return nothing(common, worked.words);
  return {...common, terms: worked.terms, rest: 0, value: total(worked.terms, 0), source: "page", parts: true,
          words: `${parts.length} layers read this number, so its diff is the sum of what each of them hands down.`};
}
