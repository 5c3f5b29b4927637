import { expect, test } from "vitest";
import { authorizationOf, LANGUAGES, lineIn } from "./lines";

test("every language sends the credential to the address, as its kind is presented", () => {
  for (const language of LANGUAGES) {
    const line = lineIn(language, { url: "https://r/api/1/", authorization: "Bearer $CREDENTIAL" });
    expect(line, language).toContain("https://r/api/1/");
    expect(line, language).toMatch(/Bearer .*CREDENTIAL/);
  }
  expect(authorizationOf("apiKey")).toBe("$CREDENTIAL");
  expect(authorizationOf("basicAuth")).toBe("Basic $CREDENTIAL");
});
