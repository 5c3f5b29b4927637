import { Outlet } from "@tanstack/react-router";
import { Page } from "@/ui/Page";
import { Tabs } from "@/ui/Tabs";

/** One's own account. */
export function AccountPage() {
  return (
    <Page narrow title="Your account">
      <Tabs
        label="Your account"
        tabs={[
          { label: "Profile", link: { to: "/me" } },
          { label: "Keys", link: { to: "/me/keys" } },
          { label: "Notifications", link: { to: "/me/notifications" } },
          { label: "Security", link: { to: "/me/security" } },
        ]}
      />
      <Outlet />
    </Page>
  );
}
