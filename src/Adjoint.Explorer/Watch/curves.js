// A chart of curves over epochs, in SVG: validation solid, training dashed, steps thin. Letters tell runs apart without
// colors.

import { h, s } from "explorer/dom";
import { digits } from "explorer/format";

const USUAL = 560,
  NARROWEST = 260,
  HIGH = 250,
  LEFT = 58,
  RIGHT = 22,
  TOP = 10,
  BOTTOM = 24;

/** How many colors there are before one comes again. */
export const COLORS = 7;

/**
 * @typedef {{ letter: string, color: number, kind: "validation" | "training" | "steps",
 *   points: [number, number][] }} Curve
 */

/**
 * Exponential smoothing without the bias of its start (Kingma & Ba 2015, section 3).
 * @param {[number, number][]} points
 * @param {number} weight what remains of the past, 0 to 1
 * @returns {[number, number][]}
 */
export function smooth(points, weight) {
  if (weight === 0) return points;
  let [sum, total] = [0, 0];
  return points.map(([x, y]) => {
    sum = weight * sum + (1 - weight) * y;
    total = weight * total + (1 - weight);
    return [x, sum / total];
  });
}

/**
 * Values for the grid, about so many: 1, 2 or 5 times a power of ten; on a log scale decades, or all of these where
 * there are few.
 * @param {number} low
 * @param {number} high
 * @param {boolean} isLog
 * @returns {number[]}
 */
export function ticks(low, high, isLog) {
  if (isLog) {
    const from = Math.floor(Math.log10(low)),
      to = Math.ceil(Math.log10(high));
    const every = Math.ceil((to - from) / 8);
    const within = parts =>
      Array.from({ length: to - from + 1 }, (_, i) => from + i)
        .filter(power => every <= 1 || power % every === 0)
        .flatMap(power => parts.map(part => part * 10 ** power))
        .filter(value => value >= low && value <= high);
    const decades = within([1]);
    return decades.length > 2 ? decades : within([1, 2, 5]);
  }
  const rough = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find(part => part * power >= rough * 0.999);
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) => (first + i) * step);
}

// The value of a line of the grid, in no more digits than it has.
const mark = value =>
  Math.abs(value) < 1e5 ? String(Number(value.toPrecision(4))).replace("-", "−") : digits(value, 3);

export class Chart {
  /** @param {string} title */
  constructor(title) {
    this.title = title;
    /** @type {Curve[]} */
    this.curves = [];
    this.smoothing = 0;
    this.log = false;
    this.last = 1;
    this.wide = USUAL;
    /** @type {((epoch: number) => number) | null} */
    this.place = null;
    /** @type {number | null} */
    this.at = null;
    this.picture = h("div", {});
    this.values = h("ul", { class: "values", "aria-live": "polite" });
    this.legend = h("p", { class: "legend" });
    this.element = h("section", { class: "panel", "aria-label": title }, [
      h("h2", {}, title),
      this.picture,
      this.values,
      this.legend,
    ]);
  }

  /**
   * @param {Curve[]} curves
   * @param {{ smoothing: number, log: boolean, last: number }} how last: the largest epoch
   */
  show(curves, { smoothing, log, last }) {
    Object.assign(this, { curves, smoothing, log, last });
    this.draw();
  }

