import { Plus } from "lucide-react";
import type { ReactNode } from "react";
import { Button } from "@/ui/Button";
import { LAYER_LABELS, type Owner } from "./queries";

interface LayerCardProps {
  owner: Owner;
  add: string;
  onAdd: () => void;
  children: ReactNode;
}

/** What is attached to one owner. */
export function LayerCard({ owner, add, onAdd, children }: LayerCardProps) {
  const label = LAYER_LABELS[owner.layer] ?? owner.layer;
  return (
    <section
      aria-label={`${label}: ${owner.name}`}
      className="min-w-0 rounded-lg border border-line bg-surface"
    >
      <div className="flex min-h-11 items-center justify-between gap-3 border-b border-line px-4 py-1.5">
        <h2 className="min-w-0 truncate text-sm">
          <span className="font-semibold">{label}</span>{" "}
          <span className="text-soft" dir="auto">
            {owner.name}
          </span>
        </h2>
        <Button small onClick={onAdd}>
          <Plus aria-hidden className="size-3.5" /> {add}
        </Button>
      </div>
      {children}
    </section>
  );
}
