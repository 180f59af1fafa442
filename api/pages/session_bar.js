// What a player can do with the session that a dashboard shows; a coach can read its report.
import { api, make } from "/static/api.js";
import { correct, share } from "/static/dialogs.js";
import { title } from "/static/sessions.js";

const id = location.pathname.match(/^\/dashboards\/session\/([0-9a-f-]{36})$/)?.[1];
const place = document.getElementById("acts");

function button(text, act) {
  const made = make("button", { type: "button", className: "quiet", textContent: text });
  made.addEventListener("click", act);
  return made;
}

async function fill() {
  const base = `/api/sessions/${id}`;
  place.append(make("a", { href: `${base}/report`, textContent: "Report" }));
  const [session, me] = await Promise.all([api(base), api("/api/auth/me")]);
  if (session.user_id !== me.user_id) return;
  const made = await api(`${base}/analyses`);
  if (made.length > 1) place.append(make("a", { href: `${base}/changes.html`, textContent: "What changed" }));
  const chosen = () => document.querySelector(".chooser select")?.value;
  place.append(make("a", { href: `${base}/report.pdf`, textContent: "PDF" }),
    button("Share", () => share(session, title(session))),
    button("Correct", () => correct(session, title(session), () => location.reload(), chosen())));
}

if (id) fill();
