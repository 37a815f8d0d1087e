// Two curves over steps, in SVG: every step's, thin, and the validation's, whose last has a dot.

import { h, s } from "explorer/dom";
import { digits } from "explorer/format";

const WIDE = 360,
  HIGH = 120,
  LEFT = 44,
  BOTTOM = 18;

/** Draws column `which` of { training, validation } ([step, …] each) into a place. */
export function chart(place, curves, which, name) {
  const all = [...curves.training, ...curves.validation]
    .map(point => [point[0], Number(point[which])])
    .filter(point => Number.isFinite(point[1]));
  if (all.length === 0) return place.replaceChildren(h("p", { class: "quiet" }, "Nothing measured yet."));
  const last = Math.max(...all.map(point => point[0]), 1);
  const top = which === 2 ? 1 : Math.max(...all.map(point => point[1])) * 1.05 || 1;
  const bottom = which === 2 ? Math.min(0.5, ...all.map(point => point[1])) : 0;
  const x = step => LEFT + (step / last) * (WIDE - LEFT - 6);
  const y = value => 6 + ((top - value) / (top - bottom)) * (HIGH - BOTTOM - 6);
  const path = points =>
    points
      .filter(point => Number.isFinite(Number(point[which])))
      .map((point, i) => `${i === 0 ? "M" : "L"}${x(point[0]).toFixed(1)} ${y(Number(point[which])).toFixed(1)}`)
      .join("");
  const ticks = [bottom, (top + bottom) / 2, top];
  const end = curves.validation.at(-1);
  place.replaceChildren(
    s(
      "svg",
      {
        viewBox: `0 0 ${WIDE} ${HIGH}`,
        role: "img",
        "aria-label": `${name} over ${last} steps${end ? `; validation ${digits(end[which], 4)}` : ""}`,
      },
      ticks.map(value => [
        s("line", { class: "grid", x1: LEFT, x2: WIDE - 6, y1: y(value), y2: y(value) }),
        s("text", { x: LEFT - 4, y: y(value) + 4, "text-anchor": "end" }, digits(value, 2)),
      ]),
      s("text", { x: LEFT, y: HIGH - 3 }, "0"),
      s("text", { x: WIDE - 6, y: HIGH - 3, "text-anchor": "end" }, `step ${last.toLocaleString("en")}`),
      s("path", { class: "curve training", d: path(curves.training) }),
      s("path", { class: "curve validation", d: path(curves.validation) }),
      end && Number.isFinite(Number(end[which]))
        ? s("circle", { class: "last", cx: x(end[0]), cy: y(Number(end[which])), r: 3 })
        : null,
    ),
    h(
      "p",
      { class: "key" },
      h("span", { class: "training" }, "training batch"),
      h("span", { class: "validation" }, "validation"),
    ),
  );
}
