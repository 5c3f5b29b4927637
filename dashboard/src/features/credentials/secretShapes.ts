/** What secrets are made of, for forms: one list of fields for each way to write one. */
import type { AuthType, Side } from "./queries";

export interface SecretField {
  /** In `credentialSecret`; dots lead into objects. */
  path: string;
  label: string;
  /** `list`: separated by blanks or commas. `pairs`: `Name: value` lines. `json`: any value. */
  kind: "text" | "secret" | "area" | "list" | "pairs" | "json" | "choice";
  choices?: string[];
  optional?: boolean;
  help?: string;
  placeholder?: string;
}

export interface SecretShape {
  id: string;
  label: string;
  fields: SecretField[];
}

const text = (path: string, label: string, more: Partial<SecretField> = {}): SecretField => ({
  path,
  label,
  kind: "text",
  ...more,
});
const optional = { optional: true } as const;
const secret = { kind: "secret" } as const;

const CLAIMS: SecretField[] = [
  text("audience", "Audience", {
    kind: "list",
    ...optional,
    help: "One of these must be in `aud`.",
  }),
  text("algorithms", "Algorithms", { kind: "list", ...optional, placeholder: "RS256 ES256" }),
  text("requiredClaims", "Required claims", {
    kind: "json",
    ...optional,
    placeholder: '{"tenant": "acme"}',
  }),
];
const SCOPES = text("requiredScopes", "Required scopes", { kind: "list", ...optional });
const ISSUER = text("issuer", "Issuer", { placeholder: "https://login.example.com" });

const VERIFIED: SecretShape[] = [
  { id: "issuer", label: "By discovery from its issuer", fields: [ISSUER, ...CLAIMS] },
  {
    id: "jwksUri",
    label: "By a key set (JWKS)",
    fields: [
      text("jwksUri", "Address of the key set", { placeholder: "https://…/jwks.json" }),
      { ...ISSUER, ...optional },
      ...CLAIMS,
    ],
  },
  {
    id: "publicKey",
    label: "By a public key",
    fields: [
      text("publicKey", "Public key", { kind: "area", placeholder: "-----BEGIN PUBLIC KEY-----" }),
      { ...ISSUER, ...optional },
      ...CLAIMS,
    ],
  },
  {
    id: "sharedSecret",
    label: "By a shared secret",
    fields: [
      text("sharedSecret", "Shared secret", { ...secret, help: "Text, or base64: before bytes." }),
      { ...ISSUER, ...optional },
      ...CLAIMS,
    ],
  },
];

const TOKEN = text("token", "Token", secret);
const BEARER: SecretShape[] = [
  {
    id: "bearer",
    label: "Bearer token",
    fields: [TOKEN, text("prefix", "Prefix", { ...optional, placeholder: "Bearer " })],
  },
];
const BASIC: SecretShape[] = [
  {
    id: "basicAuth",
    label: "User and password",
    fields: [text("username", "User"), text("password", "Password", secret)],
  },
];
const JWT: SecretShape[] = [{ id: "jwt", label: "JWT", fields: [TOKEN] }];
const JSON_ONLY = (placeholder: string): SecretShape[] => [
  {
    id: "json",
    label: "As JSON",
    fields: [text("", "Secret, as JSON", { kind: "json", placeholder })],
  },
];

const CLIENT = [text("clientId", "Client id"), text("clientSecret", "Client secret", secret)];
const GRANT: SecretField[] = [
  text("scopes", "Scopes", { kind: "list", ...optional }),
  text("audience", "Audience", optional),
  text("clientAuth", "Client authentication", {
    kind: "choice",
    choices: ["basic", "post"],
    ...optional,
  }),
  text("extraParams", "Extra parameters", { kind: "json", ...optional, placeholder: "{}" }),
];
const TOKEN_URL = text("tokenUrl", "Token URL", { placeholder: "https://…/oauth/token" });

