// Axes: from numbers to places on paper.

const niceSteps = [1, 2, 2.5, 5, 10];

function niceStep(span, count) {
  const raw = span / count || 1, power = 10 ** Math.floor(Math.log10(raw));
  return power * niceSteps.find((step) => step * power >= raw * 0.999);
}

// {at(value), ticks: [[value, text]]} of an axis from `start` to `end` on paper.
function linearAxis([low, high], start, end, count = 5) {
  if (low === high) [low, high] = [low - Math.abs(low) / 2 - 0.5, high + Math.abs(high) / 2 + 0.5];
  const step = niceStep(high - low, count), ticks = [];
  for (let value = Math.ceil(low / step) * step; value <= high + step * 1e-9; value += step) {
    ticks.push([value, format(Math.abs(value) < step * 1e-9 ? 0 : value, 3)]);
  }
  return {at: (value) => start + (value - low) / (high - low) * (end - start), ticks};
}

const RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹⁻";
const superscript = (power) => String(power).replace(/./g, (letter) => RAISED["0123456789-".indexOf(letter)]);

function logAxis([low, high], start, end) {
  let first = Math.floor(Math.log10(low)), last = Math.ceil(Math.log10(high));
  if (first === last) [first, last] = [first - 1, last + 1];
  const every = Math.ceil((last - first) / 6), ticks = [];
  for (let power = first; power <= last; power += every) ticks.push([10 ** power, `10${superscript(power)}`]);
  return {at: (value) => start + (Math.log10(value) - first) / (last - first) * (end - start), ticks};
}

// The extent of numbers that can be drawn; [1, 10] where there is none.
function extent(values, log) {
  const drawn = values.filter((value) => Number.isFinite(value) && (!log || value > 0));
  return drawn.length ? [Math.min(...drawn), Math.max(...drawn)] : [1, 10];
}

// The d of a path through the points; a gap where one cannot be drawn.
function pathOf(points, x, y, log) {
  let text = "", pen = "M";
  for (const [a, b] of points) {
    if (!Number.isFinite(b) || (log && b <= 0)) {
      pen = "M";
      continue;
    }
    text += `${pen}${x.at(a).toFixed(1)},${y.at(b).toFixed(1)}`;
    pen = "L";
  }
  return text;
}
