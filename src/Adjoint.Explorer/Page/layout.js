// A layered drawing from left to right (Sugiyama, Tagawa and Toda 1981): layers by longest path, crossings lowered by
// medians of neighbors, then heights, and layers broken into rows
// like words into lines, so that a deep network fills the page instead of shrinking to a thread.

const SWEEPS = 8;
const GAP = 26;
const LAYER = 44;
const LANE = 22;

/**
 * How much wider and higher than what is in it a module's box is that holds so many levels of boxes: each has a label
 * above.
 */
export const boxMargin = deeper => ({ side: 12 + 5 * deeper, above: 24 + 17 * deeper, below: 12 + 5 * deeper });

/**
 * Places nodes (Map of key → { key, width, height, reach, clusters }: the box it needs, how far its shape reaches
 * sideways, the boxes drawn around it) joined by edges ({ from, to }) for a page of the given width and height.
 * Returns { width, height, rows, places: Map(key → { x, y, row }), routes: [[{ x, y, row }, …] per edge] }, centers
 * of nodes; a route begins and ends at borders.
 */
export function layOut(nodes, edges, page) {
  const layerOf = assignLayers(nodes, edges);
  const { layers, chains } = withDummies(nodes, edges, layerOf);
  order(layers, chains);
  return place(layers, chains, page);
}

// Longest path from the sources; then leaves move right, next to who uses them first.
function assignLayers(nodes, edges) {
  const hasInput = new Set(edges.map(edge => edge.to));
  const next = inOrder(nodes, edges, hasInput);
  const waiting = new Map([...nodes.keys()].map(key => [key, 0]));
  for (const to of [...next.values()].flat()) waiting.set(to, waiting.get(to) + 1);
  const layer = new Map();
  const ready = [...nodes.keys()].filter(key => waiting.get(key) === 0);
  for (const key of ready) layer.set(key, 0);
  for (let i = 0; i < ready.length; i++)
    for (const to of next.get(ready[i])) {
      layer.set(to, Math.max(layer.get(to) ?? 0, layer.get(ready[i]) + 1));
      waiting.set(to, waiting.get(to) - 1);
      if (waiting.get(to) === 0) ready.push(to);
    }
  for (const key of nodes.keys())
    if (!hasInput.has(key) && next.get(key).length > 0)
      layer.set(key, Math.min(...next.get(key).map(to => layer.get(to))) - 1);
  return layer;
}

// What must lie to the right of what: the ends of edges; and the leaves in a box right of what enters the box, which
// would else be drawn within it.
function inOrder(nodes, edges, hasInput) {
  const next = new Map([...nodes.keys()].map(key => [key, []]));
  for (const { from, to } of edges) next.get(from).push(to);
  const members = new Map();
  for (const node of nodes.values())
    for (const box of node.clusters) members.set(box, [...(members.get(box) ?? []), node.key]);
  for (const { from, to } of edges)
    for (const box of nodes.get(to).clusters) {
      if (nodes.get(from).clusters.includes(box)) continue;
      // A module that is used twice feeds what enters it: that order stays.
      for (const leaf of members.get(box))
        if (!hasInput.has(leaf) && !reaches(next, leaf, from)) next.get(from).push(leaf);
    }
  return next;
}

function reaches(next, from, to) {
  const seen = new Set([from]);
  for (const key of seen) for (const other of next.get(key)) seen.add(other);
  return seen.has(to);
}

// An edge over several layers gets a stand-in in each of them.
function withDummies(nodes, edges, layerOf) {
  const layers = Array.from({ length: Math.max(-1, ...layerOf.values()) + 1 }, () => []);
  for (const node of nodes.values())
    layers[layerOf.get(node.key)].push({
      key: node.key,
      width: node.width,
      height: node.height,
      reach: node.reach,
      clusters: node.clusters,
      before: [],
      after: [],
    });
  const spans = new Map();
  for (const node of nodes.values())
    for (const box of node.clusters) {
      const [first, last] = spans.get(box) ?? [Infinity, -1];
      spans.set(box, [Math.min(first, layerOf.get(node.key)), Math.max(last, layerOf.get(node.key))]);
    }
  const cells = new Map(layers.flatMap(layer => layer.map(cell => [cell.key, cell])));
  const chains = edges.map(({ from, to }) => {
    const chain = [cells.get(from)];
    for (let at = layerOf.get(from) + 1; at < layerOf.get(to); at++) {
      // An edge is in the boxes that reach over it.
      const around = key => nodes.get(key).clusters.filter(box => spans.get(box)[0] <= at && spans.get(box)[1] >= at);
      const [left, right] = [around(from), around(to)];
      const dummy = {
        key: null,
        width: 0,
        height: 4,
        clusters: left.length > right.length ? left : right,
        before: [],
        after: [],
      };
      layers[at].push(dummy);
      chain.push(dummy);
    }
    chain.push(cells.get(to));
    for (let i = 1; i < chain.length; i++) {
      chain[i - 1].after.push(chain[i]);
      chain[i].before.push(chain[i - 1]);
    }
    return chain;
  });
  return { layers, chains };
}

