import { useQuery } from "@tanstack/react-query";
import { Confirm } from "@/ui/Confirm";
import { tell } from "@/ui/Toasts";
import { usersOfTargets } from "../proxies/queries";
import { Dependents } from "../proxies/Dependents";
import { useTargetWrites, type Target } from "./queries";

interface DeleteTargetProps {
  clientId: string;
  target: Target;
  open: boolean;
  onClose: () => void;
  onDeleted: () => void;
}

export function DeleteTarget({ clientId, target, open, onClose, onDeleted }: DeleteTargetProps) {
  const { remove } = useTargetWrites(clientId);
  const { data } = useQuery({ ...usersOfTargets(clientId, [target.targetId]), enabled: open });
  const proxies = data ?? [];
  return (
    <Confirm
      open={open}
      title={`Delete ${target.targetName}?`}
      action="Delete target"
      name={proxies.length > 0 ? target.targetName : undefined}
      onClose={onClose}
      onConfirm={async () => {
        await remove(target.targetId, proxies.length > 0);
        tell(`${target.targetName} is deleted`);
        onDeleted();
      }}
    >
      <Dependents clientId={clientId} proxies={proxies}>
        answer 503 until they get another target:
      </Dependents>
    </Confirm>
  );
}
