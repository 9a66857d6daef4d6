// Charts of lines, with values under the pointer and a table of all numbers.

const CHART = {width: 560, height: 270, left: 66, right: 16, top: 12, bottom: 42};

// series: [{name, points: [[x, y], …], strong}]; options: title, across (what x is), log, from (where y begins at most)
function chart(given, {title, across = "iteration", log = false, from = null} = {}) {
  const series = given.map(styled), drawn = series.flatMap((one) => one.points);
  const {width, height, left, right, top, bottom} = CHART, [low, high] = extent(drawn.map(([, b]) => b), log);
  const x = linearAxis(extent(drawn.map(([a]) => a)), left, width - right);
  const y = (log ? logAxis : linearAxis)([from === null ? low : Math.min(from, low), high], height - bottom, top);
  const cursor = svg("line", {class: "cursor", y1: top, y2: height - bottom, visibility: "hidden"});
  const readout = h("output", {class: "readout"}, "\u00a0"), strong = series.some((one) => one.strong);
  const line = (one) => svg("path", {
    d: pathOf(one.points, x, y, log), stroke: one.colour, "stroke-dasharray": one.dash,
    class: strong && !one.strong ? "line faint" : "line"}, svg("title", null, one.name));
  const label = `${title}: ${series.map((one) => one.name).join(", ")}. Arrow keys read values; a table has them all.`;
  const drawing = svg("svg", {viewBox: `0 0 ${width} ${height}`, tabindex: 0, role: "img", "aria-label": label},
                      axisMarks(x, y, across), series.map(line), cursor);
  readAlong(drawing, series, x, cursor, readout, across);
  return h("figure", {class: "chart card"}, h("figcaption", null, title), drawing, readout, keyOf(series, strong),
           folded("All numbers", () => numbersOf(series, across)));
}

const DASHES = [null, "6 3", "2 3"];

const styled = (one, i) => ({
  ...one, colour: PALETTE[i % PALETTE.length], dash: DASHES[Math.floor(i / PALETTE.length) % DASHES.length],
  points: one.points.map(([a, b]) => [a, real(b)])});

// All x of the series, in order.
function placesAcross(series) {
  const places = new Set(series.flatMap((one) => one.points.map(([a]) => a)));
  return [...places].sort((a, b) => a - b);
}

function axisMarks(x, y, across) {
  const {width, height, left, right, bottom} = CHART, base = height - bottom;
  return svg("g", {class: "axes", "aria-hidden": "true"},
    y.ticks.map(([value, text]) => [
      svg("line", {x1: left, x2: width - right, y1: y.at(value), y2: y.at(value)}),
      svg("text", {x: left - 8, y: y.at(value) + 4.5, "text-anchor": "end"}, text)]),
    x.ticks.map(([value, text]) => svg("text", {x: x.at(value), y: base + 18, "text-anchor": "middle"}, text)),
    svg("text", {x: (left + width - right) / 2, y: height - 4, "text-anchor": "middle"}, across));
}

function keyOf(series, strong) {
  const sample = ({colour, dash}) => svg("svg", {viewBox: "0 0 22 8", "aria-hidden": "true"}, svg("line", {
    x1: 0, x2: 22, y1: 4, y2: 4, stroke: colour, "stroke-width": 2.5, "stroke-dasharray": dash}));
  return h("ul", {class: "key"}, series.map((one) =>
    h("li", {class: strong && !one.strong ? "faint" : null}, sample(one), one.name)));
}

// Say the values at the place of the pointer, or of the arrow keys.
function readAlong(drawing, series, x, cursor, readout, across) {
  const places = placesAcross(series);
  let at = places.length - 1;
  const show = () => {
    if (at < 0) return;
    const place = places[at], values = series.map((one) => [one.name, one.points.find(([a]) => a === place)?.[1]])
      .filter(([, value]) => value !== undefined).slice(0, 6);
    readout.textContent = `${across} ${place}: ${values.map(([name, value]) => `${name} ${format(value)}`).join(", ")}`;
    cursor.setAttribute("x1", x.at(place));
    cursor.setAttribute("x2", x.at(place));
    cursor.setAttribute("visibility", "visible");
  };
  drawing.addEventListener("pointermove", (event) => {
    const frame = drawing.getBoundingClientRect(), paper = (event.clientX - frame.left) * CHART.width / frame.width;
    const gaps = places.map((place) => Math.abs(x.at(place) - paper));
    at = gaps.indexOf(Math.min(...gaps));
    show();
  });
  drawing.addEventListener("focus", show);
  drawing.addEventListener("keydown", (event) => {
    const step = {ArrowLeft: -1, ArrowRight: 1}[event.key];
    if (!step) return;
    event.preventDefault();
    at = Math.max(0, Math.min(places.length - 1, at + step));
    show();
  });
}

function numbersOf(series, across) {
  const places = placesAcross(series);
  const found = series.map((one) => new Map(one.points));
  return h("div", {class: "scroll"}, table([across, ...series.map((one) => one.name)], places.map((place) =>
    [place, ...found.map((points) => points.has(place) ? format(points.get(place)) : "")])));
}
