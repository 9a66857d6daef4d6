// The proof beneath a slope: what was worked out, and what moving the number shows.

function proofView(result) {
  if (result.place[2] !== "diff" || result.parts) return null;
  const own = proof(result), ahead = result.numeric ?? null;
  if (!own && ahead === null) return null;
  return h("div", {class: "proof"}, h("h3", null, "The proof"), own ? ownProof(own, result) : null,
    ahead === null ? null : proofLine("When the file was made, the number was moved, the whole layer run again, and "
      + "this is how the loss went along:", ahead, result.value));
}

function ownProof(own, result) {
  if (own.work) {
    const work = () => asked.replaceWith(...nodes([ownProof(proof(result, Infinity), result)]));
    const words = `Prove it (${plural(own.work, "term")} to work out)`;
    const asked = h("p", null, button(words, words, work));
    return asked;
  }
  return proofLine(`Move the number by ±${format(own.step, 2)}, work out again the ${plural(own.reached, "number")} of `
    + "y that it reaches, and add up dy · change of y / 2h:", own.numeric, result.value);
}

function proofLine(words, numeric, analytic) {
  const size = Math.max(Math.abs(numeric), Math.abs(analytic)), gap = Math.abs(numeric - analytic);
  const agree = gap <= 1e-3 * size || gap < 1e-9, apart = size ? `${format(gap / size, 2)} of it` : "0";
  return [
    h("p", null, words),
    facts([["moved", format(numeric, 6)], ["chain rule", format(analytic, 6)],
           ["apart by", span(agree ? "passed" : "failed", apart)]]),
    agree ? null : quiet("They differ: a kink lies near (a maximum that changes hands, the corner of a ReLU), or the "
      + "published gradient is not the derivative.")];
}
