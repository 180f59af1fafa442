// A list to choose from, the figures of what was chosen, and a picture in which one may choose by a click.
export function render({ model, el }) {
  const make = (tag, name, inside) => { const node = document.createElement(tag); node.className = name; inside.append(node); return node; };
  const box = make("section", "chooser", el);
  const picture = make("figure", "plot", box);
  const bar = make("div", "row", box);
  const label = make("label", "", bar);
  const select = document.createElement("select");
  label.append(`${model.get("label")} `, select);
  const step = (text, by) => {
    const button = make("button", "quiet", bar);
    button.type = "button"; button.textContent = text;
    button.addEventListener("click", () => choose(model.get("choices")[select.selectedIndex + by]?.value));
  };
  if (model.get("steps")) { step("Previous", -1); step("Next", 1); }
  const words = make("div", "words", box);
  words.setAttribute("aria-live", "polite");
  const shown = make("div", "shown", box);
  const choose = (value) => { if (value !== undefined) { model.set("chosen", String(value)); model.save_changes(); } };
  const options = () => {
    select.replaceChildren(...model.get("choices").map(({ value, label }) => new Option(label, value)));
    select.value = model.get("chosen");
  };
  const draw = () => {
    select.value = model.get("chosen");
    words.innerHTML = model.get("html");
    const figures = model.get("figures");
    while (shown.children.length > figures.length) shown.lastChild.remove();
    while (shown.children.length < figures.length) make("figure", "plot", shown);
    figures.forEach((figure, i) => globalThis.squash?.draw(shown.children[i], figure));
  };
  const overview = () => {
    const figure = model.get("picture");
    picture.hidden = !figure.data;
    if (figure.data) globalThis.squash?.draw(picture, figure, (point) => choose(point.x));
  };
  select.addEventListener("change", () => choose(select.value));
  model.on("change:choices", options);
  model.on("change:chosen", () => { select.value = model.get("chosen"); });
  model.on("change:figures", draw);
  model.on("change:html", draw);
  model.on("change:picture", overview);
  options(); overview(); draw();
}
export default { render };
