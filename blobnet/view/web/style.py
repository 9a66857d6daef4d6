"""The look of the pages: one column of cards, light and dark, on paper too."""

STYLE = """
:root {
  color-scheme: light dark;
  --paper: #f6f5f1; --card: #ffffff; --ink: #1c2127; --soft: #5c6670; --edge: #dedcd5; --accent: #c2410c;
  --good: #1d7a4f; --bad: #b3261e; --heat: 29, 90, 150; --heat-ink: #fff;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14171b; --card: #1c2026; --ink: #e6e8ea; --soft: #a3abb4; --edge: #343a42; --accent: #ff9a5a;
    --good: #6cc79a; --bad: #ff8a80; --heat: 110, 168, 230; --heat-ink: #0b1420;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-padding-top: 12px; }
body.blobnet {
  margin: 0; background: var(--paper); color: var(--ink); font-size: 15px; line-height: 1.5;
  font-variant-numeric: tabular-nums;
}
body > * { max-width: 1320px; margin-left: auto; margin-right: auto; }
main, header, nav, form.tools { padding-left: 28px; padding-right: 28px; }
header { padding-top: 28px; }
main { padding-bottom: 64px; }
h1 { font-size: 30px; line-height: 1.15; margin: 0 0 8px; font-weight: 650; letter-spacing: -0.015em; }
h2 { font-size: 20px; line-height: 1.3; margin: 0 0 8px; font-weight: 620; }
h3 { font-size: 15px; margin: 0 0 8px; font-weight: 620; }
p { margin: 0 0 8px; max-width: 86ch; }
a { color: inherit; text-underline-offset: 2px; }
.soft, .blobnet .bn-small { color: var(--soft); font-size: 13.5px; }
.note { border-left: 3px solid var(--accent); padding-left: 12px; }
.card { background: var(--card); border: 1px solid var(--edge); border-radius: 10px; padding: 16px 18px; min-width: 0; }
.card + .card { margin-top: 16px; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 3px; }
[hidden] { display: none !important; }
.blobnet summary { color: var(--soft); font-size: 13.5px; }

/* Pictures and results. */
.unseen { position: absolute; width: 0; height: 0; overflow: hidden; }
svg.picture, .missing {
  display: block; width: 100%; aspect-ratio: 1; background: var(--paper); border-radius: 6px; max-width: none;
}
svg.tiny { image-rendering: pixelated; }
.missing { display: grid; place-items: center; color: var(--soft); font-size: 12px; text-align: center; padding: 4px; }
.query { display: grid; grid-template-columns: 168px minmax(0, 1fr); gap: 18px; margin-top: 16px; }
.asked { align-self: start; }
.results {
  list-style: none; margin: 0; padding: 0; display: grid; gap: 10px;
  grid-template-columns: repeat(auto-fill, minmax(90px, 1fr)); align-content: start;
}
.results > li { min-width: 0; border: 2px solid transparent; border-radius: 9px; padding: 4px; }
.results > .hit { border-color: var(--good); }
.results > .miss { border-color: var(--bad); border-style: dashed; }
.query p { margin: 3px 0 0; font-size: 12.5px; line-height: 1.35; overflow-wrap: anywhere; }
.query .path { color: var(--soft); font-size: 11.5px; }
.query .facts { display: flex; flex-wrap: wrap; gap: 0 6px; }
.facts > * { white-space: nowrap; }
.query .mark { margin-left: auto; font-weight: 700; }
.hit .mark { color: var(--good); }
.miss .mark { color: var(--bad); }
.query .count { color: var(--soft); margin-top: 8px; }

/* The controls of the gallery. */
form.tools {
  display: flex; flex-wrap: wrap; gap: 8px 18px; align-items: center; position: sticky; top: 0; z-index: 2;
  background: var(--paper); border-bottom: 1px solid var(--edge); padding-top: 8px; padding-bottom: 8px;
}
.tools label { display: inline-flex; gap: 7px; align-items: center; font-size: 14px; color: var(--soft); min-width: 0; }
.tools select { max-width: 230px; text-overflow: ellipsis; }
button, select, input {
  font: inherit; font-size: 14px; color: var(--ink); background: var(--card); border: 1px solid var(--edge);
  border-radius: 7px; padding: 4px 9px; min-height: 34px; max-width: 100%; min-width: 0;
}
button { cursor: pointer; min-width: 34px; }
input[type="number"] { width: 5.2em; }
input[type="search"] { width: 11em; }
.steps { display: inline-flex; gap: 4px; }
kbd { border: 1px solid var(--edge); border-radius: 4px; padding: 0 4px; font: inherit; font-size: 12px; }

/* The report. */
nav { display: flex; flex-wrap: wrap; gap: 4px 18px; font-size: 14px; padding-bottom: 14px; }
section.part { margin-top: 36px; }
.part > * + * { margin-top: 16px; }
.charts { display: grid; gap: 16px; grid-template-columns: repeat(auto-fit, minmax(min(460px, 100%), 1fr)); }
.charts.three { grid-template-columns: repeat(auto-fit, minmax(min(340px, 100%), 1fr)); }
.charts > .card { margin: 0; }
.blobnet svg.bn-chart { display: block; width: 100%; max-width: 620px; overflow: visible; }
.key { list-style: none; display: flex; flex-wrap: wrap; gap: 2px 18px; margin: 0 0 6px; padding: 0; font-size: 13px; }
.key svg { width: 26px; height: 8px; margin-right: 6px; vertical-align: middle; }
.heat td { text-align: center; border: 1px solid var(--card); padding: 4px 7px; }
.heat td.own { outline: 1.5px solid var(--ink); outline-offset: -2px; }
.heat td.dark { color: var(--heat-ink); }
.rows .query { grid-template-columns: 116px minmax(0, 1fr); gap: 12px; }
.rows .results { grid-template-columns: repeat(10, minmax(0, 1fr)); gap: 6px; }
.blobnet .wide-picture { width: 100%; max-width: 480px; }

@media (max-width: 1000px) {
  .rows .results { grid-template-columns: repeat(auto-fill, minmax(82px, 1fr)); }
}
@media (max-width: 560px) {
  main, header, nav, form.tools { padding-left: 14px; padding-right: 14px; }
  h1 { font-size: 25px; }
  form.tools { position: static; gap: 8px 12px; }
  .query, .rows .query { grid-template-columns: minmax(0, 1fr); gap: 10px; }
  .asked { display: grid; grid-template-columns: 96px minmax(0, 1fr); gap: 2px 12px; align-content: start; }
  .asked > :first-child { grid-row: 1 / span 9; }
  .results, .rows .results { grid-template-columns: repeat(auto-fill, minmax(82px, 1fr)); gap: 6px; }
  .card { padding: 12px; }
}
@media print {
  :root {
    --paper: #fff; --card: #fff; --ink: #000; --soft: #444; --edge: #bbb; --good: #1d7a4f; --bad: #b3261e;
    --heat: 29, 90, 150; --heat-ink: #fff; color-scheme: light;
  }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  form.tools, nav { display: none; }
  .charts, .charts.three { grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); }
  .blobnet th, .blobnet td { white-space: normal; overflow-wrap: break-word; padding: .2em .4em; font-size: 11px; }
  main, header { padding-left: 0; padding-right: 0; }
  li, figure, tr, .asked { break-inside: avoid; }
  .card { border-color: #ddd; padding: 10px; }
}
"""
