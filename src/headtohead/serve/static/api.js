/** Requests to the server: the token, the wait when it is busy, and errors as sentences. */

let token = sessionStorage.getItem("token") ?? "";

/** Keep the token for this tab. */
export function useToken(value) {
  token = value;
  sessionStorage.setItem("token", value);
}

/** An answer that is not 2xx: its status and its sentence. */
export class ServerError extends Error {
  constructor(status, detail, errors = []) {
    super(detail);
    this.status = status;
    this.errors = errors;
  }
}

async function send(path, options = {}, patience = 20) {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  let response;
  try {
    response = await fetch(path, { ...options, headers });
  } catch {
    throw new ServerError(0, "The server cannot be reached; it may have stopped.");
  }
  if (response.status === 429 && patience > 0) {
    const seconds = Number(response.headers.get("Retry-After")) || 1;
    await new Promise((done) => setTimeout(done, 1000 * seconds));
    return send(path, options, patience - 1);
  }
  if (!response.ok) {
    const problem = await response.json().catch(() => ({}));
    throw new ServerError(response.status, problem.detail ?? `The server answered ${response.status}.`, problem.errors);
  }
  return response;
}

function upload(file) {
  const body = new FormData();
  body.append("file", file, file.name);
  return { method: "POST", body };
}

/** The models that are served. */
export async function listModels() {
  return (await (await send("/v1/models")).json()).models;
}

/** Every model's prediction for one file. */
export async function compare(file) {
  return (await send("/v1/compare", upload(file))).json();
}

/** Pixels of one file: { facts, codes }. */
export async function preview(file) {
  const response = await send("/v1/preview", upload(file));
  const facts = JSON.parse(response.headers.get("X-Image-Facts"));
  const bytes = await response.arrayBuffer();
  return { facts, codes: facts.bits === 16 ? new Uint16Array(bytes) : new Uint8Array(bytes) };
}

/** Where a model found its evidence in one file. */
export async function explain(file, model) {
  return (await send(`/v1/explain?model=${encodeURIComponent(model)}`, upload(file))).json();
}
