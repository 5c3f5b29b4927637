// An OAuth 2 provider where people log in and consent: oidc-provider with its own pages.
//
//   node consent.mjs PACKAGES PORT_FILE REDIRECT_URI
//
// Codes are bound to verifiers, access tokens live ten seconds, refresh tokens are of use once.
// Besides what it is for, it tells at /grants what was shown for tokens, and what came of it.
import { renameSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [packages, portFile, redirectUri] = process.argv.slice(2);
const entry = createRequire(`${packages}/`).resolve("oidc-provider");
const { Provider } = await import(pathToFileURL(entry));

let provider;
const grants = [];
const server = createServer((request, response) => {
  if (request.url === "/grants") {
    response.end(JSON.stringify(grants));
  } else {
    provider(request, response);
  }
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const { port } = server.address();
const made = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    {
      client_id: "gateway",
      client_secret: "canary-client-secret",
      grant_types: ["authorization_code", "refresh_token"],
      redirect_uris: [redirectUri],
      response_types: ["code"],
    },
  ],
  pkce: { required: () => true },
  rotateRefreshToken: true,
  ttl: { AccessToken: 10, AuthorizationCode: 60, RefreshToken: 3600, Grant: 3600, Session: 3600 },
});
const note = (outcome) => (ctx, error) => {
  const { grant_type: grant } = ctx.oidc?.params ?? {};
  grants.push({ grant, outcome: error?.error ?? outcome });
};
made.on("grant.success", note("token"));
made.on("grant.error", note("error"));
provider = made.callback();
writeFileSync(`${portFile}.new`, String(port));
renameSync(`${portFile}.new`, portFile);
