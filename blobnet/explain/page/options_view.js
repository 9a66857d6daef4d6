// The options of a layer: what the net writes, beside the defaults.

function optionsView({options}) {
  if (!options.length) return null;
  const written = options.filter((option) => option[3]), others = options.filter((option) => !option[3]);
  const more = `${plural(others.length, "option")} left at the default`;
  return [h("h3", null, "Options"),
          written.length ? optionTable(written) : quiet("The net writes none: the defaults hold."),
          others.length ? folded(more, () => optionTable(others)) : null];
}

const optionTable = (options) => table(["field", "here", "default"], options.map(([field, here, usual, written]) => [
  h("code", {class: written ? "written" : null}, field), written ? h("strong", null, here) : here,
  span("quiet", usual || "–")]));
