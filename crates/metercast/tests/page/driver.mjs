// Drives a browser for the tests: reads one JSON document a line, each with an id and what to do, and answers with the same id.
// It ends, and the browser with it, when nobody writes to it any more.
import { createInterface } from "node:readline";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const [packages, chromium] = process.argv.slice(2);
const require = createRequire(packages + "/");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const args = ["--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update"];
// Root has no sandbox; what is opened is this machine's own.
const browser = await require("playwright-core").chromium.launch({ executablePath: chromium, args, chromiumSandbox: false });
const pages = new Map();

// By the protocol of DevTools: it is not held to what the policy of the page allows.
async function js({ tools }, expression) {
  const { result, exceptionDetails } = await tools.send("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
  if (exceptionDetails) throw new Error(exceptionDetails.exception?.description || exceptionDetails.text);
  return result.value ?? null;
}

const acts = {
  async open({ page: id, url, width, height, dark, calm, token, timers }) {
    const context = await browser.newContext({
      viewport: { width, height }, colorScheme: dark ? "dark" : "light", reducedMotion: calm ? "reduce" : "no-preference",
      httpCredentials: token ? { username: "any", password: token } : undefined,
    });
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    const page = await context.newPage(), troubles = [], requests = [];
    // Timers that stand still until they are told to go on.
    if (timers) await page.clock.install();
    page.on("console", message => { if (message.type() !== "log") troubles.push(message.text()); });
    page.on("pageerror", error => troubles.push(String(error)));
    page.on("request", request => requests.push(request.url()));
    pages.set(id, { context, page, troubles, requests, tools: await context.newCDPSession(page) });
    await page.goto(url, { waitUntil: "domcontentloaded" });
    return null;
  },
  async js({ page: id, text }) { return js(pages.get(id), text); },
  // Waits until an expression holds; if it does not, says what is there.
  async until({ page: id, text, limit, shown }) {
    const end = performance.now() + limit;
    for (;;) {
      const value = await js(pages.get(id), text);
      if (value) return value;
      if (performance.now() > end) throw new Error("this does not come about: " + text + "\nthere is: " + await js(pages.get(id), shown));
      await new Promise(done => setTimeout(done, 30));
    }
  },
  async press({ page: id, key }) { await pages.get(id).page.keyboard.press(key); return null; },
  async type({ page: id, text }) { await pages.get(id).page.keyboard.type(text); return null; },
  async pass({ page: id, ms }) { await pages.get(id).page.clock.runFor(ms); return null; },
  async picture({ page: id, file }) { await pages.get(id).page.screenshot({ path: file, fullPage: true }); return null; },
  // What axe-core finds serious or critical, each with where it is and why.
  async axe({ page: id }) {
    if (!await js(pages.get(id), "!!window.axe")) await js(pages.get(id), axe + ";0");
    return js(pages.get(id), `axe.run(document, { resultTypes: ["violations"] }).then(found => found.violations
      .filter(one => one.impact === "serious" || one.impact === "critical")
      .flatMap(one => one.nodes.map(node => one.id + " at " + node.target.join(" ") + ": " + node.failureSummary)))`);
  },
  async heard({ page: id }) { const { troubles, requests } = pages.get(id); return { troubles, requests }; },
  async close({ page: id }) { const { context } = pages.get(id); pages.delete(id); await context.close(); return null; },
};

const lines = createInterface({ input: process.stdin });
lines.on("line", async line => {
  const asked = JSON.parse(line);
  let answer;
  try { answer = { id: asked.id, value: await acts[asked.act](asked) }; } catch (error) { answer = { id: asked.id, error: String(error.message || error) }; }
  process.stdout.write(JSON.stringify(answer) + "\n");
});
lines.on("close", async () => { await browser.close(); process.exit(0); });
