// The graph as a drawing: nodes that can be reached by keyboard, edges, boxes of open modules; pan and zoom.

import { s, byId } from "explorer/dom";
import { boxMargin, layOut } from "explorer/layout";
import { visible } from "explorer/folding";
import { digits, shapeText } from "explorer/format";

const SIDE = 14,
  TOP = 30,
  BOTTOM = 38;
const LETTER = 6.2,
  WIDER = 12;
const svg = byId("graph");

/** Draws a model and reports what is chosen. */
export class View {
  /** @param {(key: string) => void} onChoose Told which node is chosen. */
  constructor(onChoose) {
    this.onChoose = onChoose;
    /** Paints the steps over the nodes, each time that they are drawn. @type {(() => void) | null} */
    this.paintSteps = null;
    this.folded = new Set();
    this.chosen = null;
    this.scene = s("g", {});
    svg.append(
      s(
        "defs",
        {},
        s(
          "marker",
          {
            id: "arrow",
            viewBox: "0 0 8 8",
            refX: 7,
            refY: 4,
            markerUnits: "userSpaceOnUse",
            markerWidth: 9,
            markerHeight: 9,
            orient: "auto-start-reverse",
          },
          s("path", { d: "M0 0 8 4 0 8Z" }),
        ),
      ),
      this.scene,
    );
    this.camera = { x: 0, y: 0, scale: 1 };
    this.listen();
  }

  /** Shows a graph; modules that were folded stay so where the structure is the same. */
  show(model) {
    const structure = JSON.stringify([
      model.graph.ops.map(op => [op.name, op.inputs, op.module]),
      model.graph.modules.map(module => module.label),
    ]);
    this.model = model;
    if (structure === this.structure) return this.relabel();
    this.structure = structure;
    this.folded = new Set(model.modules.filter(module => module.parent !== undefined).map(module => module.id));
    this.chosen = null;
    this.draw(true);
  }

  // The same nodes with the numbers of another step: in place, so that a node in hand stays in hand.
  relabel() {
    for (const [key, element] of this.elements) {
      const look = describe(this.model, this.at(key));
      element.setAttribute("aria-label", look.label);
      const [name, small] = element.querySelectorAll("text");
      name.textContent = look.title;
      if (small) small.textContent = look.below;
    }
    this.paintSteps?.();
  }

  fold(on) {
    this.folded = new Set(
      on
        ? this.model.modules
            .filter(module => module.parent !== undefined || this.model.modules.length === 1)
            .map(module => module.id)
        : [],
    );
    this.draw(true);
  }

  toggle(module) {
    if (this.folded.has(module)) this.folded.delete(module);
    else this.folded.add(module);
    this.draw(true);
    this.focus(this.folded.has(module) ? `m${module}` : this.placed.find(node => node.clusters.includes(module))?.key);
  }

  /** Opens the modules around a node, and moves to it. */
  reveal(key) {
    if (!this.elements.has(key)) {
      const op =
        key[0] === "o"
          ? Number(key.slice(1))
          : (this.model.source[Number(key.slice(1))] ?? this.model.consumers[Number(key.slice(1))][0]);
      const module = op === undefined || op === null ? undefined : this.model.graph.ops[op].module;
      for (const id of module === undefined ? [] : this.model.chain(module)) this.folded.delete(id);
      this.draw(false);
    }
    this.choose(key);
    this.focus(key);
    this.bringIntoView(key);
  }

  draw(refit) {
    const { nodes, edges } = visible(this.model, this.folded);
    for (const node of nodes.values()) Object.assign(node, measure(this.model, node));
    const box = svg.getBoundingClientRect();
    const laid = layOut(nodes, edges, {
      width: Math.max(100, box.width - 2 * SIDE),
      height: Math.max(100, box.height - TOP - BOTTOM),
    });
    this.laid = laid;
    this.placed = [...nodes.values()].map(node => ({ ...node, ...laid.places.get(node.key) }));
    this.neighbors = { before: new Map(), after: new Map() };
    for (const { from, to } of edges) {
      push(this.neighbors.after, from, to);
      push(this.neighbors.before, to, from);
    }
    this.elements = new Map(this.placed.map(node => [node.key, this.node(node)]));
    this.lines = edges.map((edge, i) => ({
      ...edge,
      element: s("path", { class: "edge", d: route(laid, laid.routes[i]), "marker-end": "url(#arrow)" }),
    }));
    const { boxes, labels } = this.clusters();
    this.scene.replaceChildren(...boxes, ...this.lines.map(line => line.element), ...labels, ...this.elements.values());
    if (!this.elements.has(this.chosen)) this.chosen = null;
    this.tabStop(this.chosen ?? this.placed[0]?.key);
    this.choose(this.chosen, true);
    if (refit) this.fit();
    this.paintSteps?.();
  }

