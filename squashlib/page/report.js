"use strict";
// Draws every figure of the page from the JSON beside it, in the reader's colours; also those that come later. One after
// the other in the page's order, so that the first can be looked at before the last is begun.
(() => {
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const drawn = new Map(), waiting = [];
  const ink = () => getComputedStyle(document.documentElement).getPropertyValue("--ink").trim();
  const plotly = new Promise((done, failed) => {
    if (globalThis.Plotly) { done(); return; }
    const script = document.getElementById("plotly");
    script.addEventListener("load", done); script.addEventListener("error", failed);
  });
  const words = (figure) => figure.layout?.meta?.alt || figure.layout?.title?.text || "figure";
  // Where a point is known only by its place on the x axis, a click tells it.
  function draw(box, figure, clicked) {
    if (figure.layout?.meta?.empty) { nothing(box, figure.layout); return; }
    box.classList.remove("nothing");
    drawn.set(box, { figure, clicked });
    box.setAttribute("role", "img"); box.setAttribute("aria-label", words(figure)); box.tabIndex = 0;
    box.style.minHeight = `${(figure.layout?.height || 300) + 14}px`; // what follows does not jump
    if (!waiting.includes(box)) waiting.push(box);
    work();
  }
  function nothing(box, layout) {
    const title = document.createElement("b"), reason = document.createElement("span");
    title.textContent = layout.title?.text || ""; reason.textContent = layout.meta.empty;
    box.replaceChildren(title, reason);
    box.classList.add("nothing");
    box.removeAttribute("role"); box.removeAttribute("aria-label"); box.style.minHeight = "0";
    drawn.delete(box);
  }
  let working = false;
  async function work() {
    if (working) return;
    working = true;
    try {
      await plotly;
      for (let box = waiting.shift(); box; box = waiting.shift()) { paint(box); await new Promise((done) => setTimeout(done)); }
    } catch { for (const [box, { figure }] of drawn) box.textContent = words(figure); }
    working = false;
  }
  function paint(box) {
    const { figure, clicked } = drawn.get(box);
    let place = box.querySelector(":scope > div");
    for (const word of box.querySelectorAll(":scope > b, :scope > span")) word.remove();
    if (!place) { place = document.createElement("div"); box.append(place); }
    const layout = { ...figure.layout, autosize: true, font: { ...figure.layout.font, color: ink() } };
    delete layout.width; delete layout.template;
    if (layout.showlegend === false) layout.margin = { ...layout.margin, t: 48 };
    // On a phone the legend goes below, where it hides neither title nor marks.
    if (box.clientWidth < 480) {
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
      if (held && !drawn.has(box) && !box.classList.contains("nothing")) draw(box, JSON.parse(held.textContent));
    }
  }
  function whole() {
    coming.disconnect();
    found(document);
    for (const time of document.querySelectorAll("time[datetime]")) {
      time.textContent = new Date(time.dateTime).toLocaleString([], { dateStyle: "full", timeStyle: "short" });
    }
  }
  globalThis.squash = { draw };
  dark.addEventListener("change", () => { waiting.push(...drawn.keys()); work(); });
  window.addEventListener("beforeprint", () => { if (globalThis.Plotly) waiting.splice(0).forEach(paint); });
  // While the page still comes in, a figure is whole when something follows it.
  const coming = new MutationObserver(() => { for (const cell of document.querySelectorAll("[data-cell]")) if (cell.nextElementSibling) found(cell); });
  coming.observe(document, { childList: true, subtree: true });
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", whole); else whole();
})();
