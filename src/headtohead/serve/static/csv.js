/** The list as a CSV file: one line for each file and model, made in the browser. */

const FORMULA = /^[=+\-@\t\r]/;

function cell(value) {
  let text = value === null || value === undefined ? "" : String(value);
  if (typeof value === "string" && FORMULA.test(text)) text = `'${text}`; // a spreadsheet would run it
  return /[",\r\n;]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function rounded(value) {
  return value === null || value === undefined ? "" : Number(value.toFixed(6));
}

/** Return the text of the file. */
export function toCsv(entries, models) {
  const classes = [...new Set(models.flatMap((model) => model.classes))];
  const head = ["path", "sha256", "model", "digest", ...classes.map((name) => `prob_${name}`)];
  const lines = [[...head, "predicted", "threshold", "set", "abstains", "flags", "error"]];
  for (const entry of entries) {
    for (const { model, digest, prediction: p } of entry.answers) {
      const probabilities = classes.map((name) => rounded(p.probabilities[name]));
      const flags = p.flags.map((flag) => flag.code).join("|");
      lines.push([entry.file.name, p.sha256, model, digest, ...probabilities, p.label, rounded(p.threshold), p.set.join("|"), p.abstains, flags, p.error]);
    }
    if (entry.error) lines.push([entry.file.name, "", "", "", ...classes.map(() => ""), "", "", "", "", "", entry.error]);
  }
  return lines.map((line) => line.map(cell).join(",")).join("\r\n") + "\r\n";
}

/** Offer a text for download. */
export function download(name, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
