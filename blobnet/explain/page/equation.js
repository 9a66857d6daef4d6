// A sum of products, written out.

const FIRST_TERMS = 12, MOST_ROWS = 1500;

function placeName(layer, [kind, number, which]) {
  const sign = which === "diff" ? "d" : "";
  if (kind === "param") return sign + layer.params[number].name;
  const many = (kind === "bottom" ? layer.bottoms : layer.tops).length > 1;
  return `${sign}${kind === "bottom" ? "x" : "y"}${many ? number : ""}`;
}

const placeText = (layerIndex, place) =>
  placeName(net.layers.get(layerIndex), place) + indexText(place[3]).replaceAll(" ", "");

const placeLink = (layerIndex, place) =>
  h("a", {href: linkTo(layerIndex, place), class: "place"}, placeText(layerIndex, place));

// Whether the number stands at the place as it is; else it was made of what stands there.
function holds(layer, place, value) {
  const there = stored(layer, place);
  return there === undefined || Math.abs(there - value) <= 1e-5 * Math.abs(there);
}

// A number, and below it where it stands or what it is.
const figure = (value, below) => [span("value", value), span("below", below || "\u00a0")];

function factorView(layerIndex, [value, place, words, other], alone) {
  const text = alone ? format(value) : inBrackets(value), layer = other ?? layerIndex;
  if (!place) return h("span", {class: "factor", title: words}, figure(text, words));
  const where = placeText(layer, place), below = words && !holds(layer, place, value) ? words : where;
  const title = [words, where].filter(Boolean).join(", ");
  return h("a", {class: "factor", href: linkTo(layer, place), title}, figure(text, below));
}

const sign = (text) => span("sign", text);

function termView(layerIndex, term, first) {
  const alone = first && term.length === 1;
  return span("term", first ? null : sign("+"),
              term.map((factor, i) => [i ? sign("·") : null, factorView(layerIndex, factor, alone)]));
}

const lumped = (value, words, first) =>
  span("term", first ? null : sign("+"), span("factor", figure(inBrackets(value), words)));

const isCut = (result) => (result.count ?? 0) > result.terms.length;

// The terms that are written out, and those that are not: where there are many, terms of 0 are passed over.
function firstTerms(list) {
  if (list.length <= FIRST_TERMS) return [list, []];
  const first = new Set(list.filter((term) => product(term) !== 0).slice(0, FIRST_TERMS));
  return [[...first], list.filter((term) => !first.has(term))];
}

function equation(result) {
  const {terms: list, layer} = result, [first, others] = firstTerms(list);
  const rest = result.source === "file" && (result.rest !== 0 || isCut(result));
  const all = `All ${plural(list.length, "term")}${isCut(result) ? ` of ${result.count}` : ""}`;
  return h("div", {class: "terms"},
    h("p", {class: "equation"},
      first.map((term, i) => termView(layer, term, i === 0)),
      others.length ? lumped(total(others, 0), plural(others.length, "more term"), !first.length) : null,
      rest ? lumped(result.rest, result.rest_words || "the rest", !list.length) : null,
      list.length || rest ? null : lumped(0, "no term", true),
      span("term sum", sign("="), span("factor", figure(format(result.value, 6), placeText(layer, result.place))))),
    list.length > 3 ? folded(all, () => termTable(result)) : null);
}

function termTable({terms: list, layer}) {
  const cell = ([value, place, words, other], i) => [i ? " · " : "", span("nobreak",
    format(value, 6), " ", place ? placeLink(other ?? layer, place) : "", words ? small(` ${words}`) : "")];
  const rows = list.slice(0, MOST_ROWS).map((term, i) => [i + 1, term.map(cell), format(product(term), 6)]);
  const more = list.length - rows.length;
  return h("div", {class: "scroll"}, table(["", "factors", "product"], rows, {class: "figures"}),
           more ? quiet(`and ${plural(more, "more term")}`) : null);
}

// What stands beside the sum: the window of a maximum, the exps of a softmax.
function workingsView({workings, layer}) {
  const item = ([value, place, note, chosen]) => h("li", {class: chosen ? "chosen" : null},
    h("b", null, format(value)), place ? placeLink(layer, place) : "", note ? small(note) : "");
  return (workings ?? []).map(({words, items}) => {
    const list = () => h("ul", {class: "workings"}, items.slice(0, MOST_ROWS).map(item));
    if (items.length <= 16) return [h("h3", null, words), list()];
    return folded(`${words} (${plural(items.length, "number")})`, list);
  });
}
