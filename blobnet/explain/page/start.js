// Read the data, show the parts, follow the address of the page.

const VIEWS = [headView, drawingView, layerView, blobView, numberView, timeView, brokenView, pairsView, leftOutView];

async function start() {
  try {
    openNet(await readPayload(find("payload").textContent));
    for (const view of VIEWS) view();
    addEventListener("popstate", () => {  // it comes with links and typed addresses too
      const asked = readHash(location.hash);  // null for a part of the page, such as #number
      if (asked) select(asked, {replace: true});
    });
    select(readHash(location.hash) ?? usualSelection(), {replace: true});
  } catch (error) {
    find("trouble").hidden = false;
    find("trouble").textContent = typeof DecompressionStream === "undefined"
      ? "This browser cannot inflate the data of the page; please take a newer one."
      : `The page cannot be shown: ${error.message}`;
    throw error;
  }
}

// The first layer that learns shows most; of its top a number that was worked out ahead too, or the first one.
function usualSelection() {
  const layer = net.header.layers.find((one) => one.params.length && one.tops.length) ?? net.header.layers[0];
  const [value] = layer.tops, cell = layer.cells.find(({place}) => place[0] === "top" && place[1] === 0);
  if (value === undefined) return {layer: layer.index};
  const index = cell?.place[3] ?? net.values.get(value).shape.map(() => 0);
  return {layer: layer.index, value, which: "data", index};
}

const ready = start();
window.blobnetExplain = {ready, terms, stored, select, get payload() { return net.header; },
                         proof: (...place) => proof(terms(...place))};
