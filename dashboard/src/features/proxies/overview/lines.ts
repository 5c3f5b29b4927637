import type { AuthType } from "@/features/credentials/queries";

export const LANGUAGES = ["curl", "JavaScript", "Python", "Go", "Java"] as const;

export type Language = (typeof LANGUAGES)[number];

interface Call {
  url: string;
  authorization: string;
}

/** What a caller sends as `Authorization`, with `$CREDENTIAL` for the secret in it. */
export function authorizationOf(type: AuthType | undefined): string {
  switch (type) {
    case "bearer":
    case "jwtVerify":
    case "oauth2":
      return "Bearer $CREDENTIAL";
    case "basicAuth":
      return "Basic $CREDENTIAL";
    default:
      return "$CREDENTIAL";
  }
}

/** A call that can be pasted. The address is one of ours: it needs no quoting. */
export function lineIn(language: Language, { url, authorization }: Call): string {
  const code = authorization.replace("$CREDENTIAL", "");
  switch (language) {
    case "curl":
      return `curl -i "${url}" \\\n  -H "Authorization: ${authorization}"`;
    case "JavaScript":
      return `const answer = await fetch("${url}", {
  headers: { Authorization: \`${code}\${process.env.CREDENTIAL}\` },
});
console.log(answer.status, await answer.text());`;
    case "Python":
      return `import os, requests

answer = requests.get(
    "${url}",
    headers={"Authorization": f"${code}{os.environ['CREDENTIAL']}"},
)
print(answer.status_code, answer.text)`;
    case "Go":
      return `request, _ := http.NewRequest("GET", "${url}", nil)
request.Header.Set("Authorization", "${code}"+os.Getenv("CREDENTIAL"))
answer, err := http.DefaultClient.Do(request)`;
    case "Java":
      return `var request = HttpRequest.newBuilder(URI.create("${url}"))
    .header("Authorization", "${code}" + System.getenv("CREDENTIAL"))
    .build();
var answer = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());`;
  }
}
