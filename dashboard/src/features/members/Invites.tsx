import { useQuery } from "@tanstack/react-query";
import { isPast } from "@/lib/time";
import { textOf } from "@/api/problem";
import { Button } from "@/ui/Button";
import { Skeleton } from "@/ui/Page";
import { Pill, Tag } from "@/ui/Status";
import { Time } from "@/ui/Time";
import { tell, tellFailure } from "@/ui/Toasts";
import { invitesQuery, useMemberWrites } from "./queries";

interface InvitesProps {
  clientId: string;
  onToken: (token: string) => void;
}

export function Invites({ clientId, onToken }: InvitesProps) {
  const query = useQuery(invitesQuery(clientId));
  const { resend, withdraw } = useMemberWrites(clientId);
  if (query.isError) return <p className="text-sm text-bad">{textOf(query.error)}</p>;
  if (!query.data) return <Skeleton className="h-10" />;
  const open = query.data.data.filter((invite) => !invite.acceptedAt);
  if (open.length === 0) return <p className="text-sm text-soft">No invite waits for an answer.</p>;
  const again = async (inviteId: string) => {
    const token = await resend(inviteId);
    if (token !== undefined) onToken(token);
  };
  return (
    <ul className="flex flex-col divide-y divide-line">
      {open.map((invite) => (
        <li
          key={invite.inviteId}
          className="flex flex-wrap items-center gap-3 py-2 text-sm first:pt-0 last:pb-0"
        >
          <span className="min-w-0 flex-1 truncate font-medium">{invite.email}</span>
          {invite.roles.map((role) => (
            <Tag key={role}>{role}</Tag>
          ))}
          {isPast(invite.expiresAt) ? (
            <Pill tone="bad">Expired</Pill>
          ) : (
            <span className="text-xs text-soft">
              ends <Time at={invite.expiresAt} />
            </span>
          )}
          <Button small kind="quiet" onClick={() => again(invite.inviteId).catch(tellFailure)}>
            New link
          </Button>
          <Button
            small
            kind="quiet"
            onClick={() =>
              withdraw(invite.inviteId)
                .then(() => tell("The invite is withdrawn"))
                .catch(tellFailure)
            }
          >
            Withdraw
          </Button>
        </li>
      ))}
    </ul>
  );
}
