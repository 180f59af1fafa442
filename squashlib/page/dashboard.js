"use strict";
// The page's side of its kernel: tells how far the page is, joins the kernel, and keeps each chooser's state equal to
// the kernel's. It speaks the few messages of Jupyter's widget protocol that our own widget needs, so that no lab of
// ten megabytes has to come along.
(() => {
  const say = (text) => { const place = document.getElementById("progress"); if (place && place.textContent !== text) place.textContent = text; };
  const coming = new MutationObserver(() => {
    const cells = document.querySelectorAll("[data-cell]");
    if (cells.length) say(`Looking at the data: ${cells.length} of ${cells[0].dataset.cells} …`);
  });
  coming.observe(document, { childList: true, subtree: true });

  function line(kernel, heard) {
    const session = crypto.randomUUID();
    const base = location.origin.replace("http", "ws");
    const socket = new WebSocket(`${base}/dashboards/api/kernels/${kernel}/channels?session_id=${session}`);
    const send = (type, content, metadata = {}) => {
      const header = { msg_id: crypto.randomUUID(), msg_type: type, username: "", session, version: "5.3", date: new Date().toISOString() };
      socket.send(JSON.stringify({ channel: "shell", header, parent_header: {}, metadata, content, buffers: [] }));
    };
    socket.addEventListener("message", ({ data }) => {
      const message = JSON.parse(data);
      if (message.header.msg_type === "comm_msg") heard(message.content.comm_id, message.content.data);
    });
    return { socket, send };
  }

  // What anywidget calls a model, for one comm.
  function model(id, state, send) {
    const heard = new Map(), changed = {};
    const set = (name, value, own) => {
      if (own) changed[name] = value;
      const same = JSON.stringify(state[name]) === JSON.stringify(value);
      state[name] = value;
      if (!same) for (const act of heard.get(`change:${name}`) || []) act();
    };
    return {
      get: (name) => state[name],
      set: (name, value) => set(name, value, true),
      save_changes: () => {
        send("comm_msg", { comm_id: id, data: { method: "update", state: { ...changed }, buffer_paths: [] } });
        for (const name of Object.keys(changed)) delete changed[name];
      },
      on: (event, act) => heard.set(event, [...(heard.get(event) || []), act]),
      take: (news) => { for (const [name, value] of Object.entries(news)) set(name, value, false); },
    };
  }

  async function join(kernel, places) {
    const { render } = await import("/static/chooser.js");
    const models = new Map(), control = crypto.randomUUID();
    const heard = (id, data) => {
      if (id === control && data.method === "update_states") {
        for (const place of places) {
          const found = data.states[place.dataset.model];
          if (!found || models.has(place.dataset.model)) continue;
          const held = model(place.dataset.model, found.state, send);
          models.set(place.dataset.model, held);
          place.textContent = "";
          render({ model: held, el: place });
        }
        document.body.dataset.joined = "yes";
      } else if (data.method === "update") models.get(id)?.take(data.state);
    };
    const { socket, send } = line(kernel, heard);
    socket.addEventListener("open", () => {
      send("comm_open", { comm_id: control, target_name: "jupyter.widget.control", data: {} }, { version: "1.0.0" });
      send("comm_msg", { comm_id: control, data: { method: "request_states" } });
    });
    socket.addEventListener("close", () => {
      const again = document.createElement("a");
      again.href = location.href; again.textContent = "open it again";
      say("This page has rested: what is drawn stays; to choose more, "); document.getElementById("progress").append(again);
    });
    // A beacon is the one request that a closing page may still send.
    window.addEventListener("pagehide", () => { socket.close(); navigator.sendBeacon(`/dashboards/voila/api/shutdown/${kernel}`); });
    window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  }

  function whole() {
    coming.disconnect();
    say("");
    document.body.dataset.ready = "yes";
    const main = document.querySelector("main");
    if (main.dataset.kernel) join(main.dataset.kernel, main.querySelectorAll("[data-model]"));
  }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", whole); else whole();
})();
