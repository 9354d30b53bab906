// Numbers and times, as people read them.
function short(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  const size = Math.abs(value);
  for (const [at, word] of [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e4, "k"]]) {
    if (size >= at) return (value / (at === 1e4 ? 1e3 : at)).toPrecision(3) + " " + word;
  }
  return Number.isInteger(value) ? String(value) : size >= 0.001 || size === 0 ? String(+value.toPrecision(3)) : value.toExponential(1);
}
function inUnit(value, unit) {
  if (value === null || value === undefined) return "–";
  if (unit === "s") {
    const size = Math.abs(value);
    if (size > 1e8) return new Date(value * 1e3).toISOString().slice(0, 19).replace("T", " ");
    return size >= 120 ? ago(value) : size >= 1 || size === 0 ? +value.toPrecision(3) + " s" : size >= 1e-3 ? +(value * 1e3).toPrecision(3) + " ms" : +(value * 1e6).toPrecision(3) + " µs";
  }
  if (unit === "By") {
    const at = Math.min(4, Math.max(0, Math.floor(Math.log2(Math.abs(value) || 1) / 10)));
    return +(value / 1024 ** at).toPrecision(3) + " " + ["B", "KiB", "MiB", "GiB", "TiB"][at];
  }
  if (unit === "1" && Math.abs(value) <= 1) return +(value * 100).toPrecision(3) + " %";
  const word = unit.replace(/[{}]/g, "");
  return short(value) + (word && word !== "1" ? " " + word : "");
}
function ago(seconds) {
  const s = Math.max(0, Math.round(seconds));
  return s < 120 ? s + " s" : s < 7200 ? Math.round(s / 60) + " min" : s < 172800 ? Math.round(s / 3600) + " h" : Math.round(s / 86400) + " days";
}
const many = (count, word) => count + " " + word + (count === 1 ? "" : "s");
const since = time => ago(state.time - time) + " ago";
// What a metric's first line is, and how its value reads.
const lead = m => m.kind === "gauge" || m.kind === "up_down_counter" ? m.now.value : m.now.rate;
function now(m) {
  if (m.kind === "histogram") return "p99 " + inUnit(m.now.p99, m.unit);
  if (m.kind === "counter") return inUnit(m.total.sum, m.unit);
  if (m.kind === "summary") return short(m.total.count);
  return inUnit(m.now.value, m.unit);
}
