import { Tabs } from "@/ui/Tabs";

export function DashboardTabs({ clientId }: { clientId: string }) {
  const params = { clientId };
  return (
    <Tabs
      label="Dashboard"
      tabs={[
        { label: "Home", link: { to: "/o/$clientId", params } },
        { label: "Performance", link: { to: "/o/$clientId/performance", params } },
        { label: "Notifications", link: { to: "/o/$clientId/notifications", params } },
      ]}
    />
  );
}
