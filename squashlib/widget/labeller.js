// The labelling widget: signals and labels on one canvas. What is there is drawn at once, coarse if need be; finer tiles
// are asked of Python and sharpen the picture when they come. Labels live in the model's `labels`, so a page that is
// loaded again shows them again. One module with tiles.js, which Python puts before it.

const GUTTER = 92, AXIS = 22, OVERVIEW = 34, SPAN_ROW = 18, MOMENT_ROW = 16, EDGE = 6, CLICK = 4;
const FINE_S = 0.02, SHORTEST_S = 0.05;

const clock = (s, digits = 1) => {
  const sign = s < 0 ? "-" : "", total = Math.abs(s), h = Math.floor(total / 3600);
  const m = Math.floor((total % 3600) / 60), rest = (total % 60).toFixed(digits).padStart(digits ? 3 + digits : 2, "0");
  return sign + (h ? `${h}:${String(m).padStart(2, "0")}` : `${m}`) + `:${rest}`;
};
const milli = (s) => Math.round(s * 1000) / 1000;
const clamp = (x, low, high) => Math.min(high, Math.max(low, x));
const make = (tag, attributes = {}, ...children) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
};
const freshId = () => Array.from(crypto.getRandomValues(new Uint8Array(6)), (b) => b.toString(16).padStart(2, "0")).join("");

const HELP = [
  ["drag", "a new label of the chosen kind"], ["click", "select a label, or place a moment (stroke, let, point)"],
  ["drag an edge", "move it"], ["wheel, + −", "zoom"], ["Shift + drag or wheel, Page keys", "pan"], ["0", "all"],
  ["← →", "move the cursor (Shift: fine)"], ["Enter", "begin a label at the cursor, again to end it; or place a moment"],
  ["1 … 9", "choose the kind"], ["n p", "next, previous label"], ["s e", "start, end of the selected to the cursor"],
  ["c", "the selected becomes of the chosen kind"], ["Delete", "delete the selected"],
  ["Ctrl Z, Ctrl Shift Z", "undo, redo"], ["Alt + wheel", "taller or flatter signal"], ["Esc", "let go"],
];

