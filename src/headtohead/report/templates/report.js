// The report alone: gallery, one image, maps, slider.
const D = JSON.parse($("#page-data").textContent), images = D.images, cards = $$("#gallery > li");
const said = (i, c) => images[i].y[c][0], right = (i, c) => said(i, c) === images[i].label, scored = i => images[i].fold[0] >= 0;
const place = name => D.names.indexOf(name), [A, B] = D.pair.map(place), pos = D.classes.indexOf(D.positive);
const any = f => D.pair.some((_, k) => f([A, B][k]));

// ---- gallery -------------------------------------------------------------------------------------
const chip = {
  all: () => true,
  a: i => scored(i) && right(i, A) && !right(i, B),
  b: i => scored(i) && !right(i, A) && right(i, B),
  none: i => scored(i) && !any(c => right(i, c)),
  fp: i => scored(i) && images[i].label !== pos && any(c => !right(i, c)),
  fn: i => scored(i) && images[i].label === pos && any(c => !right(i, c)),
  unsure: i => scored(i) && any(c => Math.abs(images[i].p[c][0] - 0.5) < D.unsure),
  doubt: i => images[i].doubt === 1,
};
function show(test, words) {
  let n = 0;
  for (const card of cards) { const on = test(+card.dataset.i); card.hidden = !on; n += on; }
  $("#showing").textContent = `${n} image${n === 1 ? "" : "s"}: ${words}.`;
}
$$("[data-chip]").forEach(b => b.addEventListener("click", () => {
  $$("[data-chip]").forEach(o => o.setAttribute("aria-pressed", o === b));
  show(chip[b.dataset.chip], b.firstChild.textContent.trim());
}));
document.addEventListener("click", event => {
  const a = event.target.closest("a[data-f]");
  if (!a) return;
  $$("[data-chip]").forEach(o => o.setAttribute("aria-pressed", false));
  const d = a.dataset;
  if (d.f === "subgroup") {
    show(i => scored(i) && images[i].by && images[i].by[d.column] === d.value, `${d.column} is ${d.value}`);
  } else if (d.f === "confusion") {
    const c = place(d.name), t = +d.truth, s = +d.said;
    show(i => scored(i) && images[i].label === t && said(i, c) === s, `${D.classes[t]} that ${d.name} calls ${D.classes[s]}`);
  } else {
    const x = place(d.a), y = place(d.b);
    const tests = [i => right(i, x) && !right(i, y), i => !right(i, x) && right(i, y), i => !right(i, x) && !right(i, y)];
    show(i => scored(i) && tests[+d.which](i), [`only ${d.a} right`, `only ${d.b} right`, `${d.a} and ${d.b} both wrong`][+d.which]);
  }
});