const OAUTH: SecretShape[] = [
  {
    id: "client_credentials",
    label: "Client credentials",
    fields: [TOKEN_URL, ...CLIENT, ...GRANT],
  },
  {
    id: "authorization_code",
    label: "Authorization code (somebody consents)",
    fields: [
      text("authorizationUrl", "Authorization URL", { placeholder: "https://…/oauth/authorize" }),
      TOKEN_URL,
      ...CLIENT,
      ...GRANT,
    ],
  },
  {
    id: "refresh_token",
    label: "Refresh token",
    fields: [TOKEN_URL, text("refreshToken", "Refresh token", secret), ...CLIENT, ...GRANT],
  },
  {
    id: "password",
    label: "Password",
    fields: [
      TOKEN_URL,
      text("username", "User"),
      text("password", "Password", secret),
      ...CLIENT,
      ...GRANT,
    ],
  },
  ...JSON_ONLY('{"grantType": "jwt_bearer", …}'),
];

const PROXY: Partial<Record<AuthType, SecretShape[]>> = {
  apiKey: [
    {
      id: "key",
      label: "API key",
      fields: [
        text("key", "Key", {
          ...secret,
          ...optional,
          help: "Empty: a strong key is made and shown once.",
        }),
      ],
    },
  ],
  bearer: BEARER,
  basicAuth: BASIC,
  jwt: JWT,
  jwtVerify: VERIFIED,
  oauth2: [
    ...VERIFIED.map((shape) => ({ ...shape, fields: [...shape.fields, SCOPES] })),
    {
      id: "introspection",
      label: "By asking its server (introspection)",
      fields: [
        text("introspectionUrl", "Introspection URL", { placeholder: "https://…/introspect" }),
        ...CLIENT,
        SCOPES,
      ],
    },
  ],
};

const TARGET: Partial<Record<AuthType, SecretShape[]>> = {
  apiKey: [
    {
      id: "key",
      label: "API key",
      fields: [
        text("key", "Key", secret),
        text("location", "Goes into", {
          kind: "choice",
          choices: ["header", "query"],
          ...optional,
        }),
        text("name", "Name there", { ...optional, placeholder: "Authorization" }),
        text("prefix", "Prefix", optional),
      ],
    },
  ],
  bearer: BEARER,
  basicAuth: BASIC,
  jwt: JWT,
  oauth2: OAUTH,
  custom: [
    {
      id: "custom",
      label: "Headers and query parameters",
      fields: [
        text("headers", "Headers", { kind: "pairs", ...optional, placeholder: "X-Api-Key: abc" }),
        text("query", "Query parameters", { kind: "pairs", ...optional, placeholder: "key: abc" }),
      ],
    },
  ],
  awsSigV4: [
    {
      id: "aws",
      label: "AWS",
      fields: [
        text("accessKeyId", "Access key id"),
        text("secretAccessKey", "Secret access key", secret),
        text("region", "AWS region", { placeholder: "eu-west-1" }),
        text("service", "Service", { placeholder: "execute-api" }),
        text("sessionToken", "Session token", { ...secret, ...optional }),
      ],
    },
  ],
  hmac: [
    {
      id: "hmac",
      label: "HMAC",
      fields: [
        text("key", "Key", secret),
        text("stringToSign", "Text to sign", { placeholder: "{method}\\n{path}" }),
        text("header", "Goes into header", { placeholder: "X-Signature" }),
        text("hash", "Hash", { kind: "choice", choices: ["sha256", "sha512"], ...optional }),
        text("encoding", "Written as", { kind: "choice", choices: ["hex", "base64"], ...optional }),
        text("prefix", "Prefix", optional),
      ],
    },
  ],
  signedJwt: JSON_ONLY('{"algorithm": "HS256", "sharedSecret": "…", "claims": {}}'),
  customToken: JSON_ONLY('{"request": {"url": "https://…"}, "response": {"tokenPath": "$.token"}}'),
  none: [{ id: "none", label: "None", fields: [] }],
};

/** The ways to write a secret; the first is the usual one. */
export function shapesOf(side: Side, authType: AuthType): SecretShape[] {
  return (side === "proxy" ? PROXY : TARGET)[authType] ?? [];
}
