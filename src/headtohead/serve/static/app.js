/** The page: files in, answers out. */

import * as api from "./api.js";
import { aboutModel, abstention, agreement, card, make, percent } from "./cards.js";
import { download, toCsv } from "./csv.js";
import { Viewer } from "./viewer.js";

const at = (id) => document.getElementById(id);
const AT_ONCE = 2;
const KEPT_PREVIEWS = 12;
const state = { models: [], entries: [], current: null, running: 0, mapModel: "" };
const viewer = new Viewer(at("canvas"), showWindow);

function notice(text) {
  at("notice").textContent = text;
  at("notice").hidden = !text;
}

async function start() {
  try {
    state.models = await api.listModels();
  } catch (error) {
    if (error.status === 401) return askToken();
    return notice(error.message);
  }
  notice("");
  at("models").textContent = state.models.map((model) => model.name).join(" · ");
  at("about-models").replaceChildren(...state.models.map(aboutModel));
  const columns = ["Image", ...state.models.map((model) => model.name)];
  at("list-columns").replaceChildren(make("tr", columns.map((name) => make("th", name, { scope: "col" }))));
}

function askToken() {
  const dialog = at("token");
  dialog.addEventListener("close", () => { api.useToken(at("token-value").value); start(); }, { once: true });
  dialog.showModal();
}

function add(files) {
  const fresh = [...files].map((file) => ({ file, answers: [], error: "", done: false, preview: null, maps: {} }));
  if (fresh.length === 0) return;
  state.entries.push(...fresh);
  at("drop").classList.add("small");
  at("drop-title").textContent = "Drop more images";
  at("list").hidden = false;
  for (const entry of fresh) at("list-rows").append((entry.row = make("tr")));
  fresh.forEach(drawRow);
  select(fresh[0]);
  work();
}

function work() {
  const waiting = state.entries.filter((entry) => !entry.done && !entry.busy);
  while (state.running < AT_ONCE && waiting.length > 0) ask(waiting.shift());
  const done = state.entries.filter((entry) => entry.done).length;
  at("progress").textContent = `${done} of ${state.entries.length}`;
}

async function ask(entry) {
  entry.busy = true;
  state.running += 1;
  try {
    const answer = await api.compare(entry.file);
    entry.answers = answer.models.map(({ model, digest, predictions }) => ({ model, digest, prediction: predictions[0] }));
  } catch (error) {
    const reason = error.errors?.[0]?.error;
    entry.error = reason ? `Cannot be read: ${reason}.` : error.message;
  }
  entry.done = true;
  entry.busy = false;
  state.running -= 1;
  if (!state.entries.includes(entry)) return work();
  drawRow(entry);
  if (entry === state.current) drawAnswers();
  work();
}

function drawRow(entry) {
  const open = make("button", entry.file.name, { type: "button" });
  open.addEventListener("click", () => select(entry, true));
  const cells = [make("td", [open])];
  if (!entry.done) cells.push(make("td.waiting", "…", { colspan: state.models.length || 1 }));
  else if (entry.error) cells.push(make("td.failed", entry.error, { colspan: state.models.length || 1 }));
  for (const { model, prediction } of entry.answers) {
    const said = { "data-model": model }; // its heading where columns have no room
    if (prediction.error) { cells.push(make("td.failed", prediction.error, said)); continue; }
    const value = prediction.probabilities[prediction.label];
    const cell = make("td", `${prediction.label} ${percent(value)}`, said);
    if (prediction.abstains) cell.append(make("span.tag", "abstains", { title: abstention(prediction) }));
    if (prediction.flags.length > 0) cell.append(make("span.tag", `${prediction.flags.length} flag${prediction.flags.length > 1 ? "s" : ""}`));
    cells.push(cell);
  }
  entry.row.replaceChildren(...cells);
}

async function select(entry, scroll = false) {
  state.current = entry;
  at("work").hidden = false;
  for (const { row } of state.entries) row.classList.toggle("current", row === entry.row);
  at("viewer-title").textContent = entry.file.name;
  drawAnswers();
  if (scroll) at("work").scrollIntoView({ block: "start" });
  viewer.show(null);
  at("window-row").hidden = true;
  at("facts").textContent = "";
  stageNote("Reading …");
  try {
    entry.preview ??= await api.preview(entry.file);
  } catch (error) {
    if (entry === state.current) stageNote(entry.error ? "No image to show." : `No image to show. ${error.message}`);
    return;
  }
  forgetPreviews();
  if (entry !== state.current) return;
  stageNote("");
  viewer.show(entry.preview);
  drawFacts(entry);
  drawMap();
}

function forgetPreviews() {
  const kept = state.entries.filter((entry) => entry.preview && entry !== state.current);
  for (const entry of kept.slice(0, Math.max(0, kept.length - KEPT_PREVIEWS))) entry.preview = null;
}

function stageNote(text) {
  at("stage-note").textContent = text;
  at("stage-note").hidden = !text;
  at("zoom").hidden = Boolean(text);
}