// At first what is computed, below it the leaves, so that they hang under the line of what they are used for.
function order(layers, chains) {
  for (const layer of layers) layer.sort((a, b) => Number(a.before.length === 0) - Number(b.before.length === 0));
  number(layers);
  let best = layers.map(layer => [...layer]);
  let fewest = crossings(layers);
  for (let sweep = 0; sweep < SWEEPS && fewest > 0; sweep++) {
    const down = sweep % 2 === 0;
    for (const layer of down ? layers.slice(1) : layers.slice(0, -1).reverse()) {
      for (const cell of layer) {
        const beside = (down ? cell.before : cell.after).map(other => other.rank);
        cell.wish = beside.length === 0 ? cell.rank : beside.reduce((a, b) => a + b) / beside.length;
      }
      layer.sort((a, b) => a.wish - b.wish || a.rank - b.rank);
      layer.forEach((cell, rank) => (cell.rank = rank));
    }
    const now = crossings(layers);
    if (now < fewest) {
      fewest = now;
      best = layers.map(layer => [...layer]);
    }
  }
  layers.forEach((layer, i) => layer.splice(0, layer.length, ...best[i]));
  number(layers);
}

const number = layers => layers.forEach(layer => layer.forEach((cell, rank) => (cell.rank = rank)));

function crossings(layers) {
  let count = 0;
  for (const layer of layers.slice(0, -1)) {
    const ends = layer.flatMap(cell => cell.after.map(to => to.rank).sort((a, b) => a - b));
    for (let i = 1; i < ends.length; i++) for (let j = 0; j < i; j++) if (ends[j] > ends[i]) count++;
  }
  return count;
}

// Heights: each cell wishes for the middle of its neighbors, and cells of a layer keep their distance.
function settle(layers) {
  for (const layer of layers) {
    let y = 0;
    layer.forEach((cell, i) => {
      cell.y = y + cell.height / 2;
      y += cell.height + gap(cell, layer[i + 1]);
    });
    for (const cell of layer) cell.y -= y / 2;
  }
  for (let round = 0; round < 48; round++) {
    const sequence = round % 2 === 0 ? layers : [...layers].reverse();
    for (const layer of sequence) {
      for (const cell of layer) {
        const beside = [...cell.before, ...cell.after];
        cell.wish = beside.length === 0 ? cell.y : beside.reduce((sum, other) => sum + other.y, 0) / beside.length;
        cell.weight = cell.key === null ? 3 : 1 + beside.length;
      }
      spread(layer);
    }
  }
  straighten(layers);
}

// What follows one another without a branch lies on one line; leaves beside it do not bend it, and keep close to it.
function straighten(layers) {
  const before = cell => {
    const computed = cell.before.length > 1 ? cell.before.filter(other => other.before.length > 0) : cell.before;
    return computed.length === 1 && computed[0].after.length === 1 ? computed[0] : null;
  };
  const runs = layers
    .flat()
    .filter(cell => before(cell) === null)
    .map(first => {
      const run = [first];
      while (run.at(-1).after.length === 1 && before(run.at(-1).after[0]) === run.at(-1)) run.push(run.at(-1).after[0]);
      return run;
    });
  for (let round = 0; round < 16; round++) {
    for (const run of runs) {
      const isLeaf = run.length === 1 && run[0].before.length === 0 && run[0].after.length > 0;
      const near = isLeaf ? run[0].after : run;
      const wish = near.reduce((sum, cell) => sum + cell.y, 0) / near.length;
      for (const cell of run) [cell.wish, cell.weight] = [wish, isLeaf ? 0.01 : run.length];
    }
    for (const layer of layers) spread(layer);
  }
}

