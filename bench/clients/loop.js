// As loop.go, by Node's https module with a keep-alive agent: HTTP/1.1, and Node repeats nothing by itself.
// Usage: node loop.js URL CA_FILE SERVER_NAME NAME, with the token in BENCH_TOKEN; ends when standard input does.
"use strict";
const fs = require("fs");
const https = require("https");

const [base, caFile, servername, name] = process.argv.slice(2);
const agent = new https.Agent({keepAlive: true, maxSockets: 1, ca: fs.readFileSync(caFile), servername});
const url = `${base}/v1/secret/data/${name}`;
const now = () => (performance.timeOrigin + performance.now()) / 1000;

function call(method, body) {
  const begun = now();
  return new Promise(resolve => {
    const done = (status, said, text) => resolve([{begun, ended: now(), status, said}, text]);
    const failed = error => done(0, String(error), "");
    const request = https.request(url, {method, agent, timeout: 20000, headers: {"X-Vault-Token": process.env.BENCH_TOKEN}}, response => {
      let text = "";
      response.on("data", chunk => { text += chunk; });
      response.on("end", () => done(response.statusCode, response.statusCode < 300 ? "" : text, text));
      response.on("error", failed);
    });
    request.on("error", failed);
    request.on("timeout", () => request.destroy(new Error("no answer in 20 s")));
    request.end(body);
  });
}

function numberIn(text) {
  try {
    return JSON.parse(text).data.data.number || 0;
  } catch {
    return 0;
  }
}

async function loop() {
  let ended = false;
  process.stdin.on("end", () => { ended = true; }).resume();
  for (let acknowledged = 0; !ended;) {
    const number = acknowledged + 1;
    const [wrote] = await call("POST", JSON.stringify({data: {number}}));
    if (wrote.status === 200) acknowledged = number;
    console.log(JSON.stringify({op: "write", number, ...wrote}));
    const [read, text] = await call("GET");
    console.log(JSON.stringify({op: "read", number: numberIn(text), ...read}));
  }
  agent.destroy();
}

loop();
