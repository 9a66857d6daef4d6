// The head of the page, its legend, and what is left out of it.

function headView() {
  const {header} = net, marked = header.layers.filter((layer) => layer.marks.length);
  const code = (text) => text ? h("code", null, text) : "";
  const told = [["source", code(header.source)], ["phase", header.phase], ["batch", header.batch],
                ["loss", header.loss === null ? "" : format(header.loss)], ["made by", code(header.command)]];
  find("head").append(
    h("p", {class: "kicker"}, "Every number of forward and backward"), h("h1", null, header.title),
    facts(told.filter(([, value]) => isShown(value) && value !== "")),
    marked.length ? marksView(marked) : quiet("No layer needs a look: no marks were found."), legendView());
  jumps();
}

function marksView(marked) {
  const kinds = (layer) => layer.marks.map((mark) => span("mark", mark.kind));
  const link = (layer) => linkText(hashOf({layer: layer.index}), layer.name);
  const links = marked.map((layer) => h("li", null, link(layer), " ", kinds(layer)));
  const title = `${plural(marked.length, "layer")} ${marked.length === 1 ? "needs" : "need"} a look`;
  return h("div", {class: "note"}, h("strong", null, title), h("ul", {class: "inline"}, links));
}

function legendView() {
  const key = {viewBox: "0 0 34 10", class: "wire-key", "aria-hidden": "true"};
  const wire = (kind, words) => h("li", null, svg("svg", key, svg("path", {d: "M1,5H33", class: kind})), words);
  return h("details", {class: "legend"}, h("summary", null, "How to read this page"), h("ul", {class: "plain"},
    wire("data", "data, forward: the wider, the larger its numbers (root of the mean square, on a logarithmic scale)"),
    wire("diff", "diff, backward: the slope of the loss by each of these numbers; widths as above"),
    h("li", null, scaleSample([-1, 1]), "numbers around 0: blue below, red above"),
    h("li", null, scaleSample([0, 1]), "numbers of one sign"),
    h("li", null, "x, y: data of a layer's bottom and top; dx, dy: their diffs. [0, 3, 5, 5] is image 0, channel 3, "
      + "row 5, column 5.")),
    h("p", null, "Choose a layer in the drawing, a blob of it, and a number in a picture: the page writes out how that "
      + "number was made, and proves slopes by moving it. The address of the page holds the choice, so it can be sent "
      + "to others."));
}

const scaleSample = (range) => rampOf(scaleOf(range), "ramp short");

// Buttons that lead to the parts of the page that are there, and what is selected.
function jumps() {
  const {header} = net, parts = [
    ["net", "Net", true], ["layer", "Layer", true], ["blob", "Pictures", true], ["number", "Number", true],
    ["time", "Training", header.training], ["broken", "Broken layer", header.broken], ["pairs", "Pairs", header.pairs],
    ["left-out", "Left out", header.left_out?.length]];
  const jump = ([id, text]) => h("button", {type: "button", onclick: () => jumpTo(id)}, text);
  const now = h("output", {class: "now"});
  onSelect(({layer, which, index}) => {
    now.textContent = net.layers.get(layer).name + (index ? ` › ${which} ${indexText(index)}` : "");
  });
  find("jumps").append(h("div", null, parts.filter(([, , there]) => there).map(jump), now));
}

const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

const jumpTo = (id) => find(id).scrollIntoView({behavior: calm() ? "auto" : "smooth"});

const FIRST_LINES = 12;

function leftOutView() {
  const lines = net.header.left_out ?? [], section = find("left-out");
  const list = (some) => h("ul", null, some.map((text) => h("li", null, text))), more = lines.slice(FIRST_LINES);
  section.hidden = !lines.length;
  refill(section, bar(h("h2", null, "What is left out, or made up")), list(lines.slice(0, FIRST_LINES)),
         more.length ? folded(plural(more.length, "more line"), () => list(more)) : null);
}
