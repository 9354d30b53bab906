// What is asked for now and then: how many series there are, what exporters let out, the configuration.
async function drawCardinality() {
  let data;
  try { data = await get("cardinality"); } catch { return; }
  state.worst = new Map(data.metrics.map(m => [keyOf(m), m]));
  $("fill").textContent = `${data.series} series, at most ${data.limit} with labels that the program text does not bound; ` + (data.overflowing ? many(data.overflowing, "metric") + " at the limit" : "no metric is at its limit");
  table($("cardinal"), ["Metric", "Series", "Limit", "Overflow", "Worst label", "Labels"], data.metrics.slice(0, 50).map(m => row("td", m.name + (m.scope ? " (" + m.scope + ")" : ""), num(String(m.series)), num(String(m.limit)),
    el("td", { class: m.overflow ? "bad" : "" }, m.overflow ? "✗ " + short(m.overflow_total) : "none"), m.worst ? `${m.worst.key}, ${many(m.worst.values, "value")}` : "", m.labels.slice(1, 4).map(label => label.key + " " + label.values).join(", "))));
}
// Whoever reaches its limit is looked at at once.
let atLimit = "";
function drawLimits() {
  const now = all().filter(m => m.series > m.limit).map(keyOf).join();
  if (now !== atLimit) { atLimit = now; drawCardinality().then(drawChanges); }
}
let exportersShown = "";
function drawExporters() {
  const names = state.health.exporters.map(one => one.name);
  if (names.join() === exportersShown) return;
  exportersShown = names.join();
  fill($("previews"), state.health.exporters.map(one => {
    const it = el("details", {}, el("summary", {}, one.name + (one.private ? " (kept by the program)" : "")));
    it.addEventListener("toggle", async () => {
      if (!it.open) return;
      const list = el("table", {}), text = el("p", {});
      try {
        const data = await get("exporters/" + encodeURIComponent(one.name) + "/preview");
        const resource = Object.entries(data.resource).map(([key, value]) => `${key}=${value}`).join(", ");
        text.textContent = `${data.metrics.length} of ${many(state.metrics.size, "metric")} to ${data.target}` + (one.every ? `, every ${ago(one.every)}` : "") + (resource ? `, with ${resource}` : ", without attributes of the resource");
        table(list, ["Metric", "As", "Kind", "Attributes", "Visibility"], data.metrics.map(m => row("td", m.declared, m.name === m.declared ? "" : m.name, m.kind, m.attributes.join(", ") + (m.exemplar_attributes.length ? " (exemplars: " + m.exemplar_attributes.join(", ") + ")" : ""), m.visibility)));
      } catch (error) { text.textContent = error.message; }
      it.replaceChildren(it.firstChild, text, el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "What " + one.name + " lets out" }, list));
    });
    return it;
  }));
}
async function drawConfig() {
  let data;
  try { data = await get("config"); } catch { return; }
  table($("settings"), ["Key", "Value", "Source", "Overruled"], data.settings.map(one => row("td", one.key, one.value, one.source, one.overruled.join(", "))));
}
// What the program declares, and nobody has recorded yet.
async function drawNever() {
  let data;
  try { data = await get("unrecorded"); } catch (error) { $("never-text").textContent = error.message; return; }
  $("never-text").textContent = data.metrics.length ? `${many(data.metrics.length, "metric")} that the program declares, itself or in a library, and has not recorded since it started.` : "Everything that the program declares was recorded.";
  table($("never-table"), ["Name", "Kind", "Unit", "Description", "Declared"], data.metrics.map(m => row("td", m.name, m.kind.replace(/_/g, "-"), m.unit, m.description, m.place)));
}
