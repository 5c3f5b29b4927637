import { useQuery } from "@tanstack/react-query";
import { Outlet, useParams } from "@tanstack/react-router";
import { Menu as MenuIcon } from "lucide-react";
import { lazy, Suspense, useEffect, useState } from "react";
import { organisationsQuery } from "@/api/session";
import { useRoles } from "@/api/useRoles";
import { PaletteTrigger } from "@/features/palette/PaletteTrigger";
import { SessionKeeper } from "@/features/session/SessionKeeper";
import { lastOrganisation, setLastOrganisation } from "@/lib/preferences";
import { Sidebar } from "./Sidebar";
import { useIdle } from "./useIdle";

// What opens over pages is loaded when the first one is there.
const TopMenus = lazy(async () => ({ default: (await import("./TopMenus")).TopMenus }));
const SidebarDrawer = lazy(async () => ({
  default: (await import("./SidebarDrawer")).SidebarDrawer,
}));

/** What stands around every page of who is signed in. */
export function Shell({ clientId }: { clientId: string }) {
  // Undefined: it was never opened, so it is not loaded.
  const [isOpen, setOpen] = useState<boolean>();
  const isIdle = useIdle();
  const { isManager } = useRoles(clientId);
  return (
    <div className="min-h-dvh lg:grid lg:grid-cols-[15rem_minmax(0,1fr)]">
      <a
        href="#content"
        className="sr-only z-50 rounded-md bg-solid px-3 py-2 text-sm text-on-solid focus:not-sr-only focus:fixed focus:top-2 focus:left-2"
      >
        Skip to the content
      </a>
      <aside className="sticky top-0 hidden h-dvh border-r border-line bg-canvas lg:block">
        <Sidebar clientId={clientId} isManager={isManager} />
      </aside>
      <div className="flex min-w-0 flex-col">
        <header className="sticky top-0 z-20 flex h-12 items-center gap-3 border-b border-line bg-canvas/90 px-4 backdrop-blur sm:px-8">
          <button
            type="button"
            aria-label="Menu"
            aria-haspopup="dialog"
            aria-expanded={isOpen ?? false}
            onClick={() => setOpen(true)}
            className="-ml-1.5 rounded-md p-1.5 text-soft hover:bg-hover lg:hidden"
          >
            <MenuIcon aria-hidden className="size-4.5" />
          </button>
          <Suspense>
            {isOpen !== undefined && (
              <SidebarDrawer
                clientId={clientId}
                isManager={isManager}
                open={isOpen}
                onOpen={setOpen}
              />
            )}
          </Suspense>
          <PaletteTrigger clientId={clientId} />
          <div className="flex-1" />
          <Suspense>{isIdle && <TopMenus clientId={clientId} />}</Suspense>
        </header>
        <main id="content" className="min-w-0 flex-1">
          <Outlet />
        </main>
      </div>
      <SessionKeeper />
    </div>
  );
}

/** One's own account stands beside the organisation that was the last. */
export function AccountShell() {
  const { data } = useQuery(organisationsQuery);
  const kept = data?.data.find((one) => one.clientId === lastOrganisation()) ?? data?.data[0];
  return kept ? <Shell clientId={kept.clientId} /> : <Outlet />;
}

export function OrganisationShell() {
  const { clientId } = useParams({ from: "/in/o/$clientId" });
  useEffect(() => setLastOrganisation(clientId), [clientId]);
  return <Shell key={clientId} clientId={clientId} />;
}
