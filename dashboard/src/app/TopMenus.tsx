import { Bell } from "@/features/notifications/Bell";
import { RegionHealth } from "./RegionHealth";
import { UserMenu } from "./UserMenu";

/** What opens from the top bar; loaded beside the first page, which does not wait for it. */
export function TopMenus({ clientId }: { clientId: string }) {
  return (
    <>
      <RegionHealth />
      <Bell clientId={clientId} />
      <UserMenu />
    </>
  );
}
