"use strict";
// Draws every figure of the page from the JSON beside it, in the reader's colours.
document.addEventListener("DOMContentLoaded", () => {
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const plots = Array.from(document.querySelectorAll("figure.plot"), (box) => {
    const figure = JSON.parse(box.querySelector("script").textContent);
    const place = document.createElement("div");
    box.append(place);
    return { place, figure };
  });
  const draw = () => {
    const ink = getComputedStyle(document.documentElement).getPropertyValue("--ink").trim();
    for (const { place, figure } of plots) {
      const layout = { ...figure.layout, autosize: true, font: { ...figure.layout.font, color: ink } };
      delete layout.width;
      delete layout.template;
      Plotly.react(place, figure.data, layout, { responsive: true, displayModeBar: false });
    }
  };
  draw();
  dark.addEventListener("change", draw);
});
