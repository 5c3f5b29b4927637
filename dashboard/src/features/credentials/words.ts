import type { AuthType, Side } from "./queries";

export const AUTH_TYPES: Record<AuthType, { label: string; about: Partial<Record<Side, string>> }> =
  {
    apiKey: {
      label: "API key",
      about: { proxy: "Callers send a key", target: "A key in a header or in the query" },
    },
    bearer: {
      label: "Bearer token",
      about: { proxy: "Callers send a fixed token", target: "A fixed token" },
    },
    basicAuth: {
      label: "User and password",
      about: { proxy: "HTTP Basic from callers", target: "HTTP Basic" },
    },
    jwt: { label: "JWT, as text", about: { proxy: "One literal JWT", target: "One literal JWT" } },
    jwtVerify: { label: "JWT, verified", about: { proxy: "Any JWT that its issuer signed" } },
    oauth2: {
      label: "OAuth 2.0",
      about: {
        proxy: "Access tokens of your identity provider",
        target: "Tokens that are obtained and refreshed for you",
      },
    },
    customToken: {
      label: "Token exchange",
      about: { target: "Tokens from a request of your own" },
    },
    signedJwt: { label: "Signed JWT", about: { target: "A new JWT for each call" } },
    awsSigV4: { label: "AWS signature", about: { target: "AWS Signature Version 4" } },
    hmac: { label: "HMAC signature", about: { target: "An HMAC over parts of each call" } },
    custom: { label: "Custom", about: { target: "Any headers and query parameters" } },
    none: { label: "None", about: { target: "The target asks for nothing" } },
  };

export function authTypesOf(side: Side): AuthType[] {
  return (Object.keys(AUTH_TYPES) as AuthType[]).filter((type) => AUTH_TYPES[type].about[side]);
}

export const SIDES = {
  proxy: {
    plural: "Proxy Credentials",
    one: "proxy credential",
    about: "What callers present to your proxies. Deleting one shuts its callers out at once.",
    list: "/o/$clientId/proxy-credentials",
    add: "/o/$clientId/proxy-credentials/new",
    detail: "/o/$clientId/proxy-credentials/$credentialId",
  },
  target: {
    plural: "Target Credentials",
    one: "target credential",
    about: "What targets are given in place of the caller's credential. Callers never see them.",
    list: "/o/$clientId/target-credentials",
    add: "/o/$clientId/target-credentials/new",
    detail: "/o/$clientId/target-credentials/$credentialId",
  },
} as const;