// ---- one image, large ----------------------------------------------------------------------------
const zoom = $("#zoom");
let opacity = 0.65, at = -1;
const tint = v => v > 0 ? [213, 94, 0, v] : [0, 114, 178, -v];
function overlay(canvas, grid, failed) {
  const cells = Uint8Array.from(atob(grid.cells), c => c.charCodeAt(0));
  canvas.width = grid.columns; canvas.height = grid.rows;
  const pixels = canvas.getContext("2d"), data = pixels.createImageData(grid.columns, grid.rows);
  cells.forEach((raw, k) => {
    const v = Math.max(-1, Math.min(1, (raw > 127 ? raw - 256 : raw) / D.map_limit)), [r, g, b, a] = failed ? [128, 128, 128, Math.abs(v)] : tint(v);
    data.data.set([r, g, b, Math.round(255 * a)], 4 * k);
  });
  pixels.putImageData(data, 0, 0);
  canvas.style.opacity = opacity;
}
const signed = v => (Math.abs(v) < 0.005 ? "" : v < 0 ? "−" : "+") + Math.abs(v).toFixed(2);
// The log-odds step by step, on one scale for all images and contenders: offset, map, what has no place.
function sumBar(grid) {
  const table = el("table", undefined, "sum"), body = el("tbody"), place = v => Math.max(0, Math.min(100, 50 + 50 * v / (D.sum_limit || 1)));
  const [offset, map, elsewhere, whole] = grid.sum, after = offset + map;
  [["offset", 0, offset], ["map", offset, after], ["not localised", after, whole], ["log-odds", 0, whole]].forEach(([name, from, to], k) => {
    const tr = el("tr"), th = el("th", name), cell = el("td"), bar = el("i"), value = [offset, map, elsewhere, whole][k];
    th.scope = "row"; bar.className = value < 0 ? "against" : "for";
    bar.style.left = `${place(Math.min(from, to))}%`; bar.style.width = `${Math.abs(place(to) - place(from))}%`;
    cell.append(bar); tr.append(th, cell, el("td", signed(value), "n")); body.append(tr);
  });
  table.append(body);
  return table;
}
// The text of a map: a phrase that many share, and its own numbers.
const said_of = grid => (grid.words || []).slice(1).reduce((text, number) => text.replace("#", number), grid.words ? D.phrases[grid.words[0]] : "");
function mapFigure(i, c, grid, words) {
  const f = el("figure");
  f.append(framed(i, grid, false), el("figcaption", `${D.names[c]}${words}: ${grid.failed ? "Failed a check, so grey and no evidence. " : ""}${said_of(grid)}`));
  if (grid.sum) f.append(sumBar(grid));
  return f;
}
function framed(i, grid, box) {
  const one = images[i], hold = el("span", undefined, "hold");
  hold.style.aspectRatio = one.width ? `${one.width} / ${one.height}` : "1";
  const image = el("span", undefined, one.im === null ? "im" : `im i${one.im}`);
  image.setAttribute("role", "img"); image.setAttribute("aria-label", one.id);
  hold.append(image);
  const put = (e, b) => {
    if (!b || !one.width) return;
    Object.assign(e.style, { top: `${100 * b[0] / one.height}%`, left: `${100 * b[1] / one.width}%`, height: `${100 * (b[2] - b[0]) / one.height}%`, width: `${100 * (b[3] - b[1]) / one.width}%` });
    hold.append(e);
  };
  if (grid) { const canvas = el("canvas"); canvas.setAttribute("aria-hidden", "true"); overlay(canvas, grid, grid.failed); put(canvas, grid.box || one.box); }
  if (box) put(el("i", undefined, "crop"), one.box);
  return hold;
}
function open(i) {
  at = i;
  const one = images[i], close = el("button", "Close", "close");
  close.type = "button"; close.addEventListener("click", () => zoom.close());
  const head = el("h2", `${one.id}: ${D.classes[one.label]}`), row = el("div", undefined, "views");
  const first = el("figure"); first.append(framed(i, null, true), el("figcaption", "the image; the frame is what the networks see")); row.append(first);
  for (const [c, grid] of Object.entries(one.maps || {})) {
    row.append(mapFigure(i, c, grid, ""));
  }
  const table = el("table"), body = el("tbody");
  D.names.forEach((name, c) => {
    if (name === "majority") return;
    const tr = el("tr"); tr.append(el("th", name), el("td", D.classes[said(i, c)] + (right(i, c) ? " ✓" : " ✗")), el("td", one.p[c].map(p => p.toFixed(2)).join(", ")));
    body.append(tr);
  });
  table.append(body);
  zoom.replaceChildren(close, head, row, el("p", `group ${one.group}; fold ${one.fold.map(f => f + 1).join(", ")} by repeat; probability of ${D.positive || "the true class"}, by repeat${D.repeats > one.fold.length ? ` (the first ${one.fold.length} of ${D.repeats})` : ""}:`, "sub"), table);
  for (const [c, near] of Object.entries(one.near || {})) {
    if (!near.length) continue;
    zoom.append(el("h3", `Nearest images of other groups for ${D.names[c]}`));
    const list = el("div", undefined, "thumbs");
    near.forEach(j => { const f = el("figure"); f.append(framed(j, null, false), el("figcaption", `${images[j].id}: ${D.classes[images[j].label]}, group ${images[j].group}`)); list.append(f); });
    zoom.append(list);
  }
  if (!zoom.open) zoom.showModal();
  close.focus();
}
cards.forEach(card => $("button", card).addEventListener("click", () => open(+card.dataset.i)));
zoom.addEventListener("keydown", event => {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  const shown = cards.filter(c => !c.hidden), k = shown.findIndex(c => +c.dataset.i === at), next = shown[k + step];
  if (next) open(+next.dataset.i);
});

// ---- maps ----------------------------------------------------------------------------------------
const strength = $("#opacity"), maps = $("#maps");
if (strength) strength.addEventListener("input", () => { opacity = strength.value / 100; $$("canvas").forEach(c => { c.style.opacity = opacity; }); });
if (maps) cards.map(c => +c.dataset.i).filter(i => images[i].maps).slice(0, 12).forEach(i => {
  const list = el("div", undefined, "thumbs maps");
  list.append(el("h3", `${images[i].id}: ${D.classes[images[i].label]}`));
  const plain = el("figure"); plain.append(framed(i, null, true), el("figcaption", "the image")); list.append(plain);
  // six fit in a row of the widest page; fewer stay as large as they were; of two maps two images fit in a row of the print
  const n = Object.keys(images[i].maps).length;
  if (n > 4 || n < 3) list.classList.add(n > 4 ? "many" : "few");
  for (const [c, grid] of Object.entries(images[i].maps)) {
    list.append(mapFigure(i, c, grid, right(i, c) ? " ✓" : " ✗"));
  }
  maps.append(list);
});

// ---- slider --------------------------------------------------------------------------------------
const t = $("#t"), p = $("#p"), ratio = (a, b) => b > 0 ? (a / b).toFixed(3) : "not defined";
function move() {
  const threshold = t.value / 100, prevalence = p.value / 1000;
  $("#t-out").textContent = threshold.toFixed(2); $("#p-out").textContent = prevalence.toFixed(3);
  $$("#per1000 tbody tr").forEach(tr => {
    const c = D.slider.curves[tr.dataset.name], se = c.sensitivity[t.value], sp = c.specificity[t.value];
    const tp = se * prevalence, fn = prevalence - tp, fp = (1 - sp) * (1 - prevalence), tn = 1 - prevalence - fp;
    const benefit = threshold < 1 ? (tp - fp * threshold / (1 - threshold)).toFixed(3).replace("-0.000", "0.000").replace("-", "−") : "not defined";
    [tp, fn, fp, tn].map(x => (1000 * x).toFixed(0)).concat([se.toFixed(3), sp.toFixed(3), ratio(tp, tp + fp), ratio(tn, tn + fn), benefit]).forEach((text, k) => { tr.cells[k + 1].textContent = text; });
  });
}
if (t) [t, p].forEach(e => e.addEventListener("input", move));

// ---- print: every image that the print shows ------------------------------------------------------
addEventListener("beforeprint", () => { cards.forEach(c => { c.hidden = false; }); });
