// Read the data, show the parts, follow the address of the page.

const VIEWS = [headView, drawingView, layerView, blobView, numberView, timeView, brokenView, pairsView, leftOutView];

async function start() {
  try {
    openNet(await readPayload(find("payload").textContent));
    for (const view of VIEWS) view();
    const follow = () => select(readHash(location.hash) ?? {layer: usualLayer()}, {replace: true});
    addEventListener("hashchange", follow);
    addEventListener("popstate", follow);
    follow();
  } catch (error) {
    find("trouble").hidden = false;
    find("trouble").textContent = typeof DecompressionStream === "undefined"
      ? "This browser cannot inflate the data of the page; please take a newer one."
      : `The page cannot be shown: ${error.message}`;
    throw error;
  }
}

// The first layer that learns shows most.
const usualLayer = () => (net.header.layers.find((layer) => layer.params.length) ?? net.header.layers[0]).index;

const ready = start();
window.blobnetExplain = {ready, terms, stored, select, get payload() { return net.header; },
                         proof: (...place) => proof(terms(...place))};