  draw() {
    const shown = this.curves
      .map(curve => ({ ...curve, points: smooth(curve.points, this.smoothing) }))
      .filter(curve => curve.points.length > 0);
    const values = shown.flatMap(curve => curve.points.map(point => point[1]));
    if (values.length === 0) {
      this.picture.replaceChildren(h("p", { class: "quiet" }, "Nothing measured yet."));
      this.values.replaceChildren();
      return;
    }
    // As wide as there is room for, so that text keeps its size.
    const wide = (this.wide = Math.max(NARROWEST, this.picture.clientWidth || USUAL));
    let [low, high] = [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
    // What is not above 0 has no logarithm: then the scale stays linear, and says so.
    const isLog = this.log && low > 0;
    if (low === high) [low, high] = low === 0 ? [-1, 1] : [low - Math.abs(low) / 2, high + Math.abs(high) / 2];
    const scale = isLog ? Math.log10 : value => value;
    const x = epoch => LEFT + (epoch / this.last) * (wide - LEFT - RIGHT);
    const y = value => TOP + ((scale(high) - scale(value)) / (scale(high) - scale(low))) * (HIGH - TOP - BOTTOM);
    const path = points =>
      points.map(([at, value], i) => `${i ? "L" : "M"}${x(at).toFixed(1)} ${y(value).toFixed(1)}`).join("");
    const letters = new Set(shown.map(curve => curve.letter)).size > 1;
    const svg = s(
      "svg",
      { viewBox: `0 0 ${wide} ${HIGH}`, role: "img", tabindex: 0, "aria-label": this.label(shown) },
      ticks(low, high, isLog).map(value => [
        s("line", { class: "grid", x1: LEFT, x2: wide - RIGHT, y1: y(value), y2: y(value) }),
        s("text", { x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, mark(value)),
      ]),
      ticks(0, this.last, false)
        .filter(epoch => Number.isInteger(epoch))
        .map(epoch => s("text", { x: x(epoch), y: HIGH - 6, "text-anchor": "middle" }, String(epoch))),
      shown.map(curve => {
        const [end, value] = curve.points[curve.points.length - 1];
        return s(
          "g",
          { class: "run", "data-color": curve.color % COLORS },
          s("path", { class: `line ${curve.kind}`, d: path(curve.points) }),
          curve.kind === "steps" ? null : s("circle", { class: "dot", cx: x(end), cy: y(value), r: 3 }),
          letters && curve.kind === "validation"
            ? s("text", { class: "letter", x: x(end) + 6, y: y(value) + 4 }, curve.letter)
            : null,
        );
      }),
    );
    svg.addEventListener("pointermove", event => {
      const box = svg.getBoundingClientRect();
      this.move((((event.clientX - box.left) / box.width) * wide - LEFT) / (wide - LEFT - RIGHT), svg);
    });
    svg.addEventListener("pointerleave", () => this.move(null, svg));
    svg.addEventListener("keydown", event => {
      const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (event.key === "Escape") this.move(null, svg);
      if (!by) return;
      event.preventDefault();
      const at = this.at === null ? (by > 0 ? 0 : Math.floor(this.last)) : Math.round(this.at) + by;
      this.move(at / this.last, svg);
    });
    this.place = x;
    const focused = this.picture.contains(document.activeElement);
    this.picture.replaceChildren(svg);
    if (focused) svg.focus();
    const kinds = new Set(shown.map(curve => curve.kind));
    this.legend.textContent = [
      kinds.has("training") ? "solid: validation, dashed: training" : "",
      kinds.has("steps") ? "thin: training, within epochs" : "",
      this.log && !isLog ? "linear: some values are not above 0" : "",
      "by epoch",
    ]
      .filter(part => part)
      .join("; ");
    this.mark(svg);
  }

  /**
   * Shows the values at a place, 0 to 1; null: the last ones.
   * @param {number | null} share
   * @param {SVGElement} svg
   */
  move(share, svg) {
    this.at = share === null ? null : Math.round(Math.min(1, Math.max(0, share)) * this.last * 2) / 2;
    this.mark(svg);
  }

  /** @param {SVGElement} svg */
  mark(svg) {
    svg.querySelector(".here")?.remove();
    if (this.at !== null && this.place) {
      const at = this.place(this.at);
      svg.append(s("line", { class: "here", x1: at, x2: at, y1: TOP, y2: HIGH - BOTTOM }));
    }
    this.tell();
  }

  // The numbers themselves, not smoothed.
  tell() {
    const letters = new Set(this.curves.map(curve => curve.letter)).size > 1;
    this.values.replaceChildren(
      ...this.curves
        .filter(curve => curve.points.length > 0)
        .map(curve => {
          const at = this.at;
          const [epoch, value] =
            at === null
              ? curve.points[curve.points.length - 1]
              : curve.points.reduce((best, point) =>
                  Math.abs(point[0] - at) < Math.abs(best[0] - at) ? point : best,
                );
          return h(
            "li",
            { "data-color": curve.color % COLORS, "data-kind": curve.kind, "data-value": value },
            letters ? h("b", {}, `${curve.letter} `) : null,
            this.curves.some(other => other.kind !== "validation") ? `${curve.kind} ` : "",
            `${digits(value, 5)} `,
            h("span", { class: "quiet" }, `at ${digits(Number(epoch.toFixed(2)), 4)}`),
          );
        }),
    );
  }

  /** @param {Curve[]} shown */
  label(shown) {
    const ends = shown
      .filter(curve => curve.kind === "validation")
      .map(curve => `${curve.letter} ${digits(curve.points[curve.points.length - 1][1], 4)}`);
    return `${this.title} over epochs; last: ${ends.join(", ")}. Arrow keys show values.`;
  }
}
