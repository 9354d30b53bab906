// What keys and buttons do, and when the page is drawn: once a second, or every five where less motion is wished.
function pause() {
  state.paused = !state.paused;
  $("pause").setAttribute("aria-pressed", state.paused); $("pause").textContent = state.paused ? "Go on" : "Pause";
  if (state.paused) hush(); else listen();
  status(); draw(true);
}
function theme(name) {
  document.documentElement.dataset.theme = name; $("theme").textContent = name === "dark" ? "Light" : "Dark";
  if (shown && state.open) drawDetail(shown);
}
function swapTheme() { const name = document.documentElement.dataset.theme === "dark" ? "light" : "dark"; try { localStorage.setItem("metercast-theme", name); } catch {} theme(name); }
function twin() { const it = $("twin"); it.setAttribute("aria-pressed", it.getAttribute("aria-pressed") !== "true"); if (shown) drawDetail(shown); }
let drawn = -1e9, isFirst = true, known = 0;
function draw(anyway) {
  status();
  if (!state.time || (!anyway && (state.paused || (calm && performance.now() - drawn < 5000)))) return;
  drawn = performance.now();
  drawHealth();
  // In a window that nobody sees only its title says something.
  if (document.hidden) return;
  drawCards(); drawChanges(); drawTable();
  if (!state.paused) drawLimits();
  if (state.metrics.size !== known) { known = state.metrics.size; if ($("never").open) drawNever(); }
  // What is further down comes after what is seen first.
  if (isFirst) { isFirst = false; performance.mark("drawn"); drawConfig(); drawCardinality(); }
  if (linked && state.metrics.has(linked.key)) { const { key, labels } = linked; linked = null; show(state.metrics.get(key), labels); }
  if (state.open && !anyway && state.time - state.at >= ($("window").value > 900 ? 15 : 2)) { state.at = state.time; refresh(); }
}
$("pause").onclick = pause; $("theme").onclick = swapTheme; $("twin").onclick = twin; $("close").onclick = close;
$("help-open").onclick = () => $("help").showModal(); $("help-close").onclick = () => $("help").close();
document.querySelectorAll("[data-copy]").forEach(it => { it.onclick = () => copy(it.dataset.copy); });
// While it is paused too.
for (const id of ["filter", "sort", "group"]) $(id).oninput = () => { remember(); drawTable(); };
$("window").oninput = () => { remember(); refresh(true); };
addEventListener("keydown", event => {
  if (event.key === "Escape" && !$("help").open) { if (document.activeElement === $("filter")) { $("filter").value = ""; $("filter").blur(); remember(); drawTable(); } else if (state.open) close(); return; }
  if (event.ctrlKey || event.metaKey || event.altKey || $("help").open || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.nodeName)) return;
  const act = { "/": () => $("filter").focus(), p: pause, t: twin, g: () => { $("metrics").scrollIntoView(); ($("table").tBodies[0].querySelector("button") || $("filter")).focus(); }, d: swapTheme, "?": () => $("help").showModal() }[event.key];
  if (act) { event.preventDefault(); act(); }
});
$("never").addEventListener("toggle", () => { if ($("never").open) drawNever(); });
document.addEventListener("visibilitychange", () => draw(true));
addEventListener("resize", () => { if (shown && state.open) drawDetail(shown); });
let kept = null;
try { kept = localStorage.getItem("metercast-theme"); } catch {}
theme(kept || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"));
document.querySelectorAll("footer a").forEach(it => { it.href = base + it.getAttribute("href"); });
recall(); listen();
setInterval(status, 1000);
setInterval(() => { if (!state.paused) drawCardinality(); }, 10000);
setInterval(() => { if (!state.paused) drawConfig(); }, 30000);
