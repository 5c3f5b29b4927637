import { useState } from "react";
import { Button } from "@/ui/Button";
import { Confirm } from "@/ui/Confirm";
import { tell, tellFailure } from "@/ui/Toasts";
import { useProxyWrites, type Proxy } from "./queries";

interface BulkProxiesProps {
  clientId: string;
  chosen: Proxy[];
  onDone: () => void;
}

/** What can be done to several proxies at once. */
export function BulkProxies({ clientId, chosen, onDone }: BulkProxiesProps) {
  const { change, remove } = useProxyWrites(clientId);
  const [isDeleting, setDeleting] = useState(false);
  const each = async (work: (proxy: Proxy) => Promise<void>, said: string) => {
    for (const proxy of chosen) await work(proxy);
    tell(`${chosen.length === 1 ? "One proxy is" : `${chosen.length} proxies are`} ${said}`);
    onDone();
  };
  const setActive = (proxyActive: boolean) =>
    each(
      ({ proxyId }) => change(proxyId, { proxyActive }),
      proxyActive ? "active" : "inactive",
    ).catch(tellFailure);
  return (
    <>
      <Button small onClick={() => void setActive(true)}>
        Activate
      </Button>
      <Button small onClick={() => void setActive(false)}>
        Deactivate
      </Button>
      <Button small onClick={() => setDeleting(true)}>
        Delete
      </Button>
      <Confirm
        open={isDeleting}
        title={chosen.length === 1 ? "Delete one proxy?" : `Delete ${chosen.length} proxies?`}
        action="Delete"
        onClose={() => setDeleting(false)}
        onConfirm={() => each(({ proxyId }) => remove(proxyId), "deleted")}
      >
        <p>
          With their rules, filters and meters; calls to them are refused at once. Credentials and
          targets stay.
        </p>
        <ul className="mt-2 max-h-40 list-disc overflow-y-auto pl-5">
          {chosen.map(({ proxyId, proxyName }) => (
            <li key={proxyId} className="text-ink">
              {proxyName}
            </li>
          ))}
        </ul>
      </Confirm>
    </>
  );
}
