// How an array lies on the plane: tiles of rows and columns, and which index each cell has.

const MOST_TILES = 64;  // drawn at a time

// {kind: "bars" | "cells", tiles: [{name, rows, cols, index(r, c)}], pages}: `n` is the image, or the filter of
// parameters; `page` says which tiles: a number of a page, or "c3" for a single one; `colour` puts three channels into
// one tile.
function layOut(array, {n: wanted = 0, page = "0", parameter = false, colour = false} = {}) {
  const {kept} = array, rank = kept.length, n = Math.min(wanted, (kept[0] ?? 1) - 1);
  if (!sizeOf(kept)) return cells([], page);
  if (sizeOf(array.full) === 1) return cells([{name: "", rows: 1, cols: 1, index: () => kept.map(() => 0)}], "0");
  if (rank < 2) return bars(kept[0], (c) => [c]);
  const points = rank > 2 && sizeOf(array.full.slice(2)) === 1, zeros = new Array(rank - 2).fill(0);
  if (parameter && (rank === 2 || points)) {
    return cells([{name: "", rows: kept[0], cols: kept[1], index: (r, c) => [r, c, ...zeros]}], page);
  }
  if (rank === 2 || points) return bars(kept[1], (c) => [n, c, ...zeros]);
  if (rank === 3 && !parameter) return cells([plane([n], kept)], page);
  if (colour) return cells(parameter ? along(kept[0], (k) => plane([k, 0], kept)) : [plane([n, 0], kept)], page);
  const tiles = [], first = parameter && !picksFirst(array) ? null : n;
  const middle = kept.slice(first === null ? 0 : 1, -2);
  eachIndex(middle, (index) => tiles.push(plane(first === null ? [...index] : [first, ...index], kept)));
  return cells(tiles, page);
}

// Whether the first axis is chosen by a stepper, rather than shown in tiles.
const picksFirst = (array) => array.full.length > 3 && array.full[1] !== 1;

const along = (count, make) => Array.from({length: count}, (_, i) => make(i));

const bars = (count, index) => ({kind: "bars", pages: [],
                                 tiles: count ? [{name: "", rows: 1, cols: count, index: (r, c) => index(c)}] : []});

function plane(prefix, kept) {
  const [rows, cols] = kept.slice(-2);
  return {name: String(prefix[prefix.length - 1]), rows, cols, index: (r, c) => [...prefix, r, c]};
}

function cells(tiles, page) {
  const count = Math.ceil(tiles.length / MOST_TILES), pages = [];
  for (let i = 0; i < count; i++) {
    const last = Math.min((i + 1) * MOST_TILES, tiles.length) - 1;
    pages.push([String(i), count === 1 ? "all" : `${i * MOST_TILES}–${last}`]);
  }
  tiles.forEach((tile, i) => pages.push([`c${i}`, tile.name || String(i)]));
  const single = page.startsWith("c") ? tiles.slice(Number(page.slice(1)), Number(page.slice(1)) + 1) : null;
  const start = Number(page) * MOST_TILES;
  return {kind: "cells", pages: tiles.length > 1 ? pages : [], tiles: single ?? tiles.slice(start, start + MOST_TILES)};
}

const CELL_SIZES = [46, 40, 34, 28, 24, 20, 17, 14, 12, 10, 8, 7, 6, 5, 4, 3, 2.5, 2, 1.5, 1];
const GAP = 6;

// The largest cells with which all tiles fit into width x height, and how many tiles stand in a row.
function pack(tiles, width, height) {
  const rows = Math.max(...tiles.map((tile) => tile.rows)), cols = Math.max(...tiles.map((tile) => tile.cols));
  for (const size of CELL_SIZES) {
    const across = Math.min(tiles.length, Math.floor((width + GAP) / (cols * size + GAP)));
    if (across && Math.ceil(tiles.length / across) * (rows * size + GAP) - GAP <= height) return {size, across};
  }
  return {size: 1, across: Math.max(1, Math.floor((width + GAP) / (cols + GAP)))};
}
