// Whether telemetry is healthy.
const icons = { ok: "✓", waiting: "…", failing: "✗", stopped: "■" }, kinds = { ok: "ok", waiting: "dim", failing: "bad", stopped: "bad" };
let healthShown = "";
function drawHealth() {
  const health = state.health;
  if (!health) return;
  const id = health.identity;
  $("service").textContent = id["service.name"] || "metercast";
  const isWell = /^(ok|waiting)$/.test(health.status) && health.ready && (!health.reload || health.reload.successful);
  document.title = (isWell ? "" : "✗ ") + (id["service.name"] || "metercast") + " live";
  $("who").textContent = [id["service.version"], id["deployment.environment.name"], id["service.instance.id"] && "instance " + id["service.instance.id"].slice(0, 8)].filter(Boolean).join(" · ");
  // Told to who listens to the page only when it differs.
  const text = JSON.stringify(health);
  if (text === healthShown) {
    document.querySelectorAll("[data-since]").forEach(it => { it.textContent = since(+it.dataset.since); });
    return;
  }
  healthShown = text;
  summarize(health, isWell);
  const when = time => time === null ? "no success yet" : el("span", { "data-since": time, "aria-live": "off" }, since(time));
  const worst = ["stopped", "failing", "waiting", "ok"], rank = one => worst.indexOf(one.status);
  const all = [...health.exporters].sort((a, b) => rank(a) - rank(b)).map(one => el("div", { class: "exporter" },
    el("b", { class: kinds[one.status] }, icons[one.status] + " " + one.name + " "), one.type + " " + one.status,
    one.private ? " · kept by the program" : [el("span", { class: "dim" }, " · ", when(one.last_success), one.took === null ? "" : " · took " + inUnit(one.took, "s"), one.points ? " · " + short(one.points) + " points in all" : "", one.failures ? " · failed " + many(one.failures, "time") : ""),
      el("p", {}, one.target, one.every ? ", every " + ago(one.every) : ""),
      one.error ? el("p", { class: "bad" }, one.error.text, one.error.since ? [" (since ", when(one.error.since), ", ", String(one.failures_in_a_row), " in a row)"] : "") : null]));
  // What has failed stands first.
  const put = (isWell, it) => isWell ? all.push(it) : all.unshift(it);
  if (health.reload) put(health.reload.successful, el("div", { class: "exporter" }, el("b", { class: health.reload.successful ? "ok" : "bad" }, health.reload.successful ? "✓ reload" : "✗ reload refused, the old configuration holds"), " ", when(health.reload.time), el("p", {}, health.reload.text)));
  if (!health.ready) put(false, el("div", { class: "exporter" }, el("b", { class: "bad" }, "✗ not ready"), el("p", {}, health.not_ready || "")));
  for (const problem of health.problems) all.push(el("div", { class: "exporter" }, el("b", { class: "warn" }, "! problem"), el("p", {}, problem)));
  fill($("health"), all.length ? all : el("p", {}, "No exporters: what is recorded stays in the process."));
  drawExporters();
}
// In one line, which is read aloud when it differs; a reload that holds has brought another configuration.
let reloaded;
function summarize(health, isWell) {
  const bad = health.exporters.filter(one => /^(failing|stopped)$/.test(one.status)).map(one => one.name + " is " + one.status);
  if (health.reload && !health.reload.successful) bad.push("the last reload was refused");
  if (!health.ready) bad.push("the program is not ready");
  const waiting = health.exporters.filter(one => one.status === "waiting").map(one => one.name);
  const text = !isWell ? "✗ No: " + (bad.join(", ") || "telemetry was shut down") : waiting.length === health.exporters.length && waiting.length ? "… Not known yet: nothing was exported so far" : "✓ Yes" + (waiting.length ? "; nothing was exported yet by " + waiting.join(" and ") : "");
  const it = $("summary");
  if (it.textContent !== text) { it.textContent = text; it.className = !isWell ? "bad" : text.startsWith("✓") ? "ok" : "dim"; }
  const at = health.reload && health.reload.time;
  if (reloaded !== undefined && at !== reloaded) drawConfig();
  reloaded = at;
}
