"use strict";
const $ = (id) => document.getElementById(id);
const say = (text) => { $("message").textContent = text; };

// Every call says who wrote it, so that another site's form cannot act with the player's cookie.
async function api(path, options = {}) {
  const headers = { "X-Requested-With": "squash", ...options.headers };
  if (options.json !== undefined) { headers["Content-Type"] = "application/json"; options.body = JSON.stringify(options.json); }
  let answer = await fetch(path, { ...options, headers });
  if (answer.status === 401 && !path.startsWith("/api/auth/") ) {
    const renewed = await fetch("/api/auth/refresh-token", { method: "POST", headers: { "X-Requested-With": "squash" } });
    if (renewed.ok) answer = await fetch(path, { ...options, headers });
  }
  if (answer.status === 204) return null;
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw Object.assign(new Error(body.detail || `The server answered ${answer.status}.`), { status: answer.status });
  return body;
}

async function enter() {
  try {
    const me = await api("/api/auth/me");
    $("who").textContent = me.full_name || me.email;
    $("door").hidden = true; $("home").hidden = false; $("account").hidden = false;
    await list();
  } catch (error) {
    $("door").hidden = false; $("home").hidden = true; $("account").hidden = true;
    if (error.status !== 401) say(error.message);
  }
}

function line(session) {
  const item = document.createElement("li");
  const text = document.createElement("div");
  const title = document.createElement("b");
  title.textContent = `${new Date(session.start_time).toLocaleString([], { dateStyle: "medium", timeStyle: "short" })}` +
    (session.opponent_name ? `, against ${session.opponent_name}` : "");
  const facts = document.createElement("span");
  const s = session.summary;
  facts.textContent = s ? [`${Math.round(s.total_session_duration / 60)} min`, s.number_of_games && `${s.number_of_games} games`,
    s.number_of_rallies && `${s.number_of_rallies} rallies`, s.points_won + s.points_lost > 0 && `${s.points_won} points won, ${s.points_lost} lost`]
    .filter(Boolean).join(" · ") : "no recording yet";
  text.append(title, facts);
  item.append(text);
  if (s) {
    const link = document.createElement("a");
    link.href = `/api/sessions/${session.session_id}/report`;
    link.textContent = "Report";
    item.append(link);
  }
  return item;
}

async function list() {
  const sessions = await api("/api/sessions?limit=50");
  $("sessions").replaceChildren(...sessions.map(line));
  if (!sessions.length) $("sessions").innerHTML = "<li>No session yet: drop a recording above, or pair a watch.</li>";
}

async function upload(file) {
  say("");
  $("progress").hidden = false; $("progress").value = 2; $("stage").textContent = "uploading";
  try {
    const session = await api("/api/sessions", { method: "POST", json: { session_type: "match" } });
    const form = new FormData();
    form.append("file", file);
    await api(`/api/sessions/${session.session_id}/upload/fit`, { method: "POST", body: form });
    for (;;) {
      const status = await api(`/api/sessions/${session.session_id}/upload/status`);
      $("progress").value = status.progress; $("stage").textContent = status.stage;
      if (status.status === "completed") break;
      if (status.status === "failed") throw new Error(status.error);
      await new Promise((done) => setTimeout(done, 300));
    }
    say("Done.");
  } catch (error) { say(error.message); }
  $("progress").hidden = true; $("stage").textContent = "";
  await list();
}

document.addEventListener("DOMContentLoaded", () => {
  const credentials = () => Object.fromEntries(new FormData($("login")));
  const login = async () => { await api("/api/auth/login", { method: "POST", json: credentials() }); say(""); await enter(); };
  const guarded = (action) => async (event) => { event?.preventDefault(); try { await action(event); } catch (error) { say(error.message); } };
  $("login").addEventListener("submit", guarded(login));
  $("register").addEventListener("click", guarded(async () => {
    if (!$("login").reportValidity()) return;
    await api("/api/auth/register", { method: "POST", json: credentials() });
    await login();
  }));
  $("logout").addEventListener("click", guarded(async () => { await api("/api/auth/logout", { method: "POST" }); await enter(); }));
  $("pair").addEventListener("submit", guarded(async (event) => {
    const letters = new FormData(event.target).get("code").replace("-", "").toUpperCase();
    await api("/api/auth/device/approve", { method: "POST", json: { user_code: `${letters.slice(0, 4)}-${letters.slice(4)}` } });
    say("The watch is paired."); event.target.reset();
  }));
  $("file").addEventListener("change", (event) => { if (event.target.files[0]) upload(event.target.files[0]); });
  $("drop").addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") $("file").click(); });
  for (const name of ["dragover", "dragleave", "drop"]) {
    $("drop").addEventListener(name, (event) => {
      event.preventDefault();
      $("drop").classList.toggle("over", name === "dragover");
      if (name === "drop" && event.dataTransfer.files[0]) upload(event.dataTransfer.files[0]);
    });
  }
  enter();
});