  node(node) {
    const look = describe(this.model, node);
    const shape =
      node.kind === "tensor"
        ? s("circle", { r: 15 })
        : node.kind === "op"
          ? s("path", { d: "M0-18 18 0 0 18-18 0Z" })
          : s("rect", { x: -node.width / 2, y: -node.height / 2, width: node.width, height: node.height, rx: 8 });
    const texts =
      node.kind === "module"
        ? [s("text", { y: -3, class: "name" }, look.title), s("text", { y: 13, class: "small" }, look.below)]
        : [
            s("text", { y: 31, class: "name" }, look.title),
            look.below ? s("text", { y: 44, class: "small" }, look.below) : null,
          ];
    const element = s(
      "g",
      {
        class: `node kind-${look.kind}`,
        transform: `translate(${node.x} ${node.y})`,
        role: "button",
        tabindex: -1,
        "aria-label": look.label,
        "data-key": node.key,
        "aria-pressed": "false",
      },
      shape,
      texts,
      node.kind === "module" ? null : s("rect", { class: "hit", x: -24, y: -20, width: 48, height: 62 }),
    );
    element.addEventListener("click", event => {
      if (this.dragged) return;
      event.stopPropagation();
      this.open(node.key);
    });
    return element;
  }

  // A folded module opens; anything else is chosen.
  open(key) {
    this.tabStop(key);
    if (key[0] === "m") this.toggle(Number(key.slice(1)));
    else this.choose(key);
  }

  choose(key, silently = false) {
    for (const [other, element] of this.elements) {
      element.classList.toggle("chosen", other === key);
      element.setAttribute("aria-pressed", String(other === key));
    }
    for (const line of this.lines)
      line.element.classList.toggle("near", key !== null && (line.from === key || line.to === key));
    this.chosen = key;
    if (key !== null && !silently) this.onChoose(key);
  }

  /** Marks what is done: values that are there, gradients that arrived. */
  mark(states) {
    for (const [key, element] of this.elements) {
      const members = key[0] === "m" ? this.model.opsWithin(Number(key.slice(1))).map(op => `o${op}`) : [key];
      const found = members.map(member => states.get(member) ?? "");
      for (const name of ["todo", "now", "gradient", "partial"])
        element.classList.toggle(
          name,
          name === "todo"
            ? found.every(state => state.includes(name))
            : found.some(state => state.split(" ").includes(name)),
        );
    }
    for (const line of this.lines) line.element.classList.toggle("back", states.get(`e${line.tensor}`) === "gradient");
  }

  clusters() {
    const [boxes, labels] = [[], []];
    for (const module of this.model.modules) {
      if (this.folded.has(module.id)) continue;
      const members = this.placed.filter(node => node.clusters.includes(module.id));
      const label = module.parent === undefined ? module.label : `${module.name} ${module.label}`;
      for (const row of new Set(members.map(node => node.row))) {
        const own = members.filter(node => node.row === row);
        const margin = boxMargin(
          Math.max(...own.map(node => node.clusters.length)) - this.model.chain(module.id).length,
        );
        let [left, right] = [
          Math.min(...own.map(node => node.x - node.width / 2)) - margin.side,
          Math.max(...own.map(node => node.x + node.width / 2)) + margin.side,
        ];
        // A little wider where the label wants it; there is room between layers.
        const wider = Math.min(WIDER, Math.max(0, (label.length * LETTER + 26 - (right - left)) / 2));
        [left, right] = [left - wider, right + wider];
        // Labels of tensors and ops hang below; each box within needs a line for its own.
        const [top, bottom] = [
          Math.min(...own.map(node => node.y - (node.kind === "module" ? node.height / 2 : 22))) - margin.above,
          Math.max(...own.map(node => node.y + (node.kind === "module" ? node.height / 2 : 44))) + margin.below,
        ];
        const fold = s(
          "g",
          {
            class: "cluster-label",
            role: "button",
            tabindex: -1,
            "aria-label": `Fold ${label}`,
            "data-key": `c${module.id}`,
          },
          s("text", { x: left + 8, y: top + 13 }, `▾ ${clip(label, (right - left - 24) / LETTER)}`),
        );
        fold.addEventListener("click", () => this.dragged || this.toggle(module.id));
        boxes.push(
          s(
            "g",
            { class: "cluster" },
            s("rect", { x: left, y: top, width: right - left, height: bottom - top, rx: 10 }),
          ),
        );
        labels.push(fold);
      }
    }
    return { boxes, labels };
  }

