// The proof beneath a slope: what was worked out, and what moving the number shows.

function proofView(result) {
  if (result.place[2] !== "diff" || result.parts) return null;
  const own = proof(result), ahead = result.numeric;
  if (!own && (ahead === null || ahead === undefined)) return null;
  return h("div", {class: "proof"}, h("h3", null, "The proof"), own ? ownProof(own, result) : null,
    ahead === null || ahead === undefined ? null : proofLine("Worked out when the file was made: move the number, run the whole layer "
      + "again, and see how the loss goes along:", ahead, result.value));
}

function ownProof(own, result) {
  if (own.work) {
    const asked = h("p", null, button(`Prove it (${plural(own.work, "term")} to work out)`, "work out the proof", () =>
      asked.replaceWith(...nodes([ownProof(proof(result, Infinity), result)]))));
    return asked;
  }
  return proofLine(`Move the number by ±${format(own.step, 2)}, work out again the ${plural(own.reached, "number")} of y that it `
    + "reaches, and add up dy · change of y / 2h:", own.numeric, result.value);
}

function proofLine(words, numeric, analytic) {
  const size = Math.max(Math.abs(numeric), Math.abs(analytic)), gap = Math.abs(numeric - analytic);
  const agree = gap <= 1e-3 * size || gap < 1e-9;
  return [h("p", null, words), facts([["moved", format(numeric, 6)], ["chain rule", format(analytic, 6)],
    ["apart by", h("span", {class: agree ? "passed" : "failed"}, size ? `${format(gap / size, 2)} of it` : "0")]]),
    agree ? null : h("p", {class: "quiet"}, "They differ: a kink lies near (a maximum that changes hands, the corner of a ReLU), or "
      + "the published gradient is not the derivative.")];
}
