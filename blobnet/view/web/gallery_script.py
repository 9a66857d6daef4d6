"""What the controls of a gallery do. The page holds all results; the script hides those that are not asked for."""

SCRIPT = """
const form = document.querySelector("form.tools");
const control = (name) => document.getElementById(name);
const queries = [...document.querySelectorAll(".query")].map((section) => ({
  section, count: section.querySelector(".count"), all: section.querySelector(".count").textContent,
  results: [...section.querySelectorAll(".results > li")].map((item) => ({
    item, distance: Number(item.dataset.distance), classes: (item.dataset.classes ?? "").split(" "),
    path: item.querySelector(".path").textContent.toLowerCase(), marked: item.className !== "",
    hit: item.className === "hit"}))}));

// What the controls say, as a question to a result.
function asked() {
  const ranks = control("ranks").valueAsNumber || Infinity, farthest = control("distance").valueAsNumber;
  const name = control("class")?.value ?? "", words = control("path").value.toLowerCase().split(/\\s+/).filter(Boolean);
  return ({item, distance, classes, path}) => item.value <= ranks && !(distance > farthest)
    && (name === "" || classes.includes(name)) && words.every((word) => path.includes(word));
}

function show() {
  const wanted = asked(), chosen = control("query").value;
  let results = 0, hits = 0, marked = false;
  queries.forEach((query, i) => {
    query.section.hidden = chosen !== "" && i !== Number(chosen);
    if (query.section.hidden) return;
    const shown = query.results.filter((result) => {
      result.item.hidden = !wanted(result);
      return !result.item.hidden;
    });
    const here = shown.filter((result) => result.hit).length;
    const known = shown.some((result) => result.marked);
    query.count.textContent = shown.length === query.results.length ? query.all
      : `${shown.length} of ${query.results.length} shown` + (known ? `, ${here} relevant` : "");
    results += shown.length;
    hits += here;
    marked ||= known;
  });
  control("shown").textContent = `${results.toLocaleString("en")} results`
    + (marked ? `, ${hits.toLocaleString("en")} relevant` : "");
}

// From all queries a step goes to the first or the last.
function step(by) {
  const choice = control("query"), count = queries.length;
  const next = choice.value === "" ? (by > 0 ? 0 : count - 1) : Number(choice.value) + by;
  choose(next < 0 || next >= count ? "" : String(next));
}

function choose(value) {
  control("query").value = value;
  show();
  scrollTo(0, 0);
}

const KEYS = {ArrowLeft: () => step(-1), ArrowRight: () => step(1), a: () => choose(""),
              "/": () => control("path").focus()};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in KEYS)) return;
  if (event.target.closest("input, select, textarea")) return;
  event.preventDefault();
  KEYS[event.key]();
});
form.addEventListener("input", show);
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", () => setTimeout(show));
control("back").addEventListener("click", () => step(-1));
control("on").addEventListener("click", () => step(1));
form.hidden = false;
show();
"""
