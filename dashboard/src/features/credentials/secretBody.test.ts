import { expect, test } from "vitest";
import type { AuthType, Side } from "./queries";
import { bodyOf, problemsOf, type Written } from "./secretBody";
import { shapesOf } from "./secretShapes";
import { authTypesOf } from "./words";

function shape(side: Side, type: AuthType, id?: string) {
  const found = shapesOf(side, type).find((one) => id === undefined || one.id === id);
  if (!found) throw new Error(`no shape ${side} ${type} ${id ?? ""}`);
  return found;
}

test("every kind of credential has a form", () => {
  for (const side of ["proxy", "target"] as const) {
    for (const type of authTypesOf(side)) expect(shapesOf(side, type), type).not.toHaveLength(0);
  }
});

test("what is written becomes the secret that the API takes", () => {
  const cases: [Side, AuthType, string | undefined, Written, unknown][] = [
    ["proxy", "apiKey", undefined, {}, undefined],
    ["proxy", "apiKey", undefined, { key: "k" }, { key: "k" }],
    ["target", "none", undefined, {}, undefined],
    ["target", "bearer", undefined, { token: " t ", prefix: "" }, { token: " t " }],
    [
      "proxy",
      "jwtVerify",
      "issuer",
      { issuer: "https://i", audience: "a, b", requiredClaims: '{"x":1}' },
      { issuer: "https://i", audience: ["a", "b"], requiredClaims: { x: 1 } },
    ],
    [
      "target",
      "oauth2",
      "client_credentials",
      { tokenUrl: "https://t", clientId: "c", clientSecret: "s", scopes: "r w" },
      {
        tokenUrl: "https://t",
        clientId: "c",
        clientSecret: "s",
        scopes: ["r", "w"],
        grantType: "client_credentials",
      },
    ],
    [
      "target",
      "custom",
      undefined,
      { headers: "X-A: 1\n\nX-B: a: b" },
      { headers: { "X-A": "1", "X-B": "a: b" } },
    ],
    ["target", "hmac", undefined, { key: "k" }, { key: "k" }],
    ["target", "signedJwt", undefined, { json: '{"algorithm":"HS256"}' }, { algorithm: "HS256" }],
  ];
  for (const [side, type, id, written, want] of cases) {
    expect(bodyOf(type, shape(side, type, id), written), type).toEqual(want);
  }
});

test("what is missing or no JSON is said beside its field", () => {
  expect(problemsOf(shape("target", "basicAuth"), { username: "u" })).toEqual({
    password: "Password is missing.",
  });
  expect(problemsOf(shape("target", "customToken"), { json: "{" })).toHaveProperty("json");
  expect(problemsOf(shape("target", "custom"), { headers: "no colon" })).toHaveProperty("headers");
  expect(problemsOf(shape("proxy", "apiKey"), {})).toEqual({});
});