function render({ model, el }) {
  const channels = model.get("channels"), kinds = model.get("kinds"), duration = model.get("duration_s");
  const tiles = new Tiles(model, () => draw());
  const kindOf = Object.fromEntries(kinds.map((kind) => [kind.name, kind]));
  const gain = channels.map(() => 1);
  const state = {
    view: model.get("view").length === 2 ? [...model.get("view")] : [0, duration],
    labels: model.get("labels"), active: kinds[0].name, selected: null, cursor: 0, begun: null, drag: null,
    past: [], future: [], undrawn: null, unsharp: null,
  };

  // ---- the page's parts
  const canvas = make("canvas", { tabindex: "0", role: "application", class: "squash-canvas",
    "aria-label": `Signals of ${Math.round(duration / 60)} minutes with labels. Press h for the keys.` });
  const told = make("output", { class: "squash-told", "aria-live": "polite" });
  const kindBar = make("div", { class: "squash-kinds", role: "radiogroup", "aria-label": "Kind of label" });
  const buttons = kinds.map((kind, i) => {
    const dot = make("i", { style: `background:${kind.colour}` });
    const button = make("button", { type: "button", role: "radio", "data-kind": kind.name, title: `key ${i + 1}` },
      dot, kind.name.replace("_", " "), make("kbd", {}, i < 9 ? String(i + 1) : ""));
    button.addEventListener("click", () => { choose(kind.name); canvas.focus({ preventScroll: true }); });
    return button;
  });
  kindBar.append(...buttons);
  const tool = (text, label, action) => {
    const button = make("button", { type: "button", "aria-label": label, title: label }, text);
    button.addEventListener("click", () => { action(); canvas.focus({ preventScroll: true }); });
    return button;
  };
  const undoButton = tool("↶", "Undo (Ctrl Z)", () => undo()), redoButton = tool("↷", "Redo (Ctrl Shift Z)", () => redo());
  const deleteButton = tool("✕", "Delete the selected label (Delete)", () => remove());
  const help = make("dl", { class: "squash-help", hidden: "" });
  for (const [key, what] of HELP) help.append(make("div", {}, make("dt", {}, key), make("dd", {}, what)));
  const tools = make("div", { class: "squash-tools", role: "toolbar", "aria-label": "Edit and view" },
    undoButton, redoButton, deleteButton, tool("−", "Zoom out (−)", () => zoom(2)), tool("+", "Zoom in (+)", () => zoom(0.5)),
    tool("all", "Show all (0)", () => show(0, duration)), tool("?", "Keys (h)", () => { help.hidden = !help.hidden; }));
  const root = make("div", { class: "squash-labeller", "data-lm-suppress-shortcuts": "true" },
    make("div", { class: "squash-bar" }, kindBar, tools), canvas, told, help);
  el.append(root);
  const ctx = canvas.getContext("2d");

  // ---- time and place
  let width = 600, ratio = 1, height = 300, colours = {};
  const plotWidth = () => Math.max(50, width - GUTTER);
  const xOf = (t) => GUTTER + ((t - state.view[0]) / (state.view[1] - state.view[0])) * plotWidth();
  const tOf = (x) => state.view[0] + ((x - GUTTER) / plotWidth()) * (state.view[1] - state.view[0]);
  const secondsOf = (px) => (px / plotWidth()) * (state.view[1] - state.view[0]);
  const rows = () => kinds.filter((kind) => kind.name === state.active || state.labels.some((x) => x.kind === kind.name));
  const rowHeight = (kind) => (kind.moment ? MOMENT_ROW : SPAN_ROW);
  const layout = () => {
    const used = rows(), places = [];
    let y = OVERVIEW + 6;
    for (const kind of used) { places.push({ kind, y, h: rowHeight(kind) }); y += rowHeight(kind); }
    const top = y + 4, laneHeight = model.get("lane_height");
    return { places, top, laneHeight, bottom: top + laneHeight * channels.length };
  };

  // ---- the view
  let viewTimer = null;
  function show(t0, t1) {
    const began = performance.now(), length = clamp(t1 - t0, FINE_S, duration);
    const start = clamp(t0, 0, duration - length);
    state.view = [start, start + length];
    state.undrawn ??= began;
    state.unsharp = began;
    draw();
    clearTimeout(viewTimer);
    viewTimer = setTimeout(() => { model.set("view", state.view.map(milli)); model.save_changes(); }, 400);
  }
  function zoom(factor, at = state.cursor) {
    const [t0, t1] = state.view, middle = at < t0 || at > t1 ? (t0 + t1) / 2 : at;
    show(middle - (middle - t0) * factor, middle - (middle - t0) * factor + (t1 - t0) * factor);
  }
  const pan = (seconds) => show(state.view[0] + seconds, state.view[1] + seconds);
  const bring = (t0, t1 = t0) => {
    const [a, b] = state.view, length = b - a;
    if (t0 < a || t1 > b) show((t0 + t1) / 2 - Math.max(length, (t1 - t0) * 1.2) / 2, (t0 + t1) / 2 + Math.max(length, (t1 - t0) * 1.2) / 2);
    else draw();
  };

  // ---- labels
  const tell = (text) => { told.textContent = text; };
  const describe = (x) => {
    const when = x.stop_s === null ? clock(x.start_s, 2) : `${clock(x.start_s, 2)} – ${clock(x.stop_s, 2)}, ${(x.stop_s - x.start_s).toFixed(2)} s`;
    return `${x.kind.replace("_", " ")} ${when}${x.confidence === null ? "" : `, detector ${Math.round(x.confidence * 100)} % sure`}`;
  };
  const selected = () => state.labels.find((x) => x.label_id === state.selected);
  function put(labels, said) {
    state.past.push(state.labels);
    state.future = [];
    take(labels, said);
  }
  function take(labels, said) {
    state.labels = labels;
    if (!selected()) state.selected = null;
    model.set("labels", labels);
    model.save_changes();
    if (said) tell(said);
    refresh();
    draw();
  }
  const sorted = (labels) => [...labels].sort((a, b) => a.start_s - b.start_s);
  /** The free room for a label of a kind around `t`, not counting the label `but`; null if `t` is taken. */
  function room(kind, t, but = null) {
    let low = 0, high = duration;
    for (const x of state.labels) {
      if (x.kind !== kind || x.label_id === but || x.stop_s === null) continue;
      if (t >= x.start_s && t < x.stop_s) return null;
      if (x.stop_s <= t) low = Math.max(low, x.stop_s);
      if (x.start_s > t) high = Math.min(high, x.start_s);
    }
    return [low, high];
  }
  function add(kind, t0, t1) {
    const moment = kindOf[kind].moment;
    const label = { kind, start_s: milli(clamp(Math.min(t0, t1), 0, duration)), stop_s: null, confidence: null, note: "", label_id: freshId() };
    if (!moment) {
      const free = room(kind, t0);
      if (!free) return tell(`There is a ${kind} already at ${clock(t0)}; select and change that one.`);
      label.start_s = milli(Math.max(label.start_s, free[0]));
      label.stop_s = milli(Math.min(Math.max(t0, t1), free[1]));
      if (label.stop_s - label.start_s < SHORTEST_S) return tell("Too short for a label; drag further.");
    }
    state.selected = label.label_id;
    return put(sorted([...state.labels, label]), `Added ${describe(label)}`);
  }
  function change(label, values, said = "Changed to") {
    const next = { ...label, ...values, confidence: null };
    if (next.stop_s !== null && next.stop_s - next.start_s < SHORTEST_S) return tell("A label must end after it starts.");
    const crowd = next.stop_s !== null && state.labels.some((x) => x.kind === next.kind && x.label_id !== next.label_id
      && x.start_s < next.stop_s && x.stop_s > next.start_s);
    if (crowd) return tell(`That would overlap another ${next.kind}.`);
    return put(sorted(state.labels.map((x) => (x === label ? next : x))), `${said} ${describe(next)}`);
  }
  function remove() {
    const label = selected();
    if (!label) return tell("Nothing is selected; press n for the next label.");
    return put(state.labels.filter((x) => x !== label), `Deleted ${describe(label)}`);
  }
  function undo() {
    if (!state.past.length) return tell("Nothing to undo.");
    state.future.push(state.labels);
    return take(state.past.pop(), "Undone");
  }
  function redo() {
    if (!state.future.length) return tell("Nothing to redo.");
    state.past.push(state.labels);
    return take(state.future.pop(), "Redone");
  }
  function select(label) {
    state.selected = label ? label.label_id : null;
    if (label) tell(describe(label));
    refresh();
    draw();
  }
  function choose(kind) {
    state.active = kind;
    state.begun = null;
    tell(`Kind: ${kind.replace("_", " ")}`);
    refresh();
    draw();
  }
  function step(by) {
    const held = state.labels.filter((x) => x.kind === state.active);
    if (!held.length) return tell(`There is no ${state.active} yet.`);
    const label = selected(), from = label ? label.start_s : state.cursor;
    const next = by > 0 ? held.find((x) => x.start_s > from) : held.findLast((x) => x.start_s < from);
    if (!next) return tell(by > 0 ? "That was the last." : "That was the first.");
    state.cursor = next.start_s;
    select(next);
    return bring(next.start_s, next.stop_s ?? next.start_s);
  }
  function atCursor() {
    if (kindOf[state.active].moment) return add(state.active, state.cursor, state.cursor);
    if (state.begun === null) {
      if (!room(state.active, state.cursor)) return tell(`There is a ${state.active} already at ${clock(state.cursor)}.`);
      state.begun = state.cursor;
      tell(`${state.active} begins at ${clock(state.cursor, 2)}; move the cursor and press Enter to end it.`);
      return draw();
    }
    const begun = state.begun;
    state.begun = null;
    return add(state.active, begun, state.cursor);
  }
  function edge(which) {
    const label = selected();
    if (!label) return tell("Nothing is selected; press n for the next label.");
    if (label.stop_s === null) return change(label, { start_s: milli(state.cursor) });
    return change(label, which === "s" ? { start_s: milli(state.cursor) } : { stop_s: milli(state.cursor) });
  }

  // ---- keys
  const pressed = {
    "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), "0": () => show(0, duration),
    PageDown: () => pan(0.8 * (state.view[1] - state.view[0])), PageUp: () => pan(-0.8 * (state.view[1] - state.view[0])),
    Home: () => moveTo(0), End: () => moveTo(duration), Enter: atCursor, Delete: remove, Backspace: remove,
    n: () => step(1), p: () => step(-1), s: () => edge("s"), e: () => edge("e"), h: () => { help.hidden = !help.hidden; },
    c: () => { const label = selected(); if (label && kindOf[label.kind].moment === kindOf[state.active].moment) change(label, { kind: state.active }); else tell("Choose a kind of the same sort."); },
    Escape: () => { state.begun = null; state.drag = null; select(null); },
  };
  function moveTo(t) {
    state.cursor = clamp(t, 0, duration);
    tell(`Cursor ${clock(state.cursor, 2)}`);
    bring(state.cursor);
  }
  canvas.addEventListener("keydown", (event) => {
    const control = event.ctrlKey || event.metaKey, key = event.key;
    let act = control || event.altKey ? null : pressed[key];
    if (control && key.toLowerCase() === "z") act = event.shiftKey ? redo : undo;
    if (control && key.toLowerCase() === "y") act = redo;
    if (key === "ArrowLeft" || key === "ArrowRight") {
      const px = (event.shiftKey ? 1 : 10) * (key === "ArrowLeft" ? -1 : 1);
      act = () => moveTo(state.cursor + secondsOf(px));
    }
    if (!control && !event.altKey && /^[1-9]$/.test(key) && kinds[key - 1]) act = () => choose(kinds[key - 1].name);
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  });

  // ---- pointer
  const spot = (event) => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
  function hit(x, y) {
    const at = layout(), t = tOf(x), near = secondsOf(4);
    const place = at.places.find((p) => y >= p.y && y < p.y + p.h);
    const kind = place ? place.kind.name : state.active;
    const held = state.labels.filter((l) => l.kind === kind && l.start_s - near <= t && (l.stop_s ?? l.start_s) + near >= t);
    return held.sort((a, b) => Math.abs(a.start_s - t) - Math.abs(b.start_s - t))[0] ?? null;
  }
  function grip(x) {
    const label = selected();
    if (!label) return null;
    if (Math.abs(xOf(label.start_s) - x) <= EDGE) return label.stop_s === null ? "move" : "start_s";
    return label.stop_s !== null && Math.abs(xOf(label.stop_s) - x) <= EDGE ? "stop_s" : null;
  }
  canvas.addEventListener("pointerdown", (event) => {
    canvas.focus({ preventScroll: true });
    const [x, y] = spot(event), at = layout();
    if (x < GUTTER || event.button === 2) return;
    canvas.setPointerCapture(event.pointerId);
    event.preventDefault();
    const base = { x, y, t: tOf(x), view: [...state.view], now: tOf(x) };
    if (y < OVERVIEW) { state.drag = { ...base, what: "overview" }; overviewTo(x); }
    else if (event.shiftKey || event.button === 1 || y > at.bottom || event.pointerType === "touch") state.drag = { ...base, what: "pan" };
    else if (grip(x)) state.drag = { ...base, what: "edge", edge: grip(x), label: selected() };
    else state.drag = { ...base, what: "draw" };
  });
  canvas.addEventListener("pointermove", (event) => {
    const [x, y] = spot(event), drag = state.drag;
    if (!drag) { canvas.style.cursor = x < GUTTER ? "default" : y < OVERVIEW ? "grab" : grip(x) ? "ew-resize" : "crosshair"; return; }
    drag.now = clamp(tOf(x), 0, duration);
    drag.moved ||= Math.abs(x - drag.x) > CLICK;
    if (drag.what === "overview") overviewTo(x);
    else if (drag.what === "pan") { const by = ((drag.x - x) / plotWidth()) * (drag.view[1] - drag.view[0]); show(drag.view[0] + by, drag.view[1] + by); }
    else draw();
  });
  canvas.addEventListener("pointerup", (event) => {
    const drag = state.drag, [x, y] = spot(event);
    state.drag = null;
    if (!drag || drag.what === "overview" || (drag.what === "pan" && drag.moved)) return draw();
    if (drag.what === "edge" && drag.moved) return change(drag.label, drag.edge === "move" ? { start_s: milli(drag.now) } : { [drag.edge]: milli(drag.now) });
    if (drag.moved && !kindOf[state.active].moment) return add(state.active, drag.t, clamp(tOf(x), 0, duration));
    state.cursor = clamp(drag.t, 0, duration);
    const label = hit(x, y);
    if (label) return select(label);
    if (kindOf[state.active].moment && drag.what === "draw") return add(state.active, drag.t, drag.t);
    state.selected = null;
    tell(`Cursor ${clock(state.cursor, 2)}`);
    refresh();
    return draw();
  });
  canvas.addEventListener("pointercancel", () => { state.drag = null; draw(); });
  function overviewTo(x) {
    const middle = ((x - GUTTER) / plotWidth()) * duration, half = (state.view[1] - state.view[0]) / 2;
    show(middle - half, middle + half);
  }
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    event.stopPropagation();
    const [x, y] = spot(event), at = layout(), lane = Math.floor((y - at.top) / at.laneHeight);
    const turn = event.deltaMode === 1 ? event.deltaY * 30 : event.deltaY;
    if (event.altKey && lane >= 0 && lane < channels.length) { gain[lane] = clamp(gain[lane] * Math.exp(-turn / 400), 1, 50); draw(); }
    else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) pan(secondsOf(event.deltaX || turn));
    else zoom(Math.exp(clamp(turn, -300, 300) / 300), tOf(clamp(x, GUTTER, width)));
  }, { passive: false });

  // ---- drawing
  let frame = 0;
  function draw() { if (!frame) frame = requestAnimationFrame(paint); }
  function readColours() {
    const style = getComputedStyle(root);
    colours = Object.fromEntries(["ink", "soft", "line", "paper", "signal", "pick"].map((name) => [name, style.getPropertyValue(`--sq-${name}`).trim()]));
    colours.font = style.fontFamily;
  }
  function paint() {
    frame = 0;
    const at = layout(), tall = at.bottom + AXIS;
    if (tall !== height || canvas.width !== Math.round(width * ratio)) resize(tall);
    readColours();
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    ctx.fillStyle = colours.paper;
    ctx.fillRect(0, 0, width, height);
    ctx.font = `11px ${colours.font}`;
    ctx.textBaseline = "middle";
    ctx.save();
    ctx.beginPath();
    ctx.rect(GUTTER, OVERVIEW, plotWidth(), height - OVERVIEW);
    ctx.clip();
    grid(at);
    shade(at);
    const sharp = channels.map((channel, c) => signal(channel, c, at.top + c * at.laneHeight, at.laneHeight)).every(Boolean);
    for (const place of at.places) track(place);
    pointer(at);
    ctx.restore();
    names(at);
    overview();
    axis(at);
    tiles.ask();
    if (sharp) tiles.ahead(...state.view, secondsOf(1));
    measured(sharp);
  }
  /** How long an input waited for its picture, and for its sharp picture: the browser's performance log. */
  function measured(sharp) {
    const end = performance.now();
    if (state.undrawn !== null) performance.measure("squash-drawn", { start: state.undrawn, end });
    if (sharp && state.unsharp !== null) performance.measure("squash-sharp", { start: state.unsharp, end });
    state.undrawn = null;
    if (sharp) state.unsharp = null;
  }
  function resize(tall) {
    height = tall;
    ratio = window.devicePixelRatio || 1;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.height = `${height}px`;
  }
  const ticks = () => {
    const steps = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800];
    const step = steps.find((s) => s >= secondsOf(90)) ?? 3600, found = [];
    for (let t = Math.ceil(state.view[0] / step) * step; t <= state.view[1]; t += step) found.push(t);
    return [found, step < 0.1 ? 2 : step < 1 ? 1 : 0];
  };
  function grid(at) {
    ctx.strokeStyle = colours.line;
    ctx.lineWidth = 1;
    ctx.beginPath();
    for (const t of ticks()[0]) { const x = Math.round(xOf(t)) + 0.5; ctx.moveTo(x, OVERVIEW + 4); ctx.lineTo(x, at.bottom); }
    for (let c = 0; c <= channels.length; c++) { const y = Math.round(at.top + c * at.laneHeight) + 0.5; ctx.moveTo(GUTTER, y); ctx.lineTo(width, y); }
    ctx.stroke();
  }
  const seen = (x) => (x.stop_s ?? x.start_s) >= state.view[0] && x.start_s <= state.view[1];
  function shade(at) {
    for (const x of state.labels) {
      const picked = x.label_id === state.selected;
      if ((x.kind !== state.active && !picked) || !seen(x)) continue;
      const left = xOf(x.start_s);
      ctx.fillStyle = kindOf[x.kind].colour;
      ctx.globalAlpha = picked ? 0.3 : 0.07 + 0.11 * (x.confidence ?? 1);
      if (x.stop_s === null) ctx.fillRect(left - (picked ? 1 : 0.5), at.top, picked ? 2 : 1, at.bottom - at.top);
      else ctx.fillRect(left, at.top, Math.max(1, xOf(x.stop_s) - left), at.bottom - at.top);
      ctx.globalAlpha = 1;
      if (picked) grips(x, at);
    }
  }
  function grips(x, at) {
    ctx.fillStyle = colours.pick;
    for (const t of x.stop_s === null ? [x.start_s] : [x.start_s, x.stop_s]) {
      ctx.fillRect(xOf(t) - 1, OVERVIEW + 4, 2, at.bottom - OVERVIEW - 4);
      ctx.fillRect(xOf(t) - 3, (at.top + at.bottom) / 2 - 12, 6, 24);
    }
  }
  function signal(channel, c, top, tall) {
    const middle = (32767 * (channel.rest - channel.low) / (channel.high - channel.low)) * 2 - 32767, scale = gain[c];
    const y = (v) => { const u = clamp((middle + (v - middle) * scale + 32767) / 65534, 0, 1); return top + tall - 3 - u * (tall - 6); };
    const { pieces, sharp } = tiles.pieces(c, state.view[0], state.view[1], secondsOf(1));
    const perSecond = plotWidth() / (state.view[1] - state.view[0]), x0 = GUTTER - state.view[0] * perSecond;
    const gap = 5 * channel.step_s;
    let column = NaN, low = 0, high = 0, before = -1e9, jump = true;
    ctx.strokeStyle = colours.signal;
    ctx.lineWidth = 1.1;
    ctx.beginPath();
    const flush = () => {
      if (Number.isNaN(column)) return;
      if (jump) ctx.moveTo(column, y(high)); else ctx.lineTo(column, y(high));
      ctx.lineTo(column, y(low) + (jump && low === high ? 0.5 : 0));
      jump = false;
    };
    for (const piece of pieces) {
      const { lows, highs, from, to, first, bin } = piece, far = Math.max(gap, 1.5 * bin);
      for (let i = from; i < to; i++) {
        if (lows[i] === NOTHING) continue;
        const t = (first + i + 0.5) * bin - channel.step_s / 2, x = Math.round(x0 + t * perSecond);
        if (x === column) { if (lows[i] < low) low = lows[i]; if (highs[i] > high) high = highs[i]; }
        else { flush(); if (t - before > far) jump = true; column = x; low = lows[i]; high = highs[i]; }
        before = t;
      }
    }
    flush();
    ctx.stroke();
    return sharp;
  }
  function track({ kind, y, h }) {
    ctx.fillStyle = kind.colour;
    for (const x of state.labels) {
      if (x.kind !== kind.name || !seen(x)) continue;
      const picked = x.label_id === state.selected, left = xOf(x.start_s);
      ctx.globalAlpha = 0.35 + 0.65 * (x.confidence ?? 1);
      if (kind.moment) {
        ctx.beginPath();
        ctx.moveTo(left, y + 3); ctx.lineTo(left + 4, y + h - 4); ctx.lineTo(left - 4, y + h - 4);
        ctx.fill();
      } else ctx.fillRect(left, y + 2, Math.max(2, xOf(x.stop_s) - left - 1), h - 4);
      ctx.globalAlpha = 1;
      if (picked) {
        ctx.strokeStyle = colours.pick;
        ctx.lineWidth = 2;
        if (kind.moment) ctx.strokeRect(left - 5, y + 1, 10, h - 2); else ctx.strokeRect(left, y + 1, Math.max(3, xOf(x.stop_s) - left - 1), h - 2);
      }
    }
  }
  function pointer(at) {
    const drag = state.drag, spans = [];
    if (drag && drag.what === "draw" && drag.moved && !kindOf[state.active].moment) spans.push([drag.t, drag.now]);
    if (drag && drag.what === "edge" && drag.moved) { ctx.fillStyle = colours.pick; ctx.fillRect(xOf(drag.now) - 1, OVERVIEW + 4, 2, at.bottom - OVERVIEW); }
    if (state.begun !== null) spans.push([state.begun, state.cursor]);
    for (const [a, b] of spans) {
      const left = xOf(Math.min(a, b)), wide = Math.abs(xOf(b) - xOf(a));
      ctx.globalAlpha = 0.35;
      ctx.fillStyle = kindOf[state.active].colour;
      ctx.fillRect(left, OVERVIEW + 4, wide, at.bottom - OVERVIEW - 4);
      ctx.globalAlpha = 1;
      ctx.fillStyle = colours.ink;
      ctx.fillText(`${Math.abs(b - a).toFixed(2)} s`, left + wide / 2 - 16, at.top + 10);
    }
    ctx.strokeStyle = colours.pick;
    ctx.lineWidth = 1;
    ctx.setLineDash([3, 3]);
    ctx.beginPath();
    ctx.moveTo(Math.round(xOf(state.cursor)) + 0.5, OVERVIEW + 4);
    ctx.lineTo(Math.round(xOf(state.cursor)) + 0.5, at.bottom);
    ctx.stroke();
    ctx.setLineDash([]);
  }
  function names(at) {
    ctx.textAlign = "right";
    for (const place of at.places) {
      ctx.fillStyle = place.kind.name === state.active ? colours.ink : colours.soft;
      ctx.fillText(place.kind.name.replace("_", " "), GUTTER - 8, place.y + place.h / 2);
    }
    channels.forEach((channel, c) => {
      const y = at.top + c * at.laneHeight, spread = (channel.high - channel.low) / gain[c];
      ctx.fillStyle = colours.ink;
      ctx.fillText(channel.name, GUTTER - 8, y + at.laneHeight / 2 - 7);
      ctx.fillStyle = colours.soft;
      ctx.fillText(`${channel.units}  ±${Number((spread / 2).toPrecision(2))}`, GUTTER - 8, y + at.laneHeight / 2 + 7);
    });
  }
  function overview() {
    const all = (t) => GUTTER + (t / duration) * plotWidth();
    ctx.fillStyle = colours.line;
    ctx.fillRect(GUTTER, 4, plotWidth(), OVERVIEW - 8);
    for (const x of state.labels) {
      if (x.stop_s === null) continue;
      const broad = x.kind === "game" || x.kind === "warmup" || x.kind === "game_break" || x.kind === "cooldown";
      ctx.fillStyle = kindOf[x.kind].colour;
      ctx.globalAlpha = broad ? 0.25 : 0.9;
      ctx.fillRect(all(x.start_s), broad ? 4 : 12, Math.max(1, all(x.stop_s) - all(x.start_s) - 0.5), broad ? OVERVIEW - 8 : OVERVIEW - 24);
    }
    ctx.globalAlpha = 1;
    ctx.strokeStyle = colours.pick;
    ctx.lineWidth = 2;
    const left = all(state.view[0]);
    ctx.strokeRect(left, 4, Math.max(4, all(state.view[1]) - left), OVERVIEW - 8);
    ctx.textAlign = "right";
    ctx.fillStyle = colours.soft;
    ctx.fillText("whole session", GUTTER - 8, OVERVIEW / 2);
  }
  function axis(at) {
    const [found, digits] = ticks();
    ctx.fillStyle = colours.soft;
    ctx.textAlign = "center";
    for (const t of found) { const x = xOf(t); if (x > GUTTER + 12 && x < width - 18) ctx.fillText(clock(t, digits), x, at.bottom + AXIS / 2); }
  }
  function refresh() {
    for (const button of buttons) {
      const mine = button.dataset.kind === state.active;
      button.setAttribute("aria-checked", String(mine));
      button.tabIndex = mine ? 0 : -1;
    }
    undoButton.disabled = !state.past.length;
    redoButton.disabled = !state.future.length;
    deleteButton.disabled = !state.selected;
  }
  kindBar.addEventListener("keydown", (event) => {
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    const i = (kinds.findIndex((kind) => kind.name === state.active) + by + kinds.length) % kinds.length;
    choose(kinds[i].name);
    buttons[i].focus();
  });

  // ---- what Python changes, and the size of the page
  const onLabels = () => {
    if (model.get("labels") === state.labels) return;
    state.past.push(state.labels);
    state.labels = model.get("labels");
    refresh();
    draw();
  };
  const onView = () => { const v = model.get("view"); if (v.length === 2 && v.some((t, i) => Math.abs(t - state.view[i]) > 0.002)) show(...v); };
  model.on("change:labels", onLabels);
  model.on("change:view", onView);
  const sizes = new ResizeObserver(() => { width = Math.max(320, root.clientWidth); draw(); });
  sizes.observe(root);
  refresh();
  tell(`${state.labels.length} labels, by ${model.get("author")}. Press h for the keys.`);
  return () => {
    sizes.disconnect();
    cancelAnimationFrame(frame);
    clearTimeout(viewTimer);
    tiles.close();
    model.off("change:labels", onLabels);
    model.off("change:view", onView);
  };
}

export default { render };
