// The data of the page: inflated, arrays read by their places in the whole array.

class LeftOut extends Error {}

async function inflate(base64) {
  const text = atob(base64.trim()), packed = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) packed[i] = text.charCodeAt(i);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

// {header, bytes}: the JSON, and the numbers behind it from the next multiple of 8 on.
async function readPayload(base64) {
  const buffer = await inflate(base64), length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  return {header, bytes: new Uint8Array(buffer, Math.ceil((4 + length) / 8) * 8)};
}

const NOT_FINITE = {nan: NaN, inf: Infinity, "-inf": -Infinity};

// JSON has no words for what is not finite: such numbers come as text.
const real = (value) => typeof value === "string" ? NOT_FINITE[value] : value;

const sizeOf = (shape) => shape.reduce((product, size) => product * size, 1);

function ravel(index, shape) {
  let flat = 0;
  for (let axis = 0; axis < shape.length; axis++) flat = flat * shape[axis] + index[axis];
  return flat;
}

function unravel(flat, shape) {
  const index = new Array(shape.length);
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    index[axis] = flat % shape[axis];
    flat = Math.floor(flat / shape[axis]);
  }
  return index;
}

// Call visit(index) for all indices of `shape`, the last axis fastest. The index is one array, changed between calls.
function eachIndex(shape, visit) {
  const index = new Array(shape.length).fill(0);
  for (let left = sizeOf(shape); left > 0; left--) {
    visit(index);
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis] === shape[axis]; axis--) index[axis] = 0;
  }
}

class Numbers {
  // An array of the payload; only a corner of it may be here.
  constructor(spec, bytes) {
    this.kept = spec.shape;
    this.full = spec.full;
    this.exact = spec.type === "f4";
    this.whole = spec.shape.every((size, axis) => size === spec.full[axis]);
    const start = bytes.byteOffset + spec.at, count = sizeOf(spec.shape);
    this.items = this.exact ? new Float32Array(bytes.buffer.slice(start, start + 4 * count))
      : new Uint8Array(bytes.buffer, start, count);
    this.low = real(spec.low);
    this.step = this.exact ? 0 : (real(spec.high) - this.low) / 255;
  }

  item(i) {
    if (this.exact) return this.items[i];
    const value = this.low + this.items[i] * this.step;
    return Math.abs(value) < 0.51 * this.step ? 0 : value;  // what was 0 stays 0
  }

  has(index) {
    return index.every((position, axis) => position < this.kept[axis]);
  }

  // The number at a flat position of the whole array; LeftOut where it is not here.
  at(flat) {
    if (this.whole) return this.item(flat);
    return this.of(unravel(flat, this.full));
  }

  of(index) {
    if (!this.has(index)) throw new LeftOut(indexText(index));
    return this.item(ravel(index, this.kept));
  }

  // The lowest and the highest finite number.
  get range() {
    if (this.extent) return this.extent;
    let low = Infinity, high = -Infinity;
    for (let i = 0; i < this.items.length; i++) {
      const value = this.item(i);
      if (value < low && value !== -Infinity) low = value;
      if (value > high && value !== Infinity) high = value;
    }
    return this.extent = low <= high ? [low, high] : [0, 0];
  }
}
