// A layer that was broken on purpose: where the check notices, and what the loss does.

function brokenView() {
  const {broken} = net.header;
  if (!broken) return;
  const curves = [{name: "healthy", points: broken.healthy},
                  {name: `gradient of ${broken.name} × ${format(broken.factor)}`, points: broken.faulty}];
  find("broken").hidden = false;
  refill(find("broken"), bar(h("h2", null, "A broken layer")), h("div", {class: "columns"},
    card(h("p", null, broken.text), h("h3", null, "Where the check of the gradients notices"),
         h("p", null, "Layer ", linkText(hashOf({layer: broken.layer}), broken.name), ":"), checkTable(broken.check)),
    chart(curves, {title: "Loss, healthy and broken", from: 0})));
}