function drawFacts({ file, preview: { facts } }) {
  at("canvas").setAttribute("aria-label", `Image ${file.name}`);
  at("window-row").hidden = !viewer.isGrey;
  const size = `${facts.full_width} × ${facts.full_height} pixels`;
  at("facts").textContent = [facts.format, size, `${facts.stored_bits} bit`, ...facts.history].join(" · ");
}

function drawAnswers() {
  const { answers, error, done } = state.current;
  const [sentence, agree] = agreement(answers);
  at("agreement").textContent = sentence;
  at("agreement").classList.toggle("no", !agree);
  at("agreement").hidden = !sentence;
  const positive = (name) => state.models.find((model) => model.name === name)?.positive ?? null;
  const cards = answers.map((answer) => card(answer, positive(answer.model)));
  if (error) cards.push(make("article.card", [make("p.error", error)]));
  if (!done) cards.push(make("article.card", [make("p.waiting", "The models are looking at it …")]));
  at("cards").replaceChildren(...cards);
  drawMapChoice();
}

function drawMapChoice() {
  const able = state.models.filter((model) => model.explains);
  at("map-row").hidden = able.length === 0 || state.current.answers.length === 0;
  if (at("map-choice").childElementCount > 0) return;
  for (const [value, text] of [["", "None"], ...able.map((model) => [model.name, model.name])]) {
    const radio = make("input", [], { type: "radio", name: "map", value });
    radio.checked = value === state.mapModel;
    radio.addEventListener("change", () => { state.mapModel = value; drawMap(); });
    at("map-choice").append(make("label", [radio, text]));
  }
}

async function drawMap() {
  const entry = state.current;
  const name = state.mapModel;
  viewer.setMap(null);
  at("map-scale").hidden = true;
  at("map-words").textContent = name ? "Computing the map …" : "";
  if (!name || !entry.preview) return;
  try {
    entry.maps[name] ??= await api.explain(entry.file, name);
  } catch (error) {
    if (entry === state.current && name === state.mapModel) at("map-words").textContent = error.message;
    return;
  }
  if (entry !== state.current || name !== state.mapModel) return;
  const map = entry.maps[name];
  const limit = Math.max(...Object.values(entry.maps).map((one) => one.limit)); // one scale for all models
  viewer.setMap(map, limit);
  at("scale-low").textContent = `against “${map.target}” −${limit.toPrecision(2)}`;
  at("scale-high").textContent = `+${limit.toPrecision(2)} for “${map.target}”`;
  at("map-scale").hidden = false;
  at("map-words").textContent = map.words.replaceAll(/(?<=\s)-(?=\d)/g, "−");
}

function showWindow({ low, high, range: [from, to] }) {
  at("level").value = (1000 * ((low + high) / 2 - from)) / (to - from);
  at("width").value = (1000 * (high - low)) / (to - from);
  const digits = to - from > 20 ? 0 : 3;
  at("window-value").textContent = `${low.toFixed(digits)} to ${high.toFixed(digits)}`;
}

function slideWindow() {
  const [from, to] = viewer.range;
  const level = from + (at("level").value / 1000) * (to - from);
  const width = (at("width").value / 1000) * (to - from);
  viewer.setWindow(level - width / 2, level + width / 2);
}

function clear() {
  Object.assign(state, { entries: [], current: null });
  at("list-rows").replaceChildren();
  at("list").hidden = at("work").hidden = true;
  at("drop").classList.remove("small");
  at("drop-title").textContent = "Drop images here";
  viewer.show(null);
  at("files").focus();
}

function step(by) {
  const place = state.entries.indexOf(state.current) + by;
  if (state.current && state.entries[place]) select(state.entries[place]);
}

at("files").addEventListener("change", ({ target }) => { add(target.files); target.value = ""; });
at("csv").addEventListener("click", () => download("predictions.csv", toCsv(state.entries, state.models)));
at("clear").addEventListener("click", clear);
at("level").addEventListener("input", slideWindow);
at("width").addEventListener("input", slideWindow);
at("opacity").addEventListener("input", ({ target }) => viewer.setOpacity(target.value / 100));
at("zoom-in").addEventListener("click", () => viewer.zoomBy(1.4));
at("zoom-out").addEventListener("click", () => viewer.zoomBy(1 / 1.4));
at("zoom-reset").addEventListener("click", () => viewer.reset());
document.addEventListener("paste", ({ clipboardData }) => add(clipboardData.files));
document.addEventListener("keydown", (event) => {
  if (event.target.matches("input, textarea") || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "j" || event.key === "PageDown") step(1);
  else if (event.key === "k" || event.key === "PageUp") step(-1);
  else return;
  event.preventDefault();
});
document.addEventListener("dragover", (event) => { event.preventDefault(); document.body.classList.add("over"); });
document.addEventListener("dragleave", ({ relatedTarget }) => { if (!relatedTarget) document.body.classList.remove("over"); });
document.addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("over");
  add(event.dataTransfer.files);
});
start();
