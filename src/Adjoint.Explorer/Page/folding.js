// Which boxes, ops and tensors are seen while some modules are folded.

/** The graph as it comes from the program, with what belongs to what looked up. */
export class Model {
  constructor(graph) {
    this.graph = graph;
    this.modules = graph.modules.map(module => ({ ...module, children: [], ops: [] }));
    for (const module of this.modules)
      if (module.parent !== undefined) this.modules[module.parent].children.push(module.id);
    this.consumers = graph.tensors.map(() => []);
    this.source = graph.tensors.map(() => null);
    for (const op of graph.ops) {
      for (const output of op.outputs) this.source[output] = op.id;
      for (const input of new Set(op.inputs)) this.consumers[input].push(op.id);
      if (op.module !== undefined) this.modules[op.module].ops.push(op.id);
    }
  }

  /** Modules from the outermost down to the given one. */
  chain(module) {
    const path = [];
    for (let id = module; id !== undefined; id = this.modules[id].parent) path.unshift(id);
    return path;
  }

  /** Every op within a module. */
  opsWithin(module) {
    return [...this.modules[module].ops, ...this.modules[module].children.flatMap(child => this.opsWithin(child))];
  }
}

/**
 * Nodes and edges to draw: { nodes: Map(key → { key, kind, id, clusters }), edges: [{ from, to, tensor }] }. A folded
 * module stands for all within it. A tensor that only passes
 * from one folded box to another is drawn as their edge.
 */
export function visible(model, folded) {
  const stand = model.graph.ops.map(op => {
    const chain = op.module === undefined ? [] : model.chain(op.module);
    const box = chain.find(module => folded.has(module));
    return box === undefined ? `o${op.id}` : `m${box}`;
  });
  const nodes = new Map();
  const edges = [];
  const clusters = module => (module === undefined ? [] : model.chain(module));
  for (const op of model.graph.ops) {
    const key = stand[op.id];
    if (nodes.has(key)) continue;
    if (key[0] === "o") nodes.set(key, { key, kind: "op", id: op.id, clusters: clusters(op.module) });
    else
      nodes.set(key, {
        key,
        kind: "module",
        id: Number(key.slice(1)),
        clusters: clusters(model.modules[Number(key.slice(1))].parent),
      });
  }
  for (const tensor of model.graph.tensors) {
    const source = model.source[tensor.id];
    const from = source === null ? null : stand[source];
    const to = [...new Set(model.consumers[tensor.id].map(op => stand[op]))].filter(
      key => key !== from || key[0] === "o",
    );
    const inside =
      model.consumers[tensor.id].length > 0 &&
      (to.length === 0 || (from === null && to.length === 1 && to[0][0] === "m" && tensor.kind !== "input"));
    if (inside) continue;
    if (from !== null && from[0] === "m" && to.length > 0 && to.every(key => key[0] === "m")) {
      for (const key of to) edges.push({ from, to: key, tensor: tensor.id });
      continue;
    }
    const key = `t${tensor.id}`;
    const within =
      tensor.kind === "input"
        ? []
        : source !== null
          ? outside(model, tensor.id, nodes.get(from).clusters)
          : shared(to.map(consumer => nodes.get(consumer).clusters));
    nodes.set(key, { key, kind: "tensor", id: tensor.id, clusters: within });
    if (from !== null) edges.push({ from, to: key, tensor: tensor.id });
    for (const consumer of to) edges.push({ from: key, to: consumer, tensor: tensor.id });
  }
  return { nodes, edges };
}

// A module's result belongs outside of it.
function outside(model, tensor, within) {
  const users = model.consumers[tensor]
    .map(op => model.graph.ops[op].module)
    .map(module => (module === undefined ? [] : model.chain(module)));
  while (within.length > 0 && users.length > 0 && users.every(chain => !chain.includes(within.at(-1))))
    within = within.slice(0, -1);
  return within;
}

function shared(chains) {
  if (chains.length === 0) return [];
  const first = chains[0];
  let length = 0;
  while (length < first.length && chains.every(chain => chain[length] === first[length])) length++;
  return first.slice(0, length);
}