  fit() {
    const box = svg.getBoundingClientRect();
    // Room for the status above and the legend below.
    const [wide, high] = [box.width - 2 * SIDE, box.height - TOP - BOTTOM];
    const scale = Math.min(wide / this.laid.width, high / this.laid.height, 1.6);
    this.moveTo({
      scale,
      x: SIDE + (wide - this.laid.width * scale) / 2,
      y: TOP + (high - this.laid.height * scale) / 2,
    });
  }

  zoom(factor, x, y) {
    const box = svg.getBoundingClientRect();
    [x, y] = [x ?? box.width / 2, y ?? box.height / 2];
    const scale = Math.min(6, Math.max(0.05, this.camera.scale * factor));
    const by = scale / this.camera.scale;
    this.moveTo({ scale, x: x - (x - this.camera.x) * by, y: y - (y - this.camera.y) * by });
  }

  moveTo(camera) {
    this.camera = camera;
    this.scene.setAttribute("transform", `translate(${camera.x} ${camera.y}) scale(${camera.scale})`);
  }

  bringIntoView(key) {
    const node = this.placed.find(placed => placed.key === key);
    if (!node) return;
    const box = svg.getBoundingClientRect();
    const [x, y] = [node.x * this.camera.scale + this.camera.x, node.y * this.camera.scale + this.camera.y];
    if (x < 40 || y < 40 || x > box.width - 40 || y > box.height - 40)
      this.moveTo({
        ...this.camera,
        x: box.width / 2 - node.x * this.camera.scale,
        y: box.height / 2 - node.y * this.camera.scale,
      });
  }

  focus(key) {
    if (key === undefined || !this.elements.has(key)) return;
    this.tabStop(key);
    this.elements.get(key).focus({ preventScroll: true });
    this.bringIntoView(key);
  }

  // One stop for the Tab key; arrows move within.
  tabStop(key) {
    for (const [other, element] of this.elements) element.setAttribute("tabindex", other === key ? 0 : -1);
  }

  move(key, direction) {
    const here = this.placed.find(node => node.key === key);
    const along = { ArrowLeft: this.neighbors.before, ArrowRight: this.neighbors.after }[direction];
    if (along) return along.get(key)?.[0];
    const sign = direction === "ArrowDown" ? 1 : -1;
    return this.placed
      .filter(node => sign * (node.y - here.y) > 4)
      .sort((a, b) => Math.hypot(3 * (a.x - here.x), a.y - here.y) - Math.hypot(3 * (b.x - here.x), b.y - here.y))[0]
      ?.key;
  }

  at(key) {
    return this.placed.find(node => node.key === key);
  }

