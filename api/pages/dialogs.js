// Share a report by a link that ends, and correct what was found.
import { api, follow, make } from "/static/api.js";

export function dialog(heading, ...inside) {
  const close = make("button", { type: "button", className: "quiet", textContent: "Close" });
  const title = make("h2", { textContent: heading, id: `dialog-${document.querySelectorAll("dialog").length}` });
  const said = make("p", { className: "said" });
  said.setAttribute("role", "status");
  const box = make("dialog", {}, title, ...inside, said, make("div", { className: "row" }, close));
  box.setAttribute("aria-labelledby", title.id);
  close.addEventListener("click", () => box.close());
  box.addEventListener("close", () => box.remove());
  document.body.append(box);
  box.showModal();
  const guarded = (act) => async (event) => { event?.preventDefault(); try { await act(event); } catch (error) { said.textContent = error.message; } };
  return { box, said, guarded };
}

export async function share(session, name) {
  const base = `/api/sessions/${session.session_id}/shares`;
  const days = make("select", { name: "days" }, new Option("a day", 1), new Option("a week", 7), new Option("30 days", 30, true, true), new Option("a year", 365));
  const made = make("input", { readOnly: true, hidden: true, className: "link" });
  made.setAttribute("aria-label", "The link");
  const held = make("ul", { className: "plain" });
  const create = make("button", { type: "submit", textContent: "Make a link" });
  const form = make("form", { className: "row bare" }, make("label", {}, "It works for ", days), create);
  const { guarded, said } = dialog(`Share ${name}`, make("p", { textContent: "Whoever has the link sees the report, without a login." }), form, made, held);
  const show = async () => {
    const links = await api(base);
    held.replaceChildren(...links.map((link) => {
      const until = new Date(link.expires_at).toLocaleDateString([], { dateStyle: "medium" });
      const revoke = make("button", { type: "button", className: "quiet", textContent: "Take back" });
      revoke.addEventListener("click", guarded(async () => {
        await api(`${base}/${link.share_id}`, { method: "DELETE" });
        made.hidden = true; said.textContent = "The link does not work any more.";
        await show();
      }));
      return make("li", {}, `A link that works until ${until} `, revoke);
    }));
  };
  form.addEventListener("submit", guarded(async () => {
    const link = await api(base, { method: "POST", json: { expires_in_days: Number(days.value) } });
    made.value = location.origin + link.url; made.hidden = false; made.select();
    said.textContent = "This link is shown once: copy it now.";
    await show();
  }));
  await guarded(show)();
}

const WHAT = [["", "as found"], ["me", "I won"], ["opponent", "opponent won"], ["let", "let"], ["no_rally", "no rally"]];

function ralliesOf(analysis, held) {
  const start = Date.parse(analysis.session.start);
  const clock = (iso) => { const s = Math.round((Date.parse(iso) - start) / 1000); return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}`; };
  const found = analysis.rallies.map((rally) => ({ number: rally.number, start: rally.start, end: rally.end, what: "",
    label: `${rally.number}: game ${rally.game}, ${clock(rally.start)}, ${Math.round((Date.parse(rally.end) - Date.parse(rally.start)) / 1000)} s, ` +
      `${rally.winner === "me" ? "won" : rally.winner === "opponent" ? "lost" : "no point known"}, ${Math.round(rally.confidence * 100)} % sure` }));
  for (const one of held) {
    const near = found.find((rally) => rally.start < one.end && one.start < rally.end);
    if (near && one.what !== "no_rally") Object.assign(near, { start: one.start, end: one.end, what: one.what });
    else found.push({ ...one, label: `${clock(one.start)}: taken out` });
  }
  return found.sort((a, b) => (a.start < b.start ? -1 : 1));
}

// `number` is the rally to begin with.
export async function correct(session, name, again, number = 0) {
  const base = `/api/sessions/${session.session_id}`;
  const text = (label, value) => make("label", {}, label, make("input", { maxLength: 200, value: value ?? "" }));
  const against = text("Opponent", session.opponent_name), place = text("Where", session.location);
  const score = (label, value) => make("label", {}, label, make("input", { type: "number", min: 0, max: 9, value: value ?? "" }));
  const me = score("Games I won ", session.final_score_me), opponent = score("Games the opponent won ", session.final_score_opponent);
  const rows = make("ol", { className: "plain rallies", tabIndex: 0 });
  rows.setAttribute("aria-label", "Rallies");
  const save = make("button", { type: "submit", textContent: "Save and look again" });
  const form = make("form", { className: "bare" }, make("div", { className: "row" }, against, place), make("div", { className: "row" }, me, opponent), rows, make("div", { className: "row" }, save));
  const hint = make("p", { textContent: "Say what a rally really was; what you do not touch stays as it was found. Insights and report follow." });
  const { box, said, guarded } = dialog(`Correct ${name}`, hint, form);
  await guarded(async () => {
    const [analysis, held] = await Promise.all([api(`${base}/analysis`), api(`${base}/corrections`)]);
    rows.replaceChildren(...ralliesOf(analysis, held.corrections).map((rally) => {
      const select = make("select", {}, ...WHAT.map(([value, text]) => new Option(text, value, false, value === rally.what)));
      Object.assign(select.dataset, { start: rally.start, end: rally.end, number: rally.number ?? "" });
      const label = make("label", {}, `${rally.label} `, select), marked = () => label.classList.toggle("changed", select.value !== "");
      select.addEventListener("change", marked); marked();
      return make("li", {}, label);
    }));
    rows.querySelector(`select[data-number="${number}"]`)?.focus();
  })();
  form.addEventListener("submit", guarded(async () => {
    const [who, where, mine, theirs] = [against, place, me, opponent].map((label) => label.querySelector("input").value.trim());
    if ((mine === "") !== (theirs === "")) throw new Error("Give both numbers of games, or neither.");
    const number = (value) => value === "" ? null : Number(value);
    await api(base, { method: "PATCH", json: { opponent_name: who || null, location: where || null, final_score_me: number(mine), final_score_opponent: number(theirs) } });
    const said_ = Array.from(rows.querySelectorAll("select")).filter((one) => one.value);
    const corrections = said_.map((one) => ({ start: one.dataset.start, end: one.dataset.end, what: one.value }));
    await api(`${base}/corrections`, { method: "PUT", json: { corrections } });
    save.disabled = true;
    await follow(session.session_id, (status) => { said.textContent = `${status.stage} …`; });
    box.close();
    await again();
  }));
}

// Asks before something that cannot be undone.
export function erase(heading, told, act) {
  const yes = make("button", { type: "button", className: "risk", textContent: "Erase for good" });
  const { box, guarded } = dialog(heading, make("p", { textContent: told }), yes);
  yes.addEventListener("click", guarded(async () => { await act(); box.close(); }));
}
