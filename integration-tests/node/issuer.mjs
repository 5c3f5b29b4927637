// An OpenID Connect issuer whose access tokens are JWTs, and opaque for https://opaque.example:
// oidc-provider, with a client that asks for itself, and about tokens.
//
//   node issuer.mjs PACKAGES PORT_FILE
//
// Besides what it is for, it listens to POST /roll (another key from now on, and no other) and
// POST /hold and /release (whoever asks for keys in between waits), and tells at /asked how often its
// keys were asked for, at /introspected how often it was asked about tokens.
import { generateKeyPairSync } from "node:crypto";
import { renameSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [packages, portFile] = process.argv.slice(2);
const entry = createRequire(`${packages}/`).resolve("oidc-provider");
const { Provider } = await import(pathToFileURL(entry));

let keys = 0;
function key() {
  keys += 1;
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return { ...privateKey.export({ format: "jwk" }), kid: `key-${keys}`, use: "sig", alg: "ES256" };
}

function provider(issuer) {
  return new Provider(issuer, {
    jwks: { keys: [key()] },
    clients: [
      {
        client_id: "caller",
        client_secret: "caller-secret",
        id_token_signed_response_alg: "ES256",
        grant_types: ["client_credentials"],
        redirect_uris: [],
        response_types: [],
      },
    ],
    scopes: ["read", "write"],
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => "https://api.example",
        getResourceServerInfo: (_, resource) => ({
          scope: "read write",
          audience: resource,
          accessTokenFormat: resource === "https://opaque.example" ? "opaque" : "jwt",
          jwt: { sign: { alg: "ES256" } },
        }),
      },
      introspection: { enabled: true },
      revocation: { enabled: true },
    },
  });
}

let answer;
let asked = 0;
let introspected = 0;
let held;
function hold() {
  held = [];
}
function release() {
  const waiting = held ?? [];
  held = undefined;
  for (const [request, response] of waiting) answer(request, response);
}
const server = createServer((request, response) => {
  if (request.method === "POST" && request.url === "/roll") {
    answer = provider(issuer).callback();
    response.end();
  } else if (request.method === "POST" && ["/hold", "/release"].includes(request.url)) {
    (request.url === "/hold" ? hold : release)();
    response.end();
  } else if (request.url === "/asked") {
    response.end(String(asked));
  } else if (request.url === "/introspected") {
    response.end(String(introspected));
  } else {
    const isOfKeys = request.url === "/jwks";
    asked += isOfKeys ? 1 : 0;
    introspected += request.url === "/token/introspection" ? 1 : 0;
    if (isOfKeys && held) held.push([request, response]);
    else answer(request, response);
  }
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const { port } = server.address();
const issuer = `http://127.0.0.1:${port}`;
answer = provider(issuer).callback();
writeFileSync(`${portFile}.new`, String(port));
renameSync(`${portFile}.new`, portFile);
