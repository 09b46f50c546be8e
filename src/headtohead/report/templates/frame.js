// What every page can do: sort and download tables, download figures, copy, print with everything open.
document.documentElement.classList.add("script");
const $ = (s, r = document) => r.querySelector(s), $$ = (s, r = document) => [...r.querySelectorAll(s)];
const el = (tag, text, cls) => { const e = document.createElement(tag); if (text !== undefined) e.textContent = text; if (cls) e.className = cls; return e; };

// ---- tables --------------------------------------------------------------------------------------
$$("table.sort").forEach(table => $$("th[scope=col]", table).forEach((th, k) => {
  const b = el("button", th.textContent); b.type = "button"; th.replaceChildren(b);
  b.addEventListener("click", () => {
    const body = $("tbody", table), up = th.getAttribute("aria-sort") === "descending";
    const key = tr => k ? parseFloat(tr.cells[k].dataset.v ?? tr.cells[k].textContent) : tr.cells[0].textContent;
    const rows = [...body.rows].sort((x, y) => { const a = key(x), c = key(y); if (a !== a) return 1; if (c !== c) return -1; return (a < c ? -1 : a > c ? 1 : 0) * (up ? 1 : -1); });
    $$("th[aria-sort]", th.parentNode).forEach(o => o.removeAttribute("aria-sort"));
    th.setAttribute("aria-sort", up ? "ascending" : "descending"); body.append(...rows);
  });
}));
const save = (name, kind, text) => { const a = el("a"); const at = URL.createObjectURL(new Blob([text], { type: kind })); a.setAttribute("href", at); a.download = name; a.click(); URL.revokeObjectURL(at); };
const csv = table => [...table.rows].map(r => [...r.cells].map(c => `"${c.innerText.replaceAll("\n", " ").replaceAll('"', '""')}"`).join(",")).join("\n");
$$("figure.fig").forEach(f => {
  const name = ($("h3", f) || $("figcaption", f)).textContent.slice(0, 60);
  const get = (kind, click) => { const b = el("button", kind, "get"); b.type = "button"; b.setAttribute("aria-label", `${kind}: download the figure ${name}`); b.addEventListener("click", click); f.append(b); };
  get("SVG", () => save(`${name}.svg`, "image/svg+xml", new XMLSerializer().serializeToString($("svg", f)).replace(/var\(--[a-z0-9]+, (#[0-9a-f]+)\)/g, "$1")));
  if (f.dataset.csv) get("CSV", () => save(`${name}.csv`, "text/csv", f.dataset.csv));
});
$$(".scroll").filter(r => $("table", r)).forEach(r => {
  const b = el("button", "CSV", "get"); b.type = "button"; b.setAttribute("aria-label", `CSV: download the table ${r.getAttribute("aria-label")}`);
  b.addEventListener("click", () => save(`${r.getAttribute("aria-label")}.csv`, "text/csv", csv($("table", r)))); if (r.parentNode.classList.contains("two")) r.append(b); else r.after(b);
});
$$("[data-copy]").forEach(b => b.addEventListener("click", () => { const e = $(`#${b.dataset.copy}`); navigator.clipboard.writeText(e.tagName === "TABLE" ? csv(e) : e.textContent); b.textContent = "Copied"; }));

addEventListener("beforeprint", () => { $$("details").forEach(d => { d.open = true; }); });
