// A picture of an array: cells to look at, to walk through with the arrow keys, and to choose.

class Picture {
  // options: array, label, layout (of layOut), scale, width, height; and onpick(index), names, colour, offers (indices
  // that get a mark), lit (the indices that a number was made of), over(picture, box), which draws on a box
  constructor(options) {
    Object.assign(this, options);
    this.cursor = this.chosen = null;
    this.lit &&= new Set(this.lit.map((index) => ravel(index, this.array.kept)));
    this.canvas = h("canvas", {tabindex: 0, role: "application", "aria-roledescription": "picture of numbers",
                               "aria-label": `${this.label}. Arrow keys move, Enter chooses a number.`});
    this.readout = h("output", {class: "readout"}, "\u00a0");
    this.element = h("figure", {class: "picture"}, h("div", {class: "frame"}, this.canvas), this.readout);
    this.place();
    this.listen();
    this.draw();
  }

  place() {
    const {tiles, kind} = this.layout;
    this.boxes = kind === "bars" ? barBoxes(tiles, this.width, Boolean(this.names))
      : cellBoxes(tiles, this.width, this.height);
    const right = Math.max(1, ...this.boxes.map((box) => box.x + box.tile.cols * box.w));
    const bottom = Math.max(1, ...this.boxes.map((box) => box.y + box.tile.rows * box.h + (box.below ?? 0)));
    const ratio = window.devicePixelRatio || 1;
    Object.assign(this.canvas, {width: Math.ceil(right * ratio), height: Math.ceil(bottom * ratio)});
    this.canvas.style.width = `${right}px`;
    this.canvas.style.height = `${bottom}px`;
    this.pen = this.canvas.getContext("2d");
    this.pen.scale(ratio, ratio);
  }

  // Outline the cell of the index that is selected, or none.
  choose(index) {
    this.chosen = index;
    this.draw();
  }

  draw() {
    this.pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
    const paint = this.layout.kind === "bars" ? paintBars : paintCells;
    for (const box of this.boxes) {
      paint(this, box);
      this.over?.(this, box);
    }
    for (const index of this.offers ?? []) this.tick(this.locate(index));
    if (this.chosen) this.outline(this.locate(this.chosen), "chosen");
    if (this.cursor && document.activeElement === this.canvas) this.outline(this.cursor, "cursor");
  }

  isLit(item) {
    return !this.lit || this.lit.has(item);
  }

  // The cell {box, r, c} of an index; null where it is not shown.
  locate(index) {
    const text = String(this.colour ? index.map((i, axis) => axis === index.length - 3 ? 0 : i) : index);
    const last = index.length - 1, tries = this.layout.kind === "bars" ? [[0, index[1] ?? index[0] ?? 0]]
      : [[index[last - 1] ?? 0, index[last] ?? 0], [index[0], index[1]]];
    for (const box of this.boxes) {
      const at = tries.find(([row, col]) => row < box.tile.rows && col < box.tile.cols
        && String(box.tile.index(row, col)) === text);
      if (at) return {box, r: at[0], c: at[1]};
    }
    return null;
  }

  outline(cell, kind) {
    if (!cell) return;
    const {box, r, c} = cell, styles = getComputedStyle(document.documentElement), pen = this.pen;
    const x = box.x + c * box.w, y = box.y + r * box.h, w = Math.max(box.w, 3), height = Math.max(box.h, 3);
    pen.lineWidth = 4;
    pen.strokeStyle = styles.getPropertyValue("--card");
    pen.strokeRect(x + 1, y + 1, w - 2, height - 2);
    pen.lineWidth = 2;
    pen.strokeStyle = styles.getPropertyValue(kind === "chosen" ? "--accent" : "--ink");
    pen.strokeRect(x + 1, y + 1, w - 2, height - 2);
  }

  // A corner that says: these terms are in the file.
  tick(cell) {
    if (!cell) return;
    const {box, r, c} = cell, x = box.x + c * box.w, y = box.y + r * box.h;
    const side = Math.max(3, Math.min(9, box.w * 0.4));
    this.pen.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--accent");
    this.pen.beginPath();
    this.pen.moveTo(x, y);
    this.pen.lineTo(x + side, y);
    this.pen.lineTo(x, y + side);
    this.pen.fill();
  }

  at(event) {
    const frame = this.canvas.getBoundingClientRect();
    const x = (event.clientX - frame.left) * this.canvas.clientWidth / frame.width;
    const y = (event.clientY - frame.top) * this.canvas.clientHeight / frame.height;
    for (const box of this.boxes) {
      const c = Math.floor((x - box.x) / box.w), r = Math.floor((y - box.y) / box.h);
      if (c >= 0 && r >= 0 && c < box.tile.cols && r < box.tile.rows) return {box, r, c};
    }
    return null;
  }

  say(cell) {
    if (!cell) return void (this.readout.textContent = "\u00a0");
    const index = cell.box.tile.index(cell.r, cell.c), name = this.names?.[index[1] ?? index[0]];
    const item = ravel(index, this.array.kept), values = this.colour ? threeOf(this, item) : [this.array.item(item)];
    const value = values.map((one) => format(one, this.colour ? 4 : 6)).join(", ");
    this.readout.textContent = `${indexText(index)}${name ? ` ${name}` : ""} = ${value}`;
  }

  listen() {
    const canvas = this.canvas;
    canvas.addEventListener("pointermove", (event) => this.say(this.at(event)));
    canvas.addEventListener("pointerleave", () => this.say(this.cursor));
    canvas.addEventListener("click", (event) => this.pick(this.at(event)));
    canvas.addEventListener("keydown", (event) => this.key(event));
    for (const name of ["focus", "blur"]) canvas.addEventListener(name, () => {
      this.cursor ??= (this.chosen && this.locate(this.chosen)) ?? this.first();
      if (name === "focus") this.say(this.cursor);
      this.draw();
    });
  }

  first() {
    return this.boxes.length ? {box: this.boxes[0], r: 0, c: 0} : null;
  }

  pick(cell) {
    if (!cell) return;
    this.cursor = cell;
    this.onpick?.(cell.box.tile.index(cell.r, cell.c));
  }

  key(event) {
    if (!this.cursor) return;
    if (event.key === "Enter" || event.key === " ") this.pick(this.cursor);
    else if (!this.move(event.key)) return;
    event.preventDefault();
    this.say(this.cursor);
    this.draw();
  }

  // Whether the key moves the cursor; at the sides of a tile it goes on in the next one.
  move(key) {
    const {box, r, c} = this.cursor, {rows, cols} = box.tile, at = this.boxes.indexOf(box);
    const to = (number, row, col) => this.boxes[number] ? {box: this.boxes[number], r: row, c: col} : this.cursor;
    const moves = {
      ArrowRight: () => c + 1 < cols ? to(at, r, c + 1) : to(at + 1, r, 0),
      ArrowLeft: () => c ? to(at, r, c - 1) : to(at - 1, r, cols - 1),
      ArrowDown: () => to(at, Math.min(r + 1, rows - 1), c), ArrowUp: () => to(at, Math.max(r - 1, 0), c),
      PageDown: () => to(at + 1, r, c), PageUp: () => to(at - 1, r, c),
      Home: () => to(at, r, 0), End: () => to(at, r, cols - 1),
    };
    if (moves[key]) this.cursor = moves[key]();
    return Boolean(moves[key]);
  }
}
