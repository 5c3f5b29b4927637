import { Link } from "@tanstack/react-router";
import { Check } from "lucide-react";
import { buttonClass } from "@/ui/Button";
import { cx } from "@/ui/cx";
import { Card } from "@/ui/Page";

interface Counts {
  proxies: number | undefined;
  presented: number | undefined;
  targets: number | undefined;
}

const STEPS = [
  {
    id: "targets",
    to: "/o/$clientId/targets/new",
    title: "Name a target",
    about: "The base URL of the API that you want to call.",
    verb: "New target",
  },
  {
    id: "presented",
    to: "/o/$clientId/proxy-credentials/new",
    title: "Make a proxy credential",
    about: "The key with which your application calls. It is shown once.",
    verb: "New credential",
  },
  {
    id: "proxies",
    to: "/o/$clientId/proxies/new",
    title: "Bind them in a proxy",
    about: "With what the target is given. Then a line to paste calls it.",
    verb: "New proxy",
  },
] as const;

/** The way to a first call, ticked off as it goes. */
export function FirstProxy({ clientId, counts }: { clientId: string; counts: Counts }) {
  const next = STEPS.findIndex(({ id }) => counts[id] === 0);
  return (
    <Card title="Your first proxy in three steps">
      <ol className="grid gap-3 md:grid-cols-3">
        {STEPS.map((step, index) => {
          const isDone = (counts[step.id] ?? 0) > 0;
          return (
            <li
              key={step.id}
              className={cx(
                "flex flex-col gap-1 rounded-md border p-4",
                index === next ? "border-accent" : "border-line",
              )}
            >
              <span className="flex items-center gap-2 text-sm font-medium">
                <span
                  className={cx(
                    "grid size-5 place-items-center rounded-full text-xs tabular",
                    isDone ? "bg-ok-soft text-ok" : "bg-sunken text-soft",
                  )}
                >
                  {isDone ? <Check aria-label="done" className="size-3.5" /> : index + 1}
                </span>
                {step.title}
              </span>
              <span className="mb-3 flex-1 text-sm text-soft">{step.about}</span>
              <Link
                to={step.to}
                params={{ clientId }}
                className={cx(buttonClass(index === next ? "primary" : "plain"), "self-start")}
              >
                {step.verb}
              </Link>
            </li>
          );
        })}
      </ol>
    </Card>
  );
}
