// Numbers and places as text.

const MINUS = "−";
const signed = (text) => text.replaceAll("-", MINUS);

// Four digits, trailing zeros dropped; "1.2e−5" where it is small or large.
function format(value, digits = 4) {
  if (value === null || value === undefined) return "–";
  if (typeof value === "string") value = real(value);
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : `${MINUS}∞`;
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 10 ** digits && size < 1e6) return signed(String(Math.round(value)));
  let text = size >= 1e6 || size < 1e-4 ? value.toExponential(digits - 1) : value.toPrecision(digits);
  if (text.includes("e")) text = text.replace(/\.?0*e\+?/, "e");
  else if (text.includes(".")) text = text.replace(/\.?0+$/, "");
  return signed(text);
}

// As short as it fits into a cell.
function brief(value) {
  const size = Math.abs(value);
  if (size > 0 && (size < 1e-3 || size >= 1e5)) return signed(value.toExponential(0).replace("e+", "e"));
  return format(value, size < 0.01 ? 1 : 2);
}

// All digits that a float32 has.
const exactly = (value) => format(value, 9);

// In brackets where a sign would meet another one.
const inBrackets = (value) => real(value) < 0 || Object.is(real(value), -0) ? `(${format(value)})` : format(value);

const indexText = (index) => index.length ? `[${index.join(", ")}]` : "";

const shapeText = (shape) => shape.length ? shape.join(" × ") : "one number";

const plural = (count, word) => `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;
