// A receiver of webhooks that believes what the package standardwebhooks believes.
//
//   node receiver.mjs PACKAGES PORT_FILE
//
// PUT /secret (text) says what to check with, PUT /answers (a JSON list) with which statuses the next
// messages to /hook are answered: 0 for none at all, and 204 when none is left. /elsewhere answers
// with a redirect to /hook, /slow never. GET /seen tells what came.
import { renameSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";

const [packages, portFile] = process.argv.slice(2);
const { Webhook } = createRequire(`${packages}/`)("standardwebhooks");

let secret = "";
let answers = [];
const seen = [];

// Null: it is authentic.
function problem(body, headers) {
  try {
    new Webhook(secret).verify(body, headers);
    return null;
  } catch (error) {
    return String(error);
  }
}

function receive(request, response, body) {
  const status = request.url === "/hook" ? (answers.shift() ?? 204) : 302;
  seen.push({
    path: request.url,
    id: request.headers["webhook-id"],
    timestamp: request.headers["webhook-timestamp"],
    contentType: request.headers["content-type"],
    body,
    problem: problem(body, request.headers),
  });
  if (request.url === "/slow") {
    return;
  }
  if (status === 0) {
    request.socket.destroy();
    return;
  }
  response.writeHead(status, { location: "/hook" }).end();
}

const server = createServer(async (request, response) => {
  let body = "";
  for await (const part of request) {
    body += part;
  }
  if (request.method === "POST") {
    receive(request, response, body);
  } else if (request.url === "/seen") {
    response.end(JSON.stringify(seen));
  } else {
    if (request.url === "/secret") {
      secret = body;
    } else {
      answers = JSON.parse(body);
    }
    response.end();
  }
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
writeFileSync(`${portFile}.new`, String(server.address().port));
renameSync(`${portFile}.new`, portFile);
