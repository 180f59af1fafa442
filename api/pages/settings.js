// What a player may say of themselves, take along, and erase.
import { api, make } from "/static/api.js";
import { dialog, erase } from "/static/dialogs.js";

function field(me, label, name, properties, hint = "") {
  const input = make("input", { name, value: me[name] ?? "", ...properties });
  return make("label", {}, label, input, ...(hint ? [make("small", { textContent: hint })] : []));
}

function choice(me, label, name, options) {
  const select = make("select", { name }, ...options.map(([value, text]) => new Option(text, value, false, value === (me[name] ?? ""))));
  return make("label", {}, label, select);
}

function tick(me, label, name) {
  return make("label", { className: "tick" }, make("input", { type: "checkbox", name, checked: me[name] }), label);
}

const NUMBERS = ["max_heart_rate", "resting_heart_rate", "birth_year"];

function said(form) {
  const given = new FormData(form), told = { research_consent: given.has("research_consent"), keep_originals: given.has("keep_originals") };
  for (const name of NUMBERS) told[name] = given.get(name) === "" ? null : Number(given.get(name));
  for (const name of ["sex", "hand"]) told[name] = given.get(name) || null;
  for (const name of ["full_name", "timezone"]) if (given.get(name)) told[name] = given.get(name);
  return told;
}

const day = (iso) => new Date(iso).toLocaleDateString([], { dateStyle: "medium" });

async function watches(list, guarded) {
  const paired = await api("/api/auth/devices");
  list.replaceChildren(...paired.map((watch) => {
    const unpair = make("button", { type: "button", className: "quiet", textContent: "Unpair" });
    unpair.addEventListener("click", guarded(async () => {
      await api(`/api/auth/devices/${watch.device_id}`, { method: "DELETE" });
      await watches(list, guarded);
    }));
    return make("li", {}, `${watch.name}, paired ${day(watch.paired_at)}, last here ${day(watch.last_login_at)} `, unpair);
  }));
  list.previousElementSibling.hidden = paired.length === 0;
}

export async function settings(again, gone) {
  const me = await api("/api/auth/me");
  const beat = (label, name, min, max, hint) => field(me, label, name, { type: "number", min, max, step: 1 }, hint);
  const form = make("form", { className: "bare" },
    make("div", { className: "fields" },
      field(me, "Name", "full_name", { maxLength: 200, autocomplete: "name" }),
      field(me, "Time zone", "timezone", { maxLength: 64 }, "such as Europe/Amsterdam"),
      beat("Maximum heart rate, bpm", "max_heart_rate", 100, 240, "zones and load go by it"),
      beat("Resting heart rate, bpm", "resting_heart_rate", 25, 120),
      beat("Year of birth", "birth_year", 1900, 2100),
      choice(me, "Sex", "sex", [["", "not said"], ["female", "female"], ["male", "male"]]),
      choice(me, "The watch is on", "hand", [["", "not said"], ["playing", "the racket hand"], ["other", "the other hand"]])),
    tick(me, "Researchers may use my sessions, without my name", "research_consent"),
    tick(me, "Keep what my devices sent beyond three months", "keep_originals"),
    make("div", { className: "row" }, make("button", { type: "submit", textContent: "Save" })));
  const all = make("a", { href: "/api/auth/me/export", textContent: "Download everything that is mine" });
  const leave = make("button", { type: "button", className: "risk", textContent: "Delete my account" });
  const heading = make("h3", { textContent: "Watches that act for me", hidden: true }), list = make("ul", { className: "plain" });
  const { box, guarded } = dialog("Settings", make("p", { textContent: me.email }), form, heading, list, make("p", {}, all), leave);
  await guarded(() => watches(list, guarded))();
  form.addEventListener("submit", guarded(async () => {
    await api("/api/auth/me", { method: "PATCH", json: said(form) });
    box.close();
    await again();
  }));
  leave.addEventListener("click", () => erase("Delete my account?", "All sessions, recordings, results and links of yours are gone then. This cannot be undone.", async () => {
    await api("/api/auth/me", { method: "DELETE" });
    box.close();
    await gone();
  }));
}
