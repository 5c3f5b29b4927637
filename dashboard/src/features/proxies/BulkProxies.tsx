import { BulkActions } from "@/table/BulkActions";
import { useProxyWrites, type Proxy } from "./queries";

interface BulkProxiesProps {
  clientId: string;
  chosen: Proxy[];
  onDone: () => void;
}

/** What can be done to several proxies at once. */
export function BulkProxies({ clientId, chosen, onDone }: BulkProxiesProps) {
  const { change, remove } = useProxyWrites(clientId);
  return (
    <BulkActions
      words={["proxy", "proxies"]}
      chosen={chosen.map(({ proxyId, proxyName }) => ({ id: proxyId, name: proxyName }))}
      activate={(id, proxyActive) => change(id, { proxyActive })}
      remove={remove}
      consequences={
        <p>
          With their rules, filters and meters; calls to them are refused at once. Credentials and
          targets stay.
        </p>
      }
      onDone={onDone}
    />
  );
}
