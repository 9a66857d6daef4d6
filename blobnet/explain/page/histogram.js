// Histograms: how often numbers of each size are there.

const HISTOGRAM = {width: 260, height: 64};

function histogramView(histogram, words) {
  if (!histogram) return null;
  const {width, height} = HISTOGRAM, low = real(histogram.low), high = real(histogram.high), {counts} = histogram;
  const most = Math.max(1, ...counts), step = width / counts.length, colours = scaleOf([low, high]);
  const middle = (i) => low + (i + 0.5) / counts.length * (high - low);
  const bars = counts.map((count, i) => svg("rect", {
    x: (i * step + 0.5).toFixed(1), width: (step - 1).toFixed(1), y: (height - count / most * height).toFixed(1),
    height: (count / most * height).toFixed(1), fill: barColour(colours, middle(i))},
    svg("title", null, `${format(low + i / counts.length * (high - low), 3)} to `
      + `${format(low + (i + 1) / counts.length * (high - low), 3)}: ${count}`)));
  const zero = low < 0 && high > 0 ? -low / (high - low) * width : null;
  const mark = zero === null ? null : svg("line", {x1: zero, x2: zero, y1: 0, y2: height, class: "zero"});
  return h("figure", {class: "histogram"},
           svg("svg", {viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `Histogram of ${words}, from `
             + `${format(low)} to ${format(high)}`, preserveAspectRatio: "none"}, bars, mark),
           h("div", {class: "ends"}, [format(low, 3), words, format(high, 3)].map((text) => h("span", null, text))));
}
