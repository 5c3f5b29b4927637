// An OpenID provider where people sign in, with groups: oidc-provider with its own pages.
//
//   node sso.mjs PACKAGES PORT_FILE REDIRECT_URI...
//
// Whoever logs in as NAME is NAME@example.com. POST /groups?NAME=GROUP says in which group somebody
// is from now on (empty: in none), POST /roll gives it another key, and no other.
import { generateKeyPairSync } from "node:crypto";
import { renameSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [packages, portFile, ...redirectUris] = process.argv.slice(2);
const entry = createRequire(`${packages}/`).resolve("oidc-provider");
const { Provider } = await import(pathToFileURL(entry));

let keys = 0;
function key() {
  keys += 1;
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return { ...privateKey.export({ format: "jwk" }), kid: `key-${keys}`, use: "sig", alg: "ES256" };
}

const groups = new Map();
function account(name) {
  return {
    accountId: name,
    claims: () => ({
      sub: name,
      email: `${name}@example.com`,
      email_verified: true,
      given_name: name,
      family_name: "Example",
      groups: [groups.get(name)].filter(Boolean),
    }),
  };
}

function provider(issuer) {
  return new Provider(issuer, {
    jwks: { keys: [key()] },
    clients: [
      {
        client_id: "gateway",
        client_secret: "canary-client-secret",
        id_token_signed_response_alg: "ES256",
        grant_types: ["authorization_code"],
        redirect_uris: redirectUris,
        response_types: ["code"],
      },
    ],
    claims: {
      email: ["email", "email_verified"],
      profile: ["given_name", "family_name"],
      groups: ["groups"],
    },
    findAccount: (_, name) => account(name),
    features: { rpInitiatedLogout: { enabled: true } },
    pkce: { required: () => true },
  });
}

let answer;
const server = createServer((request, response) => {
  const url = new URL(request.url, issuer);
  if (request.method === "POST" && url.pathname === "/groups") {
    for (const [name, group] of url.searchParams) groups.set(name, group);
    response.end();
  } else if (request.method === "POST" && url.pathname === "/roll") {
    answer = provider(issuer).callback();
    response.end();
  } else {
    answer(request, response);
  }
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const { port } = server.address();
const issuer = `http://127.0.0.1:${port}`;
answer = provider(issuer).callback();
writeFileSync(`${portFile}.new`, String(port));
renameSync(`${portFile}.new`, portFile);
