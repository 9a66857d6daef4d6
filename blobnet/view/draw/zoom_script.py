"""Zoom and pan of a drawing, for every page that has one."""

SCRIPT = r"""
// A drawing in a frame that scrolls: larger and smaller by Ctrl and the wheel, by two fingers, and by the keys + - 0;
// dragged with the mouse. Scrolling by wheel, finger and arrow keys is the frame's own. `side`, "Width" or "Height", is
// the one that is to fit; the frame must have a height of its own for the second.
function zoomable(frame, drawing, side = "Width") {
  const LEAST = 0.05, MOST = 6, STEP = 1.3;
  let zoom = 1, drag = null, pinch = null;
  const looks = getComputedStyle(frame), ends = side === "Width" ? ["Left", "Right"] : ["Top", "Bottom"];
  const fitting = () => ends.reduce((room, end) => room - parseFloat(looks[`padding${end}`]), frame[`client${side}`])
    / drawing.viewBox.baseVal[side.toLowerCase()];

  function resize() {
    drawing.setAttribute("width", drawing.viewBox.baseVal.width * zoom);
    drawing.setAttribute("height", drawing.viewBox.baseVal.height * zoom);
  }

  // The spot of the window [x, y], the middle of the frame if none is given, stays where it is.
  function to(wanted, spot = middle()) {
    const before = drawing.getBoundingClientRect();
    zoom = Math.max(LEAST, Math.min(MOST, wanted));
    resize();
    const after = drawing.getBoundingClientRect();
    frame.scrollLeft += after.left - spot[0] + (spot[0] - before.left) / before.width * after.width;
    frame.scrollTop += after.top - spot[1] + (spot[1] - before.top) / before.height * after.height;
  }

  function middle() {
    const {left, top} = frame.getBoundingClientRect();
    return [left + frame.clientLeft + frame.clientWidth / 2, top + frame.clientTop + frame.clientHeight / 2];
  }

  // Bring a part of the drawing into the middle; with `always` false, only if it is out of sight.
  function centre(part, always = true) {
    const [x, y] = middle(), {left, top, right, bottom} = part.getBoundingClientRect();
    const by = (start, end, spot, half) => always || start < spot - half || end > spot + half
      ? (start + end) / 2 - spot : 0;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    frame.scrollBy({left: by(left, right, x, frame.clientWidth / 2), top: by(top, bottom, y, frame.clientHeight / 2),
                    behavior: calm ? "instant" : "smooth"});
  }

  frame.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    to(zoom * Math.exp(-Math.max(-60, Math.min(60, event.deltaY)) / 200), [event.clientX, event.clientY]);
  }, {passive: false});

  const KEYS = {"+": STEP, "=": STEP, "-": 1 / STEP, "0": 0};
  frame.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in KEYS)) return;
    event.preventDefault();
    to(KEYS[event.key] ? zoom * KEYS[event.key] : fitting());
  });

  frame.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "mouse" || event.button !== 0) return;
    drag = {x: event.clientX, y: event.clientY, left: frame.scrollLeft, top: frame.scrollTop, moved: false};
  });
  addEventListener("pointermove", (event) => {
    if (!drag) return;
    const right = event.clientX - drag.x, down = event.clientY - drag.y;
    drag.moved ||= Math.hypot(right, down) > 4;
    if (drag.moved) frame.scrollTo({left: drag.left - right, top: drag.top - down, behavior: "instant"});
  });
  // What was dragged is not clicked.
  addEventListener("pointerup", () => setTimeout(() => drag = null));
  addEventListener("pointercancel", () => drag = null);
  frame.addEventListener("click", (event) => {
    if (drag?.moved) event.stopPropagation();
  }, true);

  const fingers = ({touches: [one, other]}) => ({
    apart: Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY),
    spot: [(one.clientX + other.clientX) / 2, (one.clientY + other.clientY) / 2]});
  frame.addEventListener("touchstart", (event) => {
    pinch = event.touches.length === 2 ? {...fingers(event), zoom} : null;
  }, {passive: true});
  frame.addEventListener("touchmove", (event) => {
    if (!pinch || event.touches.length !== 2) return;
    event.preventDefault();
    const {apart, spot} = fingers(event);
    frame.scrollBy({left: pinch.spot[0] - spot[0], top: pinch.spot[1] - spot[1], behavior: "instant"});
    pinch.spot = spot;
    to(pinch.zoom * apart / pinch.apart, spot);
  }, {passive: false});
  frame.addEventListener("touchend", () => pinch = null);

  return {to, smaller: () => to(zoom / STEP), larger: () => to(zoom * STEP), fit: () => to(fitting()), fitting, resize,
          centre};
}
"""
