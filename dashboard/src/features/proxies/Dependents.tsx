import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Proxy } from "./queries";

interface DependentsProps {
  clientId: string;
  proxies: Proxy[];
  /** What becomes of them. */
  children: ReactNode;
}

/** The proxies that use what is about to be deleted. */
export function Dependents({ clientId, proxies, children }: DependentsProps) {
  if (proxies.length === 0) return <p>No proxy uses it. This cannot be undone.</p>;
  return (
    <>
      <p>
        {proxies.length === 1
          ? "One proxy uses it and will"
          : `${proxies.length} proxies use it and will`}{" "}
        {children}
      </p>
      <ul className="mt-2 max-h-40 list-disc overflow-y-auto pl-5">
        {proxies.map(({ proxyId, proxyName }) => (
          <li key={proxyId}>
            <Link
              to="/o/$clientId/proxies/$proxyId"
              params={{ clientId, proxyId }}
              className="font-medium text-ink hover:underline"
            >
              {proxyName}
            </Link>
          </li>
        ))}
      </ul>
    </>
  );
}
