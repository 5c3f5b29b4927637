import { Dialog } from "@base-ui/react/dialog";
import { Sidebar } from "./Sidebar";

interface SidebarDrawerProps {
  clientId: string;
  isManager: boolean;
  open: boolean;
  onOpen: (open: boolean) => void;
}

/** The sidebar of narrow screens, over the page. */
export function SidebarDrawer({ clientId, isManager, open, onOpen }: SidebarDrawerProps) {
  return (
    <Dialog.Root open={open} onOpenChange={onOpen}>
      <Dialog.Portal>
        <Dialog.Backdrop className="fixed inset-0 z-40 bg-shade" />
        <Dialog.Popup
          aria-label="Menu"
          className="fixed inset-y-0 left-0 z-40 w-64 border-r border-line bg-canvas shadow-lift outline-none"
        >
          <Sidebar clientId={clientId} isManager={isManager} onNavigate={() => onOpen(false)} />
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
