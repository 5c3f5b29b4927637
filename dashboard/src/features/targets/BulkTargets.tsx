import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { BulkActions } from "@/table/BulkActions";
import { Dependents } from "../proxies/Dependents";
import { usersOfTargets } from "../proxies/queries";
import { useTargetWrites, type Target } from "./queries";

interface BulkTargetsProps {
  clientId: string;
  chosen: Target[];
  onDone: () => void;
}

/** What can be done to several targets at once. */
export function BulkTargets({ clientId, chosen, onDone }: BulkTargetsProps) {
  const [isDeleting, setDeleting] = useState(false);
  const { remove } = useTargetWrites(clientId);
  const ids = chosen.map(({ targetId }) => targetId);
  const { data } = useQuery({ ...usersOfTargets(clientId, ids), enabled: isDeleting });
  const proxies = data ?? [];
  return (
    <BulkActions
      words={["target", "targets"]}
      chosen={chosen.map(({ targetId, targetName }) => ({ id: targetId, name: targetName }))}
      remove={(id) => remove(id, proxies.length > 0)}
      needsWord={proxies.length > 0}
      consequences={
        <Dependents clientId={clientId} proxies={proxies}>
          answer 503 until they get another target:
        </Dependents>
      }
      onDeleting={setDeleting}
      onDone={onDone}
    />
  );
}
