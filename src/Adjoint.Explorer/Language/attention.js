// The attention of heads as maps: a small one for each, and the chosen one large, with its numbers.

import { h, byId, bytesOf } from "explorer/dom";
import { paint } from "explorer/colors";
import { digits } from "explorer/format";
import { signs } from "language/tokens";

// In pixels; smaller names cannot be read.
const LARGEST_NAME = 11,
  SMALLEST_NAME = 6;

export class Attention {
  /** @param {() => void} changed called when another head is chosen, or another row of its map */
  constructor(changed) {
    this.changed = changed;
    /** @type {import("language/tokens").Token[]} */
    this.tokens = [];
    /** @type {{ name: string, heads: number, first: number }[]} */
    this.layers = [];
    /** The number of the chosen head, over all layers. */
    this.chosen = 0;
    /** The cell under the pointer or the cursor: [row, column]. */
    this.cell = [0, 0];
    this.canvas = h("canvas", {});
    this.cursor = h("div", { class: "cursor", hidden: true });
    this.rows = h("div", { class: "names rows", "aria-hidden": "true" });
    this.columns = h("div", { class: "names columns", "aria-hidden": "true" });
    this.stage = h(
      "div",
      { class: "stage", tabindex: 0, role: "application", "aria-describedby": "cell" },
      this.canvas,
      this.cursor,
    );
    this.scale = h("div", { class: "scale" });
    byId("map").append(this.columns, this.rows, this.stage, this.scale);
    addEventListener("resize", () => this.drawNames());
    this.stage.addEventListener("pointermove", event => this.point(event));
    this.stage.addEventListener("click", event => {
      this.point(event);
      this.changed();
    });
    this.stage.addEventListener("keydown", event => this.key(event));
  }

  /** The row that the tokens are shaded by. */
  get row() {
    return this.cell[0];
  }

  get size() {
    return this.tokens.length;
  }

  /** @param {{ tokens: any[], layers: { name: string, heads: number }[], weights: string }} look */
  show(look) {
    this.tokens = look.tokens;
    const bytes = bytesOf(look.weights);
    this.shares = new Uint16Array(bytes.buffer);
    let first = 0;
    this.layers = look.layers.map(layer => ({ ...layer, first: (first += layer.heads) - layer.heads }));
    byId("attention").hidden = this.layers.length === 0;
    if (this.layers.length === 0) return;
    this.cell = [this.size - 1, Math.min(this.cell[1], this.size - 1)];
    this.drawHeads();
    this.drawMap();
  }

  /**
   * How much a place takes from each, of a head.
   * @param {number} place
   * @returns {number[] | null} null where there are no heads
   */
  of(place, head = this.chosen) {
    if (this.layers.length === 0) return null;
    const from = (head * this.size + place) * this.size;
    return Array.from(this.shares.subarray(from, from + this.size), share => share / 65535);
  }

  /** @param {number} place */
  chooseRow(place) {
    this.cell = [place, Math.min(this.cell[1], place)];
    if (this.layers.length > 0) this.drawCursor();
  }

  /** Again, in other colors. */
  redraw() {
    if (this.layers.length === 0) return;
    this.drawHeads();
    this.drawMap();
  }

  drawHeads() {
    const focused = document.activeElement?.id;
    byId("heads").replaceChildren(
      ...this.layers.map((layer, i) =>
        h(
          "div",
          { class: "layer", role: "group", "aria-label": layer.name },
          h("span", { class: "quiet", title: layer.name }, `layer ${i + 1}`),
          Array.from({ length: layer.heads }, (_, head) => {
            const number = layer.first + head;
            const canvas = h("canvas", { "aria-hidden": "true" });
            this.paint(canvas, number);
            return h(
              "button",
              {
                type: "button",
                id: `head-${number}`,
                "aria-pressed": String(number === this.chosen),
                "aria-label": `layer ${i + 1}, head ${head + 1}`,
                title: `layer ${i + 1}, head ${head + 1}`,
                onclick: () => this.choose(number),
              },
              canvas,
            );
          }),
        ),
      ),
    );
    if (focused?.startsWith("head-")) byId(focused)?.focus();
  }

  choose(number) {
    byId(`head-${this.chosen}`)?.setAttribute("aria-pressed", "false");
    byId(`head-${number}`).setAttribute("aria-pressed", "true");
    this.chosen = number;
    this.drawMap();
    this.changed();
  }

  drawMap() {
    const layer = this.layers.findLastIndex(one => one.first <= this.chosen);
    const name = `Layer ${layer + 1}, head ${this.chosen - this.layers[layer].first + 1}`;
    byId("head").textContent = name;
    this.stage.setAttribute("aria-label", `${name}: ${this.size} by ${this.size} cells; arrow keys move`);
    this.paint(this.canvas, this.chosen);
    byId("map").style.setProperty("--size", String(this.size));
    this.scale.replaceChildren(...scale());
    this.drawNames();
    this.drawCursor();
  }

  /** The tokens beside rows and columns, where there is room for them. */
  drawNames() {
    const room = this.stage.clientWidth / this.size;
    const named = room >= SMALLEST_NAME ? this.tokens : [];
    for (const names of [this.rows, this.columns]) {
      names.style.fontSize = `${Math.min(LARGEST_NAME, room)}px`;
      names.replaceChildren(...named.map(token => h("span", {}, signs(token))));
    }
  }

  /** The numbers of a head, later columns of a row empty: nothing is taken from what comes after. */
  paint(canvas, head) {
    const size = this.size;
    const shares = this.shares.subarray(head * size * size, (head + 1) * size * size);
    paint(
      canvas,
      Array.from(shares, (share, i) => (i % size > Math.floor(i / size) ? NaN : share / 65535)),
      size,
      1,
    );
  }

  drawCursor() {
    const [row, column] = this.cell;
    const share = 100 / this.size;
    this.cursor.hidden = false;
    Object.assign(this.cursor.style, {
      left: `${column * share}%`,
      top: `${row * share}%`,
      width: `${share}%`,
      height: `${share}%`,
    });
    const name = place => `${signs(this.tokens[place])} (${place + 1})`;
    const value = this.of(row)[column];
    const cell = byId("cell");
    cell.dataset.value = String(value);
    cell.textContent = `${name(row)} takes ${digits(value, 4)} from ${name(column)}`;
  }

  point(event) {
    const box = this.canvas.getBoundingClientRect();
    const at = (value, from, length) =>
      Math.max(0, Math.min(this.size - 1, Math.floor(((value - from) / length) * this.size)));
    this.cell = [at(event.clientY, box.top, box.height), at(event.clientX, box.left, box.width)];
    this.drawCursor();
  }

  key(event) {
    const by = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (!by) return;
    event.preventDefault();
    this.cell = this.cell.map((value, i) => Math.max(0, Math.min(this.size - 1, value + by[i])));
    this.drawCursor();
    this.changed();
  }
}

// From 0 to 1, in the colors of the maps.
function scale() {
  const canvas = h("canvas", { "aria-hidden": "true" });
  paint(
    canvas,
    Array.from({ length: 64 }, (_, i) => i / 63),
    64,
    1,
  );
  return [h("span", {}, "0"), canvas, h("span", {}, "1")];
}
