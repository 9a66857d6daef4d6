// Vectors as bars around 0.

const BAR_HEIGHT = 150;

function barBoxes(tiles, width, named) {
  return tiles.map((tile) => {
    const w = Math.max(width / tile.cols >= 1 ? 1 : 0.5, Math.min(56, Math.floor(width / tile.cols * 2) / 2));
    return {tile, x: 0, y: 0, w, h: BAR_HEIGHT, below: named || tile.cols <= 24 ? 18 : 0};
  });
}

function paintBars(picture, {tile, y, w, h: height, below}) {
  const {pen, scale} = picture, styles = getComputedStyle(document.documentElement);
  const {base, right} = gridOf(picture.array, tile);
  const values = Array.from({length: tile.cols}, (_, c) => picture.array.item(base + c * right));
  const finite = values.filter(Number.isFinite), low = Math.min(0, ...finite), high = Math.max(0, ...finite);
  const reach = high - low || 1, at = (value) => y + 16 + (high - value) / reach * (height - 32);
  values.forEach((value, c) => {
    const top = at(Math.max(0, value)), bottom = at(Math.min(0, value)), gap = w > 4 ? Math.min(4, w * 0.2) : 0;
    pen.globalAlpha = picture.isLit(base + c * right) ? 1 : 0.25;
    pen.fillStyle = barColour(scale, value);
    pen.fillRect(c * w + gap / 2, top, w - gap, Math.max(1, bottom - top));
    if (w >= 38) barNumber(pen, styles, brief(value), (c + 0.5) * w, value < 0 ? bottom + 8 : top - 6);
    if (below && w >= 14) barNumber(pen, styles, label(picture, tile, c, w), (c + 0.5) * w, height + 9);
  });
  pen.globalAlpha = 1;
  pen.fillStyle = styles.getPropertyValue("--soft");
  pen.fillRect(0, Math.round(at(0)), tile.cols * w, 1);
}

const barColour = (scale, value) => css(scale.kind === "diverging"
  ? scale.colours[value < 0 ? 50 : 206] : scale.colours[scale.kind === "sequential" ? 160 : 110]);

function label(picture, tile, c, w) {
  const index = tile.index(0, c), text = picture.names?.[index[1] ?? index[0]] ?? String(c);
  return text.length * 6 > w ? `${text.slice(0, Math.max(1, Math.floor(w / 6) - 1))}…` : text;
}

function barNumber(pen, styles, text, x, y) {
  pen.fillStyle = styles.getPropertyValue("--soft");
  pen.font = `10px ${getComputedStyle(document.body).fontFamily}`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillText(text, x, y);
}
