// Minimises Rosenbrock's function with gradd: plain JavaScript with fetch, for Node 18 and later, Deno, Bun or a page.
const base = globalThis.process?.env.GRADD_URL ?? "http://127.0.0.1:4242";
const url = `${base}/v1/functions/rosenbrock_javascript`;

// The function is stored once, as text. The annotation says what x is: two doubles.
const source = `
def rosenbrock(x: float64[2]):
    return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2
`;

async function send(method, url, body, type = "application/json") {
  const answer = await fetch(url, { method, body, headers: { "Content-Type": type } });
  if (!answer.ok) throw new Error(`${method} ${url}: ${answer.status} ${await answer.text()}`);
  return answer;
}

// The value at x, and the gradient there.
async function gradient(x) {
  const answer = await (await send("POST", `${url}/gradient`, JSON.stringify({ inputs: { x } }))).json();
  return [answer.value, answer.gradients.x];
}

const distance = (a, b) => Math.hypot(...a.map((v, i) => v - b[i]));

await send("PUT", url, source, "text/plain");
let x = [-1.2, 1], step = 0.001;
let [value, g] = await gradient(x);
while (Math.hypot(...g) > 1e-8) {
  const [lastX, lastG] = [x, g];
  x = x.map((v, i) => v - step * g[i]);
  [value, g] = await gradient(x);
  step = distance(x, lastX) / distance(g, lastG); // how far the point moved for how far the gradient did
}
console.log(`minimum f(${x.map((v) => v.toFixed(6)).join(", ")}) = ${value.toFixed(6)}`);
await send("DELETE", url);
