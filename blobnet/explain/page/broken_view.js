// A layer that was broken on purpose: where the check notices, and what the loss does.

function brokenView() {
  const broken = net.header.broken;
  if (!broken) return;
  find("broken").hidden = false;
  const rows = broken.check.map((check) => [check.blob, check.checked, format(check.error, 2), verdict(check.passed), check.note]);
  const curves = [{name: "healthy", points: broken.healthy}, {name: `gradient of ${broken.name} × ${format(broken.factor)}`, points: broken.faulty}];
  find("broken").append(
    h("div", {class: "bar"}, h("h2", null, "A broken layer")),
    h("div", {class: "columns"},
      h("div", {class: "card"}, h("p", null, broken.text), h("h3", null, "Where the check of the gradients notices"),
        h("p", null, "Layer ", h("a", {href: hashOf({layer: broken.layer})}, broken.name), ":"),
        h("div", {class: "scroll"}, table(["gradient of", "numbers", "error", "", ""], rows))),
      chart(curves, {title: "Loss, healthy and broken", from: 0})));
}
