// The list of sessions: how it ended, a small picture, the facts, and where to look.
import { api, follow, make } from "/static/api.js";
import { correct, erase, share } from "/static/dialogs.js";

function facts(session) {
  const s = session.summary;
  if (!s) return "";
  return [`${Math.round(s.total_session_duration / 60)} min`, s.number_of_games && `${s.number_of_games} games`,
    s.number_of_rallies && `${s.number_of_rallies} rallies`,
    s.points_won + s.points_lost > 0 && `${s.points_won} points won, ${s.points_lost} lost`].filter(Boolean).join(" · ");
}

const when = (session) => new Date(session.start_time).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
export const title = (session) => when(session) + (session.opponent_name ? `, against ${session.opponent_name}` : "");

function score(session) {
  if (session.session_type === "training") return make("div", { className: "score" }, make("small", { textContent: "training" }));
  const [me, opponent] = [session.final_score_me, session.final_score_opponent];
  if (me === null || opponent === null) return make("div", { className: "score", textContent: "–" }, make("small", { textContent: "no score" }));
  const word = me > opponent ? "won" : me < opponent ? "lost" : "drawn";
  return make("div", { className: `score ${word}`, textContent: `${me}–${opponent}` }, make("small", { textContent: word }));
}

function actions(session, again) {
  const base = `/api/sessions/${session.session_id}`, about = ` of ${title(session)}`;
  const link = (text, href, className = "") => { const a = make("a", { href, textContent: text, className }); a.setAttribute("aria-label", text + about); return a; };
  const button = (text, act) => {
    const made = make("button", { type: "button", className: "quiet", textContent: text });
    made.setAttribute("aria-label", text + about);
    made.addEventListener("click", act);
    return made;
  };
  return make("div", { className: "row actions" },
    link("Dashboard", `/dashboards/session/${session.session_id}`, "main"), link("Report", `${base}/report`),
    link("PDF", `${base}/report.pdf`), link("PNG", `${base}/report.png`), make("span", { className: "gap" }),
    button("Share", () => share(session, title(session))), button("Correct", () => correct(session, title(session), again)), eraser(session, again));
}

function eraser(session, again) {
  const made = make("button", { type: "button", className: "quiet", textContent: "Delete" });
  made.setAttribute("aria-label", `Delete ${title(session)}`);
  const act = async () => { await api(`/api/sessions/${session.session_id}?purge=true`, { method: "DELETE" }); await again(); };
  made.addEventListener("click", () => erase(`Delete ${title(session)}?`, "Its recording, points, results and links are gone then, also for your coach. This cannot be undone.", act));
  return made;
}

// What has come of a session that has no results: nothing, something at work, or something that cannot be read.
async function state(session, place, again) {
  place.textContent = "…";
  const { uploads } = await api(`/api/sessions/${session.session_id}/uploads`);
  if (!uploads.length) { place.textContent = "no recording yet: let your watch send it"; return; }
  try {
    await follow(session.session_id, (status) => { place.textContent = status.status === "failed" ? "" : `${status.stage} …`; });
    await again();
  } catch (error) { place.textContent = `could not be read: ${error.message}`; }
}

function line(session, again) {
  const heading = session.opponent_name ? `against ${session.opponent_name}` : session.location || "Squash";
  const told = make("span", { textContent: facts(session) });
  const text = make("div", { className: "facts" }, make("b", { textContent: heading }), make("span", { textContent: when(session) }), told);
  const item = make("li", {}, score(session), text);
  if (session.summary) {
    const picture = make("img", { className: "stamp", loading: "lazy", alt: "Heart rate over the rallies", width: 240, height: 48 });
    picture.src = `/api/sessions/${session.session_id}/stamp.svg?${encodeURIComponent(session.updated_at)}`;
    item.append(picture, actions(session, again));
  } else {
    state(session, told, again).catch((error) => { told.textContent = error.message; });
    item.append(make("div", { className: "row actions" }, make("span", { className: "gap" }), eraser(session, again)));
  }
  return item;
}

export async function list(place) {
  const sessions = await api("/api/sessions?limit=50");
  const again = () => list(place);
  place.replaceChildren(...sessions.map((session) => line(session, again)));
  place.removeAttribute("aria-busy");
  if (!sessions.length) place.append(make("li", { className: "empty" }, make("strong", { textContent: "No session yet" }), "Drop a recording above, or pair your watch and play: what it sends stands here minutes later."));
}
