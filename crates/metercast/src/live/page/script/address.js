// What the address remembers.
function remember() {
  const m = state.metrics.get(state.open), hash = new URLSearchParams();
  if (m) { hash.set("metric", m.name); if (m.scope) hash.set("scope", m.scope); for (const label of state.labels) hash.append("label", label); }
  for (const id of ["filter", "sort", "group", "window"]) { const it = $(id), plain = { sort: "name", window: "900" }[id] || ""; if (it.value !== plain) hash.set(id, it.value); }
  history.replaceState(null, "", hash.size ? "#" + hash : location.pathname + location.search);
}
let linked = null;
function recall() {
  const text = location.hash.slice(1);
  if (!text.includes("=")) return;
  const hash = new URLSearchParams(text);
  for (const id of ["filter", "sort", "group", "window"]) if (hash.has(id)) $(id).value = hash.get(id);
  if (hash.has("metric")) linked = { key: (hash.get("scope") || "") + "\n" + hash.get("metric"), labels: hash.getAll("label") };
}
