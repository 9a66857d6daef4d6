// Which pairs pull together and which push apart most.

const MOST_PAIRS = 8;

function forcesView(pairs) {
  const force = numbers(pairs.force), distances = numbers(pairs.frames[pairs.frames.length - 1]?.distances), found = [];
  if (!force) return null;
  eachIndex(force.kept, ([i, j]) => j > i && found.push([force.of([i, j]), i, j]));
  found.sort(([a], [b]) => b - a);
  const row = ([value, i, j]) => [`${i} – ${j}`, `${pairs.labels[i]}, ${pairs.labels[j]}`,
                                  distances?.has([i, j]) ? format(distances.of([i, j]), 3) : "", format(value, 3)];
  const side = (title, list) => h("div", null, h("h4", null, title), list.length
    ? table(["images", "labels", "distance", "force"], list.map(row)) : quiet("None."));
  const pulling = found.slice(0, MOST_PAIRS).filter(([value]) => value > 0);
  const pushing = found.slice(-MOST_PAIRS).reverse().filter(([value]) => value < 0);
  return h("div", {class: "card gap"}, h("h3", null, "Who pulls and pushes most, at the last step"),
           h("div", {class: "columns"}, side("pull together", pulling), side("push apart", pushing)));
}
