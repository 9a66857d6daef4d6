// What can be chosen of a blob: the image or filter, the channels, and whether three channels are a colour.

const channelOrder = {};  // of blobs with three channels: "RGB", "BGR" or "" (apart)

function controls(chosen, array) {
  if (!array) return null;
  const {layer, value, param, n, page} = chosen, parameter = param !== null, keep = {layer, value, param, n};
  const order = orderOf(chosen, array), {pages} = layOut(array, layoutOptions(chosen, array));
  const stepped = parameter ? picksFirst(array) && !order : array.kept.length > 1;
  const at = Math.min(n, array.kept[0] - 1), moveTo = (number) => select({...keep, n: number, page});
  const orders = [["", "apart"], ["RGB", "as RGB"], ["BGR", "as BGR"]];
  return [
    stepped && array.kept[0] > 1 ? stepper(parameter ? "filter" : "image", array.kept[0], at, moveTo) : null,
    pages.length ? choice(parameter && !stepped ? "filters" : "channel", pages, page,
                          (other) => select({...keep, page: other})) : null,
    coloured(chosen, array) ? choice("three channels", orders, order, (other) => {
      channelOrder[subjectKey(chosen)] = other;
      select(keep);
    }) : null];
}

const subjectKey = ({layer, value, param}) => param === null ? `v${value}` : `p${layer}.${param}`;

// What pictures of the selected blob depend on; they stay while it does.
const pictureKey = ({layer, value, param, n, page}) => JSON.stringify([layer, value, param, n, page, channelOrder]);

// Images, and the filters that lie on them, can be seen in colour.
function coloured({layer, value, param}, array) {
  if (array.full.length !== 4 || array.kept[1] !== 3 || array.full[1] !== 3) return false;
  if (param === null) return net.values.get(value).role === "image";
  return net.layers.get(layer).bottoms.some((bottom) => net.values.get(bottom.value).role === "image");
}

const orderOf = (chosen, array) => coloured(chosen, array) ? channelOrder[subjectKey(chosen)] ?? "BGR" : "";

const layoutOptions = (chosen, array) => ({n: chosen.n, page: chosen.page, parameter: chosen.param !== null,
                                           colour: Boolean(orderOf(chosen, array))});
