// What the cells of a picture look like.

function cellBoxes(tiles, width, height) {
  if (!tiles.length) return [];
  const {size, across} = pack(tiles, width, height), boxes = [];
  tiles.forEach((tile, i) => {
    const x = i % across * (tile.cols * size + GAP), y = Math.floor(i / across) * (tile.rows * size + GAP);
    boxes.push({tile, x, y, w: size, h: size});
  });
  return boxes;
}

// Where the items of a tile are among those that are here: at base + r * down + c * right.
function gridOf({kept}, {index, rows, cols}) {
  const base = ravel(index(0, 0), kept), step = (there, r, c) => there ? ravel(index(r, c), kept) - base : 0;
  return {base, down: step(rows > 1, 1, 0), right: step(cols > 1, 0, 1)};
}

// The three channels at the place of an item of the first one.
function threeOf({array}, item) {
  const plane = sizeOf(array.kept.slice(-2));
  return [0, 1, 2].map((channel) => array.item(item + channel * plane));
}

function colourAt(picture, item) {
  if (!picture.colour) return picture.scale.colour(picture.array.item(item));
  const {low, high} = picture.scale, factor = 255 / (high - low || 1);
  const levels = threeOf(picture, item).map((value) => (value - low) * factor);
  return picture.colour === "BGR" ? levels.reverse() : levels;
}

const DIM = 0.72;  // how far cells that a number was not made of go back into the card

function paintCells(picture, box) {
  const {rows, cols} = box.tile, pen = picture.pen;
  box.painted ??= tileImage(picture, box.tile);
  pen.imageSmoothingEnabled = false;
  pen.drawImage(box.painted, box.x, box.y, cols * box.w, rows * box.h);
  if (box.w >= 8) paintGrid(picture, box);
  if (box.w >= 34 && !picture.colour) paintNumbers(picture, box);
  if (picture.lit) paintWindow(picture, box);
}

// A tile with one point for each cell.
function tileImage(picture, tile) {
  const {rows, cols} = tile, image = new ImageData(cols, rows), plain = dark.matches ? 30 : 244;
  const {base, down, right} = gridOf(picture.array, tile);
  for (let r = 0, at = 0; r < rows; r++) {
    for (let c = 0; c < cols; c++, at += 4) {
      const item = base + r * down + c * right, colour = colourAt(picture, item), lit = picture.isLit(item);
      for (let k = 0; k < 3; k++) image.data[at + k] = lit ? colour[k] : colour[k] * (1 - DIM) + plain * DIM;
      image.data[at + 3] = 255;
    }
  }
  const canvas = h("canvas", {width: cols, height: rows});
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

function paintGrid({pen}, {tile, x, y, w, h: height}) {
  pen.strokeStyle = dark.matches ? "rgb(0 0 0 / 35%)" : "rgb(255 255 255 / 55%)";
  pen.lineWidth = 1;
  pen.beginPath();
  for (let r = 1; r < tile.rows; r++) line(pen, x, y + r * height, x + tile.cols * w, y + r * height);
  for (let c = 1; c < tile.cols; c++) line(pen, x + c * w, y, x + c * w, y + tile.rows * height);
  pen.stroke();
  pen.strokeStyle = dark.matches ? "rgb(255 255 255 / 22%)" : "rgb(20 30 40 / 22%)";
  pen.strokeRect(x + 0.5, y + 0.5, tile.cols * w - 1, tile.rows * height - 1);
}

function line(pen, ...[x0, y0, x1, y1]) {
  pen.moveTo(x0, y0);
  pen.lineTo(x1, y1);
}

function paintNumbers(picture, {tile, x, y, w, h: height}) {
  const {pen} = picture, {base, down, right} = gridOf(picture.array, tile);
  pen.font = `${w >= 44 ? 11 : 9.5}px ${getComputedStyle(document.body).fontFamily}`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  for (let r = 0; r < tile.rows; r++) {
    for (let c = 0; c < tile.cols; c++) {
      const item = base + r * down + c * right, lit = picture.isLit(item);
      pen.fillStyle = lit ? ink(colourAt(picture, item)) : dark.matches ? "#9099a3" : "#7b828a";
      pen.fillText(brief(picture.array.item(item)), x + (c + 0.5) * w, y + (r + 0.5) * height + 0.5);
    }
  }
}

// A line around the lit cells of a tile.
function paintWindow(picture, {tile, x, y, w, h: height}) {
  const pen = picture.pen, {base, down, right} = gridOf(picture.array, tile);
  const inside = (r, c) => r >= 0 && c >= 0 && r < tile.rows && c < tile.cols;
  const lit = (r, c) => inside(r, c) && picture.isLit(base + r * down + c * right);
  pen.beginPath();
  for (let r = 0; r < tile.rows; r++) {
    for (let c = 0; c < tile.cols; c++) {
      if (!lit(r, c)) continue;
      const [left, top, right, bottom] = [x + c * w, y + r * height, x + (c + 1) * w, y + (r + 1) * height];
      if (!lit(r - 1, c)) line(pen, left, top, right, top);
      if (!lit(r + 1, c)) line(pen, left, bottom, right, bottom);
      if (!lit(r, c - 1)) line(pen, left, top, left, bottom);
      if (!lit(r, c + 1)) line(pen, right, top, right, bottom);
    }
  }
  pen.lineWidth = 2;
  pen.strokeStyle = getComputedStyle(document.documentElement).getPropertyValue("--accent");
  pen.stroke();
}
