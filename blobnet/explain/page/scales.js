// Colours of numbers.

const dark = matchMedia("(prefers-color-scheme: dark)");

// Colours from the first to the last of `stops`, 256 of them.
function ramp(stops) {
  return Array.from({length: 256}, (_, i) => {
    const place = i / 255 * (stops.length - 1), from = Math.min(Math.floor(place), stops.length - 2);
    const part = place - from;
    return stops[from].map((level, k) => Math.round(level + (stops[from + 1][k] - level) * part));
  });
}

const BLUE_WHITE_RED = [[24, 62, 140], [67, 121, 196], [160, 193, 232], [248, 248, 246], [243, 180, 160], [210, 86, 72],
                        [142, 22, 40]];
const BLUE_DARK_RED = [[150, 196, 255], [74, 134, 214], [38, 70, 116], [38, 43, 50], [122, 48, 42], [222, 98, 78],
                       [255, 182, 150]];
const RAMPS = {
  gray: ramp([[0, 0, 0], [255, 255, 255]]),
  diverging: ramp(BLUE_WHITE_RED),
  night: ramp(BLUE_DARK_RED),
  light: ramp([[249, 248, 243], [196, 222, 214], [104, 172, 176], [38, 108, 140], [16, 48, 92]]),
  dark: ramp([[22, 27, 34], [26, 66, 96], [40, 120, 144], [112, 186, 180], [236, 246, 226]]),
};

const BAD = [255, 0, 200];  // of what is not finite

// {low, high, kind, colour(value)}: gray for images, one hue for numbers of one sign, else blue to red around 0.
function scaleOf([low, high], image = false) {
  if (!image && low < 0) {
    const reach = Math.max(-low, high) || 1;
    return scale("diverging", -reach, reach);
  }
  return image ? scale("gray", low, high) : scale("sequential", Math.min(0, low), high || 1);
}

function scale(kind, low, high) {
  const [sequential, diverging] = dark.matches ? ["dark", "night"] : ["light", "diverging"];
  const colours = RAMPS[{sequential, diverging, gray: "gray"}[kind]];
  const factor = high > low ? 255 / (high - low) : 0;
  const colour = (value) => Number.isFinite(value)
    ? colours[Math.max(0, Math.min(255, Math.round((value - low) * factor)))] : BAD;
  return {kind, low, high, colour, colours};
}

// The colour as CSS, and the one that letters on it have.
const css = ([r, g, b]) => `rgb(${r} ${g} ${b})`;
const ink = ([r, g, b]) => 0.3 * r + 0.59 * g + 0.11 * b > 140 ? "#15181c" : "#fff";

// A band of all colours of a scale.
function rampOf({colours}, name = "ramp") {
  const stops = Array.from({length: 9}, (_, i) => css(colours[Math.round(i * 255 / 8)])).join(",");
  return h("span", {class: name, style: `background:linear-gradient(to right,${stops})`});
}

function legend(scale) {
  const {kind, low, high} = scale, middle = kind === "diverging" ? h("span", null, "0") : null;
  return h("div", {class: "scale", "aria-hidden": "true"}, rampOf(scale),
           h("span", {class: "ends"}, h("span", null, format(low, 3)), middle, h("span", null, format(high, 3))));
}

const PALETTE = ["#3a78c2", "#d9652b", "#2f9e77", "#b0559c", "#c99a16", "#4aa3c9", "#8a6d4e", "#7a7fd1"];
