// A sum of products, written out.

const FIRST_TERMS = 12, MOST_ROWS = 1500;

function placeName(layer, [kind, number, which]) {
  if (kind === "param") return `${which === "diff" ? "d" : ""}${layer.params[number].name}`;
  const letter = kind === "bottom" ? "x" : "y", count = (kind === "bottom" ? layer.bottoms : layer.tops).length;
  return `${which === "diff" ? "d" : ""}${letter}${count > 1 ? number : ""}`;
}

const placeText = (layerIndex, place) => `${placeName(net.layers.get(layerIndex), place)}${indexText(place[3]).replaceAll(" ", "")}`;

const placeLink = (layerIndex, place) => h("a", {href: linkTo(layerIndex, place), class: "place"}, placeText(layerIndex, place));

// Whether the number stands at the place as it is; else it was made of what stands there.
function holds(layer, place, value) {
  const there = stored(layer, place);
  return there === undefined || Math.abs(there - value) <= 1e-5 * Math.abs(there);
}

function factorView(layerIndex, [value, place, words, other], alone) {
  const text = alone ? format(value) : inBrackets(value), layer = other ?? layerIndex;
  const own = place && holds(layer, place, value), title = [words, place ? placeText(layer, place) : ""].filter(Boolean).join(", ");
  const inside = [h("span", {class: "value"}, text), h("span", {class: "below"}, own || !words ? place ? placeText(layer, place) : "\u00a0" : words)];
  return place ? h("a", {class: "factor", href: linkTo(layer, place), title}, inside) : h("span", {class: "factor", title}, inside);
}

function termView(layerIndex, term, first) {
  const factors = term.map((factor, i) => [i ? h("span", {class: "sign"}, "·") : null, factorView(layerIndex, factor, first && term.length === 1)]);
  return h("span", {class: "term"}, first ? null : h("span", {class: "sign"}, "+"), factors);
}

function equation(result) {
  const {terms: list, layer} = result, shown = list.slice(0, FIRST_TERMS), hidden = total(list.slice(FIRST_TERMS), 0);
  const more = list.length > FIRST_TERMS ? [h("span", {class: "term"}, h("span", {class: "sign"}, "+"), h("span", {class: "factor"},
    h("span", {class: "value"}, inBrackets(hidden)), h("span", {class: "below"}, plural(list.length - FIRST_TERMS, "more term"))))] : null;
  const rest = result.source === "file" && (result.rest !== 0 || (result.count ?? 0) > list.length) ? h("span", {class: "term"},
    h("span", {class: "sign"}, "+"), h("span", {class: "factor"}, h("span", {class: "value"}, inBrackets(result.rest)),
    h("span", {class: "below"}, result.rest_words || "the rest"))) : null;
  const empty = list.length || rest ? null : h("span", {class: "term"}, h("span", {class: "factor"}, h("span", {class: "value"}, "0"),
    h("span", {class: "below"}, "no term")));
  return h("div", {class: "terms"},
    h("p", {class: "equation"}, shown.map((term, i) => termView(layer, term, i === 0)), more, rest, empty,
      h("span", {class: "term sum"}, h("span", {class: "sign"}, "="), h("span", {class: "factor"},
        h("span", {class: "value"}, format(result.value, 6)), h("span", {class: "below"}, placeText(layer, result.place))))),
    list.length > 3 ? folded(`All ${plural(list.length, "term")}${(result.count ?? 0) > list.length ? ` of ${result.count}` : ""}`,
                             () => termTable(result)) : null);
}

function termTable({terms: list, layer}) {
  const cell = ([value, place, words, other]) => [format(value, 6), " ", place ? placeLink(other ?? layer, place) : "", words ? h("small", null, ` ${words}`) : ""];
  const rows = list.slice(0, MOST_ROWS).map((term, i) => [i + 1, term.map((factor, k) => [k ? " · " : "", h("span", {class: "nobreak"}, cell(factor))]),
                                                          format(product(term), 6)]);
  return h("div", {class: "scroll"}, table(["", "factors", "product"], rows, {class: "figures"}),
           list.length > MOST_ROWS ? h("p", {class: "quiet"}, `and ${plural(list.length - MOST_ROWS, "more term")}`) : null);
}

// What stands beside the sum: the window of a maximum, the exps of a softmax.
function workingsView({workings, layer}) {
  return (workings ?? []).map(({words, items}) => {
    const list = () => h("ul", {class: "workings"}, items.slice(0, MOST_ROWS).map(([value, place, note, chosen]) =>
      h("li", {class: chosen ? "chosen" : null}, h("b", null, format(value)), place ? placeLink(layer, place) : "", note ? h("small", null, note) : "")));
    return items.length > 16 ? folded(`${words} (${plural(items.length, "number")})`, list) : [h("h3", null, words), list()];
  });
}
