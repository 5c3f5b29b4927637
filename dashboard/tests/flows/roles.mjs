import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { watch } from "../watch.mjs";
import { OF_ACCOUNT, OF_ORGANISATION, OF_PROXY } from "./every-page.mjs";

const PASSWORD = "nine slow herons count boats";
/** What only those who look after an organisation see. */
const FOR_MANAGERS = ["/users", "/audit", "/usage"];

/** Every page as an admin and as a user: each is shown, or says that the role does not show it. */
export async function roles(page, { address }) {
  const app = address.slice(0, address.indexOf("/o/"));
  const organisation = address.slice(0, address.indexOf("/proxies/"));
  const pages = [
    ...OF_ORGANISATION.map((path) => [organisation + path, path]),
    ...OF_PROXY.map((path) => [address + path, path]),
    ...OF_ACCOUNT.map((path) => [app + path, path]),
  ];
  await Promise.all(
    ["admin", "user"].map(async (role) => {
      const context = await page.context().browser().newContext();
      const tab = await context.newPage();
      const seen = watch(tab);
      await join(page, tab, { app, organisation, role });
      for (const [to, path] of pages) {
        await tab.goto(to);
        const main = tab.getByRole("main");
        await main.getByRole("heading").first().waitFor();
        await tab.waitForFunction(() => document.querySelectorAll(".animate-pulse").length === 0);
        const closed = await main.getByText("Your role does not show this").count();
        const isClosed = role === "user" && FOR_MANAGERS.includes(path);
        const isOwn = to.startsWith(organisation) && !to.startsWith(address);
        if (isOwn) assert.equal(closed > 0, isClosed, `${role} at ${path}`);
        const broken = await main.getByText("This could not be loaded").count();
        assert.equal(broken, 0, `${role} at ${path}`);
      }
      await tab.goto(`${organisation}/settings`);
      await tab.getByRole("region", { name: "Plan" }).waitFor();
      const form = tab.getByRole("main").getByRole("button", { name: "Save" });
      const menu = tab.getByRole("navigation", { name: "Main" });
      const audit = menu.getByRole("link", { name: "Audit" });
      if (role === "admin") await Promise.all([form.waitFor(), audit.waitFor()]);
      else assert.deepEqual([await form.count(), await audit.count()], [0, 0]);
      assert.deepEqual(seen, { violations: [], errors: [] });
      await context.close();
    }),
  );
}

/** Somebody new with that role, signed in at `tab`. */
async function join(page, tab, { app, organisation, role }) {
  const email = `${role}-${randomUUID().slice(0, 8)}@example.com`;
  const client = new URL(organisation).pathname.replace("/app/o/", "/clients/");
  const { inviteToken } = await post(page, `${client}/invites`, { email, roles: [role] });
  // At the browser of nobody: with a session one would accept as oneself.
  await tab.goto(`${app}/sign-in`);
  const person = { firstName: "Some", lastName: role, password: PASSWORD };
  await post(tab, "/invites/accept", { ...person, inviteToken });
  await tab.getByLabel("E-mail").fill(email);
  await tab.getByLabel("Password").fill(PASSWORD);
  await tab.getByRole("button", { name: "Sign in" }).click();
  await tab.waitForURL(/\/o\//);
}

async function post(page, path, body) {
  const [status, answer] = await page.evaluate(
    async ([path, body]) => {
      const headers = { "content-type": "application/json" };
      const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
      return [answer.status, await answer.json().catch(() => null)];
    },
    [path, body],
  );
  assert.ok(status < 300, `${path}: ${status} ${JSON.stringify(answer)}`);
  return answer;
}
