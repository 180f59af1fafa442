import { api, follow, make, send } from "/static/api.js";
import { list } from "/static/sessions.js";
import { settings } from "/static/settings.js";

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
    $("who").setAttribute("aria-label", `Settings of ${me.full_name || me.email}`);
    door(false);
    $("players").hidden = me.role !== "coach";
    await Promise.all([sessions(), coaches(me)]);
  } catch (error) {
    door(true);
    if (error.status === 401) known.set(false); else say(error.message);
  }
}

// One after the other; one that cannot be read costs no other.
async function uploads(files) {
  const refused = [];
  say("");
  for (const file of files) await upload(file).catch((error) => refused.push(`${file.name}: ${error.message.replace(`${file.name}: `, "")}`));
  $("progress").hidden = true; $("stage").textContent = "";
  say(refused.join(" · ") || "Done.");
  await sessions();
}

async function upload(file) {
  const told = (percent, stage) => { $("progress").value = percent; $("stage").textContent = stage; };
  $("progress").hidden = false;
  told(1, "uploading");
  const session = await api("/api/sessions", { method: "POST", json: { session_type: "match" } });
  try {
    await send(`/api/sessions/${session.session_id}/upload/fit`, file, (share) => told(10 * share, "uploading"));
  } catch (error) {
    if (!error.away) await erase(session); // nothing was taken
    throw error;
  }
  try {
    await follow(session.session_id, (status) => told(Math.max(10, status.progress), status.stage));
  } catch (error) { if (await unreadable(session)) await erase(session); throw error; }
}

// A file that is no recording makes no session; one that the server could not work on is kept.
const unreadable = async ({ session_id }) => (await api(`/api/sessions/${session_id}/uploads`)).uploads.every((one) => one.error);
const erase = ({ session_id }) => api(`/api/sessions/${session_id}?purge=true`, { method: "DELETE" });

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
$("logout").addEventListener("click", guarded(async () => { await api("/api/auth/logout", { method: "POST" }); await gone(); }));
const gone = async () => { known.set(false); await enter(); };
$("who").addEventListener("click", guarded(() => settings(enter, gone)));
$("pair").addEventListener("submit", guarded(async (event) => {
  const letters = new FormData(event.target).get("code").replace("-", "").toUpperCase();
  await api("/api/auth/device/approve", { method: "POST", json: { user_code: `${letters.slice(0, 4)}-${letters.slice(4)}` } });
  say("The watch is paired."); event.target.reset();
}));
$("file").addEventListener("change", (event) => { uploads([...event.target.files]); event.target.value = ""; });
for (const name of ["dragover", "dragleave", "drop"]) {
  $("drop").addEventListener(name, (event) => {
    event.preventDefault();
    $("drop").classList.toggle("over", name === "dragover");
    if (name === "drop") uploads([...event.dataTransfer.files]);
  });
}
enter();
