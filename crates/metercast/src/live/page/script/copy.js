// What is copied for use elsewhere.
function promql() {
  const m = state.metrics.get(state.open), quote = text => '"' + text.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/\n/g, "\\n") + '"';
  const labels = state.labels.map(label => label.slice(0, label.indexOf(":")).replace(/[^a-zA-Z0-9_]/g, "_") + "=" + quote(label.slice(label.indexOf(":") + 1)));
  const of = suffix => m.prometheus + suffix + (labels.length ? "{" + labels.join(", ") + "}" : "");
  return m.kind === "counter" ? `sum(rate(${of("")}[1m]))` : m.kind === "histogram" ? `histogram_quantile(0.99, sum by (le) (rate(${of("_bucket")}[1m])))` : m.kind === "summary" ? `rate(${of("_sum")}[1m]) / rate(${of("_count")}[1m])` : of("");
}
// A test that finds the series as they are now.
function test() {
  return ["let _metrics = metercast::testing::scope();", "// What is to be tested comes here.", ...shown.series.slice(0, 20).map(one => one.assertion)].join("\n");
}
const copies = { promql, test, link: () => location.href, curl: () => `curl -s '${(location.origin + base + "live/api/" + path()).replace(/'/g, "%27")}'` };
let unsaid = 0;
async function copy(what) {
  const text = copies[what]();
  try { await navigator.clipboard.writeText(text); } catch { prompt("Copy this", text); return; }
  $("said").textContent = "Copied: " + text;
  clearTimeout(unsaid); unsaid = setTimeout(() => { $("said").textContent = ""; }, 6000);
}
