"use strict";
// Draws every figure of the page from the JSON beside it, in the reader's colours; also those that come later.
(() => {
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const drawn = new Map();
  const ink = () => getComputedStyle(document.documentElement).getPropertyValue("--ink").trim();
  // Where a point is known only by its place on the x axis, a click tells it.
  function draw(box, figure, clicked) {
    drawn.set(box, { figure, clicked });
    paint(box);
  }
  function paint(box) {
    const { figure, clicked } = drawn.get(box);
    let place = box.querySelector(":scope > div");
    if (!place) { place = document.createElement("div"); box.append(place); }
    const alt = figure.layout?.meta?.alt || figure.layout?.title?.text || "figure";
    box.setAttribute("role", "img"); box.setAttribute("aria-label", alt); box.tabIndex = 0;
    const layout = { ...figure.layout, autosize: true, font: { ...figure.layout.font, color: ink() } };
    delete layout.width; delete layout.template;
    // On a phone the legend goes below, where it hides neither title nor marks.
    if (box.clientWidth < 560) {
      layout.legend = { orientation: "h", x: 0, y: -0.3, yanchor: "top" };
      layout.margin = { ...layout.margin, t: 48, b: 100 };
      layout.height = (figure.layout.height || 300) + 56;
    }
    Plotly.react(place, figure.data, layout, { responsive: true, displayModeBar: false });
    if (clicked && !place.dataset.listens) {
      place.dataset.listens = "yes";
      place.on("plotly_click", (event) => drawn.get(box).clicked(event.points[0]));
    }
  }
  function found(root) {
    for (const box of root.querySelectorAll("figure.plot")) {
      const held = box.querySelector(":scope > script[type='application/json']");
      if (held && !drawn.has(box)) draw(box, JSON.parse(held.textContent));
    }
  }
  globalThis.squash = { draw };
  dark.addEventListener("change", () => { for (const box of drawn.keys()) paint(box); });
  // While the page still comes in, a figure is whole when something follows it.
  const coming = new MutationObserver(() => { for (const cell of document.querySelectorAll("[data-cell]")) if (cell.nextElementSibling) found(cell); });
  coming.observe(document, { childList: true, subtree: true });
  document.addEventListener("DOMContentLoaded", () => { coming.disconnect(); found(document); });
})();
