import { api, follow, make, send } from "/static/api.js";
import { list } from "/static/sessions.js";

const $ = (id) => document.getElementById(id);
const say = (text) => { $("message").textContent = text; };
const guarded = (action) => async (event) => { event?.preventDefault(); try { await action(event); } catch (error) { say(error.message); } };
const sessions = () => list($("sessions"));

// Whether somebody signed in here: without it the door opens at once, and no question is asked that must be refused.
const known = { get: () => localStorage.getItem("squash") === "in", set: (yes) => localStorage.setItem("squash", yes ? "in" : "out") };
const door = (open) => { for (const id of ["home", "account"]) $(id).hidden = open; $("door").hidden = !open; };

async function enter() {
  if (!known.get()) { door(true); return; }
  try {
    const me = await api("/api/auth/me");
    await ownClock(me);
    const wanted = new URLSearchParams(location.search).get("next");
    if (wanted && /^\/(dashboards|api\/sessions)\/[\w/.-]+$/.test(wanted)) { location.replace(wanted); return; }
    $("who").textContent = me.full_name || me.email;
    door(false);
    $("players").hidden = me.role !== "coach";
    await Promise.all([sessions(), coaches(me)]);
  } catch (error) {
    door(true);
    if (error.status === 401) known.set(false); else say(error.message);
  }
}

async function upload(file) {
  say("");
  const told = (percent, stage) => { $("progress").value = percent; $("stage").textContent = stage; };
  $("progress").hidden = false;
  told(1, "uploading");
  try {
    const session = await api("/api/sessions", { method: "POST", json: { session_type: "match" } });
    await send(`/api/sessions/${session.session_id}/upload/fit`, file, (share) => told(10 * share, "uploading"));
    await follow(session.session_id, (status) => told(Math.max(10, status.progress), status.stage));
    say("Done.");
  } catch (error) { say(error.message); }
  $("progress").hidden = true; $("stage").textContent = "";
  await sessions();
}

async function coaches(me) {
  const grants = (await api("/api/grants")).filter((grant) => grant.player_id === me.user_id);
  $("coaches").replaceChildren(...grants.map((grant) => {
    const end = make("button", { type: "button", className: "quiet", textContent: "Withdraw" });
    end.addEventListener("click", guarded(async () => { await api(`/api/grants/${grant.coach_id}`, { method: "DELETE" }); await coaches(me); }));
    return make("li", {}, `${grant.full_name || "A coach"} may look at your sessions `, end);
  }));
  $("grant").onsubmit = guarded(async (event) => {
    const coach_email = new FormData(event.target).get("coach");
    await api("/api/grants", { method: "POST", json: { coach_email } });
    event.target.reset();
    await coaches(me);
  });
}

// Days are those of the player's own clock; who came by a watch or a phone has told none yet.
async function ownClock(me) {
  const timezone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (me.timezone === "UTC" && timezone && timezone !== "UTC") await api("/api/auth/me", { method: "PATCH", json: { timezone } }).catch(() => null);
}

const credentials = () => Object.fromEntries(new FormData($("login")));
const login = async () => { await api("/api/auth/login", { method: "POST", json: credentials() }); known.set(true); say(""); await enter(); };
$("login").addEventListener("submit", guarded(login));
$("register").addEventListener("click", guarded(async () => {
  if (!$("login").reportValidity()) return;
  await api("/api/auth/register", { method: "POST", json: credentials() });
  await api("/api/auth/login", { method: "POST", json: credentials() });
  known.set(true);
  say(""); await enter();
}));
$("logout").addEventListener("click", guarded(async () => { await api("/api/auth/logout", { method: "POST" }); known.set(false); await enter(); }));
$("pair").addEventListener("submit", guarded(async (event) => {
  const letters = new FormData(event.target).get("code").replace("-", "").toUpperCase();
  await api("/api/auth/device/approve", { method: "POST", json: { user_code: `${letters.slice(0, 4)}-${letters.slice(4)}` } });
  say("The watch is paired."); event.target.reset();
}));
$("file").addEventListener("change", (event) => { if (event.target.files[0]) upload(event.target.files[0]); });
for (const name of ["dragover", "dragleave", "drop"]) {
  $("drop").addEventListener(name, (event) => {
    event.preventDefault();
    $("drop").classList.toggle("over", name === "dragover");
    if (name === "drop" && event.dataTransfer.files[0]) upload(event.dataTransfer.files[0]);
  });
}
enter();