  listen() {
    const pointers = new Map();
    svg.addEventListener(
      "wheel",
      event => {
        event.preventDefault();
        const box = svg.getBoundingClientRect();
        this.zoom(Math.exp(-event.deltaY * 0.0015), event.clientX - box.left, event.clientY - box.top);
      },
      { passive: false },
    );
    svg.addEventListener("pointerdown", event => {
      pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
      this.dragged = false;
    });
    window.addEventListener("pointermove", event => {
      const before = pointers.get(event.pointerId);
      if (!before) return;
      const others = [...pointers].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
      if (Math.hypot(event.clientX - before.x, event.clientY - before.y) < 4 && !this.dragged) return;
      this.dragged = true;
      const box = svg.getBoundingClientRect();
      if (others.length > 0) {
        const far = at => Math.hypot(at.x - others[0].x, at.y - others[0].y);
        this.zoom(
          far({ x: event.clientX, y: event.clientY }) / Math.max(1, far(before)),
          others[0].x - box.left,
          others[0].y - box.top,
        );
      } else
        this.moveTo({
          ...this.camera,
          x: this.camera.x + event.clientX - before.x,
          y: this.camera.y + event.clientY - before.y,
        });
      pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    });
    for (const name of ["pointerup", "pointercancel"])
      window.addEventListener(name, (/** @type {PointerEvent} */ event) => pointers.delete(event.pointerId));
    svg.addEventListener("keydown", event => {
      const key = /** @type {SVGElement | null} */ (/** @type {Element} */ (event.target).closest("[data-key]"))
        ?.dataset.key;
      if (!key) return;
      if (key[0] === "c") {
        if (event.key === "Enter" || event.key === " ") this.toggle(Number(key.slice(1)));
        return;
      }
      if (event.key.startsWith("Arrow")) {
        event.preventDefault();
        this.focus(this.move(key, event.key));
      } else if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        this.open(key);
      } else if (event.key === "Escape") {
        const inner = this.at(key).clusters.at(-1);
        if (inner !== undefined) this.toggle(inner);
      }
    });
  }
}

/** What a node is called, for eyes and for screen readers. */
export function describe(model, node) {
  if (node.kind === "module") {
    const module = model.modules[node.id];
    const count = model.opsWithin(module.id).length;
    return {
      kind: "module",
      title: `▸ ${clip(module.label.replace(/\(.*/, ""), 22)}`,
      below: clip(module.label.match(/\((.*)\)/)?.[1] || `${count} op${count === 1 ? "" : "s"}`, 26),
      label: `Module ${module.path} ${module.label}, folded, ${count} ops. Enter unfolds.`,
    };
  }
  if (node.kind === "op") {
    const op = model.graph.ops[node.id];
    return { kind: "op", title: op.name, below: "", label: `Op ${op.name}` };
  }
  const tensor = model.graph.tensors[node.id];
  const title = tensor.name || shapeText(tensor.shape);
  const below = tensor.item !== undefined ? digits(tensor.item, 4) : tensor.name ? shapeText(tensor.shape) : "";
  const kinds = { input: "Input", parameter: "Parameter", constant: "Constant", value: "Value", root: "Result" };
  return { kind: tensor.kind, title, below, label: `${kinds[tensor.kind]} ${tensor.name} ${shapeText(tensor.shape)}` };
}

function measure(model, node) {
  const { title, below } = describe(model, node);
  const text = Math.max(title.length * 7.2, below.length * 6.2);
  return node.kind === "module"
    ? { width: Math.max(96, text + 22), height: 46, reach: Math.max(96, text + 22) / 2 }
    : { width: Math.max(36, text), height: 92, reach: node.kind === "op" ? 18 : 15 };
}

// Curves between neighbors of a row; from row to row round the right and left borders.
function route(laid, points) {
  let path = `M${points[0].x} ${points[0].y}`;
  for (let i = 1; i < points.length; i++) {
    const [a, b] = [points[i - 1], points[i]];
    if (a.row === b.row) {
      const middle = (a.x + b.x) / 2;
      path += `C${middle} ${a.y} ${middle} ${b.y} ${b.x} ${b.y}`;
    } else {
      const [left, right] = [4, laid.width - 4];
      const between = laid.rows[b.row].lane;
      path +=
        `L${right - 10} ${a.y}Q${right} ${a.y} ${right} ${a.y + 10}` +
        `L${right} ${between - 10}Q${right} ${between} ${right - 10} ${between}` +
        `L${left + 10} ${between}Q${left} ${between} ${left} ${between + 10}` +
        `L${left} ${b.y - 10}Q${left} ${b.y} ${left + 10} ${b.y}` +
        `L${b.x} ${b.y}`;
    }
  }
  return path;
}

const clip = (text, length) => (text.length <= length ? text : `${text.slice(0, Math.max(1, length - 1))}…`);

function push(map, key, value) {
  if (!map.has(key)) map.set(key, []);
  map.get(key).push(value);
}
