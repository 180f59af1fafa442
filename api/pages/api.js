// Every call says who wrote it, so that another site's form cannot act with the player's cookie.
const ours = { "X-Requested-With": "squash" };

export async function api(path, options = {}) {
  const headers = { ...ours, ...options.headers };
  if (options.json !== undefined) { headers["Content-Type"] = "application/json"; options.body = JSON.stringify(options.json); }
  let answer = await fetch(path, { ...options, headers });
  if (answer.status === 401 && !/^\/api\/auth\/(login|register|refresh)/.test(path)) {
    const renewed = await fetch("/api/auth/refresh-token", { method: "POST", headers: ours });
    if (renewed.ok) answer = await fetch(path, { ...options, headers });
  }
  if (answer.status === 204) return null;
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw Object.assign(new Error(body.detail || `The server answered ${answer.status}.`), { status: answer.status });
  return body;
}

// Sends a file and tells how much of it is on its way; fetch cannot.
export function send(path, file, told) {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest(), form = new FormData();
    form.append("file", file);
    request.open("POST", path);
    request.setRequestHeader("X-Requested-With", "squash");
    request.upload.addEventListener("progress", ({ loaded, total }) => told(total ? loaded / total : 0));
    request.addEventListener("load", () => {
      if (request.status < 300) return done();
      let detail;
      try { detail = JSON.parse(request.responseText).detail; } catch { detail = null; }
      failed(new Error(detail || `The server answered ${request.status}.`));
    });
    request.addEventListener("error", () => failed(Object.assign(new Error("The server is away; your file was not sent."), { away: true })));
    request.send(form);
  });
}

export const wait = (ms) => new Promise((done) => setTimeout(done, ms));

// Follows the work on a session until it is done.
export async function follow(sessionId, told) {
  for (;;) {
    const status = await api(`/api/sessions/${sessionId}/upload/status`);
    told(status);
    if (status.status === "completed") return;
    if (status.status === "failed") throw new Error(status.error);
    await wait(300);
  }
}

export function make(tag, properties = {}, ...inside) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...inside);
  return node;
}
