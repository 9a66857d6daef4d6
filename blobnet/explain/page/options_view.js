// The options of a layer: what the net writes, beside the defaults.

function optionsView(layer) {
  if (!layer.options.length) return null;
  const written = layer.options.filter((option) => option[3]), others = layer.options.filter((option) => !option[3]);
  return [h("h3", null, "Options"),
          written.length ? optionTable(written) : h("p", {class: "quiet"}, "The net writes none: the defaults hold."),
          others.length ? folded(`${plural(others.length, "option")} left at the default`, () => optionTable(others)) : null];
}

const optionTable = (options) => table(["field", "here", "default"], options.map(([field, here, usual, written]) => [
  h("code", {class: written ? "written" : null}, field), written ? h("strong", null, here) : here,
  h("span", {class: "quiet"}, usual || "–")]), {class: "options"});
