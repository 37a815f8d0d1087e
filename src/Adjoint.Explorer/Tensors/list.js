// The list of tensors, folded by what their names have in common: layer1.0.conv1.weight is in layer1, there in 0.

import { h } from "explorer/dom";

const OPEN_UP_TO = 40;

/** 64×3×7×7; a scalar has no axes. */
export const sizesText = sizes => (sizes.length === 0 ? "scalar" : sizes.join("×"));

/** 1.2 MB; units are powers of 1000. */
export function sizeText(bytes) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  while (bytes >= 999.5 && unit < units.length - 1) [bytes, unit] = [bytes / 1000, unit + 1];
  return `${unit === 0 || bytes >= 99.95 ? Math.round(bytes) : bytes.toFixed(1)} ${units[unit]}`;
}

export class TensorList {
  #place;
  #choose;
  #chosen = -1;

  /** A list in an element; choose(entry) is called for the one that is chosen. */
  constructor(place, choose) {
    this.#place = place;
    this.#choose = choose;
    place.addEventListener("keydown", event => this.#move(event));
  }

  show(entries, { isGrouped, isOpen, chosen }) {
    const open = isOpen || entries.length <= OPEN_UP_TO;
    this.#chosen = chosen ?? -1;
    this.#place.replaceChildren(
      ...(isGrouped ? this.#nodes(groups(entries), open) : entries.map(entry => this.#row(entry, entry.name))),
    );
  }

  /** Marks the tensor that is shown. */
  mark(index) {
    this.#chosen = index;
    for (const row of this.#place.querySelectorAll("button"))
      row.setAttribute("aria-current", String(row.dataset.tensor === String(index)));
  }

  #nodes(nodes, open) {
    return nodes.map(node => {
      if (node.entry) return this.#row(node.entry, node.label);
      const body = h("div", {});
      // What is folded is made when it is unfolded.
      const fill = () => body.childElementCount === 0 && body.append(...this.#nodes(node.nodes, open));
      const group = h(
        "details",
        { open },
        h(
          "summary",
          {},
          h("bdi", {}, node.label),
          h("span", { class: "quiet" }, `  ${node.count.toLocaleString("en")} tensors, ${sizeText(node.bytes)}`),
        ),
        body,
      );
      if (open) fill();
      group.addEventListener("toggle", fill);
      return group;
    });
  }

  #row(entry, label) {
    return h(
      "button",
      {
        type: "button",
        title: entry.name,
        "data-tensor": entry.index,
        "aria-current": String(entry.index === this.#chosen),
        onclick: () => this.#choose(entry),
      },
      h("bdi", {}, label),
      h("span", { class: "shape" }, `${sizesText(entry.sizes)} ${entry.type}`),
      h("span", { class: "size" }, sizeText(entry.bytes)),
      entry.sharesWith ? h("span", { class: "shared" }, "= ", h("bdi", {}, entry.sharesWith)) : null,
    );
  }

  // Arrows go from line to line, left and right fold and unfold.
  #move(event) {
    const lines = [...this.#place.querySelectorAll("button, summary")].filter(line => line.checkVisibility());
    const at = lines.indexOf(document.activeElement);
    if (at < 0) return;
    const group = lines[at].closest("details");
    const isHead = lines[at].matches("summary");
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: lines.length - 1 }[event.key];
    if (to !== undefined) lines[to]?.focus();
    else if (event.key === "ArrowRight" && isHead) group.open = true;
    else if (event.key === "ArrowLeft" && isHead && group.open) group.open = false;
    else if (event.key === "ArrowLeft")
      (isHead ? group.parentElement.closest("details") : group)?.querySelector("summary").focus();
    else return;
    event.preventDefault();
  }
}

// Neighbors whose names begin with the same part become a group; one that is alone keeps its whole name.
function groups(entries, depth = 0) {
  const nodes = [];
  for (let from = 0; from < entries.length;) {
    const parts = partsOf(entries[from]);
    let to = from + 1;
    if (parts.length > depth + 1)
      for (; to < entries.length; to++) {
        const others = partsOf(entries[to]);
        if (others.length <= depth + 1 || others[depth] !== parts[depth]) break;
      }
    const some = entries.slice(from, to);
    if (some.length === 1) nodes.push({ entry: some[0], label: parts.slice(depth).join(".") });
    else {
      const inner = groups(some, depth + 1);
      const bytes = some.reduce((sum, entry) => sum + entry.bytes, 0);
      // A group of one group is one: bert.encoder.
      if (inner.length === 1) nodes.push({ ...inner[0], label: `${parts[depth]}.${inner[0].label}` });
      else nodes.push({ label: parts[depth], nodes: inner, count: some.length, bytes });
    }
    from = to;
  }
  return nodes;
}

// At most so deep: a name may be dots alone.
const partsOf = entry => {
  const parts = entry.name.split(".");
  return parts.length <= 12 ? parts : [...parts.slice(0, 11), parts.slice(11).join(".")];
};
