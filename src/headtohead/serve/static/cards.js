/** What is said of an image and of a model, as elements. Text goes in as text, never as markup. */

/** Make an element: make("p.quiet", "text") or make("div.card", [children]). */
export function make(what, content = [], attributes = {}) {
  const [tag, ...classes] = what.split(".");
  const element = document.createElement(tag);
  element.classList.add(...classes);
  element.append(...(Array.isArray(content) ? content : [content]));
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

/** A probability in percent; never 0 or 100, which would be read as never and always. */
export function percent(value) {
  if (value < 0.001) return "< 0.1 %";
  if (value > 0.999) return "> 99.9 %";
  return `${(100 * value).toFixed(1)} %`;
}

function bars(prediction, positive) {
  const rows = Object.entries(prediction.probabilities).map(([name, value]) => {
    const fill = make("span.fill");
    fill.style.width = `${100 * value}%`;
    const track = make("span.track", [fill]);
    if (name === positive && prediction.threshold !== null) {
      const mark = make("span.mark", [], { title: `threshold ${prediction.threshold}` });
      mark.style.left = `${100 * prediction.threshold}%`;
      track.append(mark);
    }
    const row = make("div.bar-row", [make("span.bar-name", name), track, make("span.percent", percent(value))]);
    row.classList.toggle("chosen", name === prediction.label);
    return row;
  });
  return make("div.bars", rows);
}

/** Why a prediction is not to be taken as one class. */
export function abstention(prediction) {
  if (!prediction.abstains || prediction.error) return "";
  if (prediction.set.length === 0) return "Abstains: unlike any class";
  return `Abstains: ${prediction.set.join(" or ")}`;
}

/** The card of one model on one image. */
export function card({ model, digest, prediction }, positive) {
  const head = make("div.card-head", [
    make("h3", model),
    make("span.digest", digest.slice(0, 10), { title: `Bundle ${digest}` }),
  ]);
  if (prediction.error) {
    return make("article.card", [head, make("p.error", `Cannot be read: ${prediction.error}`)]);
  }
  const verdict = make("div.verdict", [make("span.label", prediction.label)]);
  const tag = abstention(prediction);
  if (tag) verdict.append(make("span.tag", tag));
  const parts = [head, verdict, make("p.sentence", prediction.sentence), bars(prediction, positive)];
  if (prediction.threshold !== null && positive) {
    parts.push(make("p.quiet", `“${positive}” from a probability of ${Number(prediction.threshold.toPrecision(3))} on.`));
  }
  if (prediction.flags.length > 0) {
    parts.push(make("ul.flags", prediction.flags.map((flag) => make("li", flag.message)), { "aria-label": "Cautions" }));
  }
  return make("article.card", parts);
}

/** The sentence over the cards. */
export function agreement(answers) {
  const labels = answers.map((answer) => answer.prediction.label);
  if (labels.length < 2 || labels.includes(null)) return ["", true];
  if (new Set(labels).size === 1) {
    return [`${labels.length === 2 ? "Both" : `All ${labels.length}`} models say “${labels[0]}”${undecided(answers)}.`, true];
  }
  return [`The models disagree${undecided(answers)}.`, false];
}

function undecided(answers) {
  const n = answers.filter((answer) => answer.prediction.abstains).length;
  if (n === 0) return "";
  if (n === answers.length) return n === 2 ? ", and both abstain" : ", and all abstain";
  return `, and ${n} of ${answers.length} ${n === 1 ? "abstains" : "abstain"}`;
}

function plain(value) {
  if (typeof value === "number") return Number.isInteger(value) ? String(value) : value.toFixed(3);
  if (Array.isArray(value)) return value.map(plain).join(", ");
  if (value !== null && typeof value === "object") return Object.entries(value).map(([k, v]) => `${k} ${plain(v)}`).join(", ");
  return String(value);
}

const NAMES = { auroc: "AUROC", auprc: "AUPRC", brier: "Brier score", ece: "calibration error", mcc: "MCC", f1: "F1" };
const FIRST = ["auroc", "accuracy", "balanced_accuracy", "sensitivity", "specificity", "brier"];
const SHOWN_APART = ["format", "scores", "calibrated", "conformal", "metric", "n_samples", "n_groups", "sentence", "caveats", "audit", "fidelity"];

function readable(name) {
  return NAMES[name] ?? name.replaceAll("_", " ");
}

function score({ metric, value, low, high, level = 0.95, note = "" }) {
  if (value === null) return [readable(metric), note || "not defined"];
  const interval = low === null || high === null ? "" : ` (${Math.round(100 * level)} % CI ${low.toFixed(3)} to ${high.toFixed(3)})`;
  return [readable(metric), `${value.toFixed(3)}${interval}`];
}

/** The scores that matter most: the one that was decided on, then the usual ones. */
function mainScores({ scores = [], metric = "" }) {
  const order = [metric, ...FIRST.filter((name) => name !== metric)];
  const known = order.map((name) => scores.find((one) => one.metric === name)).filter(Boolean);
  return known.length > 0 ? known : scores.slice(0, 5);
}

function duration(milliseconds) {
  return milliseconds < 1000 ? `${milliseconds.toFixed(milliseconds < 10 ? 1 : 0)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}

/** What a model was tested on. */
export function aboutModel(model) {
  const found = model.estimate;
  const facts = [["classes", model.classes.join(", ")]];
  if (found.n_samples) {
    const groups = found.n_groups && found.n_groups !== found.n_samples ? ` of ${found.n_groups} groups` : "";
    facts.push(["tested on", `${found.n_samples} images${groups}`]);
  }
  facts.push(...mainScores(found).map(score));
  for (const [name, value] of Object.entries(found)) {
    if (!SHOWN_APART.includes(name) && value !== null) facts.push([readable(name), plain(value)]);
  }
  facts.push(["one image took", `${duration(model.milliseconds)}, measured when this server started`]);
  const terms = facts.flatMap(([name, value]) => [make("dt", name), make("dd", value)]);
  const parts = [make("h3", model.name), make("dl", terms)];
  if (found.sentence) parts.push(make("p.quiet", found.sentence));
  const cautions = [...(found.caveats ?? []), ...(found.fidelity ?? [])];
  if (cautions.length > 0) parts.push(make("ul", cautions.map((text) => make("li", text)), { "aria-label": "Caveats" }));
  const audit = found.audit ?? [];
  if (audit.length > 0) {
    const title = make("summary", `What the audit found in the training images (${audit.length})`);
    parts.push(make("details", [title, make("ul", audit.map((text) => make("li", text)))]));
  }
  return make("article.about-model", parts);
}
