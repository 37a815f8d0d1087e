// Colors for numbers. Signed numbers: blue below 0, orange above, so that those who do not tell red from green see
// them too.

/** The palette for the page's present theme: a function from −1…1 to [r, g, b]. */
export function palette() {
  const dark =
    getComputedStyle(document.documentElement).colorScheme.includes("dark") &&
    document.documentElement.dataset.scheme === "dark";
  const middle = dark ? [38, 42, 48] : [247, 247, 247];
  const [low, high] = dark
    ? [
        [86, 180, 255],
        [255, 150, 60],
      ]
    : [
        [0, 90, 170],
        [200, 80, 0],
      ];
  return share => {
    const end = share < 0 ? low : high;
    const by = Math.min(1, Math.abs(share)) ** 0.8;
    return middle.map((value, i) => Math.round(value + (end[i] - value) * by));
  };
}

/**
 * Paints numbers (row-major, what is not finite stays empty) into a canvas, one pixel each; 0 is the palette's
 * middle.
 */
export function paint(canvas, values, columns, largest) {
  const rows = Math.ceil(values.length / columns);
  [canvas.width, canvas.height] = [columns, rows];
  const context = canvas.getContext("2d");
  const image = context.createImageData(columns, rows);
  const color = palette();
  values.forEach((value, i) => {
    if (!Number.isFinite(value)) return;
    image.data.set([...color(largest > 0 ? value / largest : 0), 255], 4 * i);
  });
  context.putImageData(image, 0, 0);
}