// Pools neighbors that would overlap, as isotonic regression does, so that each group sits at the weighted mean of
// its wishes.
function spread(layer) {
  const groups = [];
  let offset = 0;
  for (const [i, cell] of layer.entries()) {
    const lead = offset + cell.height / 2;
    groups.push({ cells: [{ cell, lead }], sum: (cell.wish - lead) * cell.weight, weight: cell.weight });
    offset += cell.height + gap(cell, layer[i + 1]);
    while (groups.length > 1 && mean(groups.at(-2)) > mean(groups.at(-1))) {
      const last = groups.pop();
      const into = groups.at(-1);
      into.cells.push(...last.cells);
      into.sum += last.sum;
      into.weight += last.weight;
    }
  }
  for (const group of groups) for (const { cell, lead } of group.cells) cell.y = mean(group) + lead;
}

// Between what is in different boxes there is room for their borders and labels.
function gap(a, b) {
  if (b === undefined) return GAP;
  let common = 0;
  while (common < a.clusters.length && a.clusters[common] === b.clusters[common]) common++;
  return GAP + 18 * (a.clusters.length + b.clusters.length - 2 * common);
}

const mean = group => group.sum / group.weight;

function place(layers, chains, page) {
  settle(layers);
  const widths = layers.map(layer => Math.max(...layer.map(cell => cell.width), 20));
  const choices = Array.from({ length: Math.min(6, Math.max(1, layers.length)) }, (_, i) =>
    breakRows(layers, widths, i + 1),
  );
  // The fewest rows in which everything can be read; else those in which it is largest.
  const scale = choice => Math.min(page.width / choice.width, page.height / choice.height);
  const chosen =
    choices.find(choice => scale(choice) >= 0.9) ??
    choices.reduce((best, choice) => (scale(choice) > scale(best) * 1.05 ? choice : best));
  const places = new Map();
  for (const row of chosen.rows)
    for (let i = row.first; i < row.end; i++)
      for (const cell of layers[i]) {
        cell.x = row.x[i - row.first];
        cell.at = row.y + cell.y - row.top;
        cell.row = row.index;
        if (cell.key !== null) places.set(cell.key, { x: cell.x, y: cell.at, row: row.index });
      }
  const routes = chains.map(chain =>
    chain.map((cell, i) => ({
      x: cell.x + (i === 0 ? cell.reach : i === chain.length - 1 ? -cell.reach - 2 : 0),
      y: cell.at,
      row: cell.row,
    })),
  );
  return { width: chosen.width, height: chosen.height, rows: chosen.rows, places, routes };
}

// Rows of about equal width, broken where the fewest edges pass.
function breakRows(layers, widths, count) {
  const total = widths.reduce((sum, width) => sum + width + LAYER, 0);
  const passing = layers.slice(0, -1).map(layer => layer.reduce((sum, cell) => sum + cell.after.length, 0));
  const starts = [0];
  let x = 0;
  const at = widths.map(width => (x += width + LAYER));
  for (let row = 1; row < count; row++) {
    const goal = (total * row) / count;
    let best = -1,
      cost = Infinity;
    for (let i = starts.at(-1) + 1; i < layers.length; i++) {
      const price = Math.abs(at[i - 1] - goal) / (total / count) + 0.25 * passing[i - 1];
      if (price < cost) [best, cost] = [i, price];
    }
    if (best > 0) starts.push(best);
  }
  const depth = cells => Math.max(0, ...cells.map(cell => cell.clusters.length));
  const deepest = depth(layers.flat());
  // Beside the boxes, edges go from row to row.
  const margin = (deepest > 0 ? boxMargin(deepest - 1).side : 0) + (starts.length > 1 ? LANE : 0);
  const rows = starts.map((first, index) => {
    const end = starts[index + 1] ?? layers.length;
    const cells = layers.slice(first, end).flat();
    const { above, below } = depth(cells) > 0 ? boxMargin(depth(cells) - 1) : { above: 0, below: 0 };
    const top = Math.min(...cells.map(cell => cell.y - cell.height / 2));
    const bottom = Math.max(...cells.map(cell => cell.y + cell.height / 2));
    let left = margin;
    const xs = widths.slice(first, end).map(width => {
      const center = left + width / 2;
      left += width + LAYER;
      return center;
    });
    const width = Math.max(0, left - LAYER) + margin;
    return { index, first, end, top, height: bottom - top, above, below, x: xs, width, y: 0, lane: 0 };
  });
  let y = 0;
  for (const row of rows) {
    row.lane = y - LANE / 2;
    row.y = y + row.above;
    y = row.y + row.height + row.below + LANE;
  }
  return { rows, width: Math.max(1, ...rows.map(row => row.width)), height: Math.max(1, y - LANE) };
}
