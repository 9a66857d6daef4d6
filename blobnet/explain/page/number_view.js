// The selected number: how it was made, term by term.

function numberView() {
  onSelect(showNumber);
  dark.addEventListener("change", () => showNumber(selection));
}

function showNumber(chosen) {
  const section = find("number");
  if (!chosen.index) return refill(section, bar(h("h2", null, "A number")), hintOf(chosen));
  const [layer, place] = placeOf(chosen), result = terms(layer, place), there = stored(layer, place);
  const array = chosen.which === "part" ? "a part of diff" : chosen.which;
  const heading = `${array} ${indexText(chosen.index)} = ${exactly(there ?? result.value)}`;
  refill(section, bar(h("h2", null, heading, small(nameOf(chosen)))),
         result.source ? worked(result, there) : h("p", {class: "card"}, result.words),
         partsView(result), goesTo(chosen));
  find("live").textContent = `${nameOf(chosen)}, ${heading}. ${result.words}`;
}

function hintOf({layer}) {
  const cells = net.layers.get(layer).cells.slice(0, 8);
  return h("div", {class: "card quiet"},
           h("p", null, "Choose a number in a picture above: with the pointer, or with the arrow keys and Enter."),
           cells.length ? h("p", null, "For example: ", cells.map(({place}) => [placeLink(layer, place), " "])) : null);
}

// Which layer worked the number out, above the sum.
function byWhom(result) {
  const layer = net.layers.get(result.layer), way = result.place[2] === "diff" ? "Backward of " : "Forward of ";
  const ahead = result.source === "file" ? ": these terms were worked out when the file was made" : "";
  return h("p", {class: "by"}, way, linkText(hashOf({layer: layer.index}), layer.name), ` (${layer.type})${ahead}`);
}

function worked(result, there) {
  return h("div", {class: "columns number"},
    h("div", {class: "card"}, byWhom(result), h("p", null, result.words), equation(result), sumLine(result, there),
      workingsView(result), proofView(result)),
    h("div", {class: "card"}, litPictures(result)));
}

// The sum beside what the blob holds.
function sumLine(result, there) {
  const sum = ["sum of the terms", exactly(result.value)];
  if (there === undefined) return facts([sum, ["in the blob", "left out"]]);
  const gap = result.value - there, verdict = isSmall(gap, result, there) ? "passed" : "failed";
  return facts([sum, ["in the blob", exactly(there)], ["difference", span(verdict, format(gap, 2))]]);
}

function isSmall(gap, {layer, place: [kind, number, which]}, there) {
  const [low, high] = arrayOf(net.layers.get(layer), kind, number, which)?.range ?? [there, there];
  return gap === 0 || Math.abs(gap) <= 1e-5 * Math.max(Math.abs(low), Math.abs(high));
}

// The parts of a diff that several layers hand down, each worked out.
function partsView(result) {
  if (!result.parts) return null;
  return result.terms.map(([[, place, , layer]]) => {
    const part = terms(layer, place), body = part.source ? worked(part, stored(layer, place))
      : h("p", {class: "card"}, part.words);
    return h("div", null, h("h3", null, `The part from ${net.layers.get(layer).name}`), body);
  });
}

// Where a number of data goes on to.
function goesTo({value, which}) {
  if (value === null || which !== "data") return null;
  const readers = net.values.get(value).readers.map(([reader]) => net.layers.get(reader)).filter(Boolean);
  const links = readers.map((layer, i) => [i ? ", " : "", linkText(hashOf({layer: layer.index}), layer.name)]);
  return links.length ? quiet("It goes on to ", links, ".") : null;
}
