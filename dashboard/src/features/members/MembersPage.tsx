import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { useState } from "react";
import { useRoles } from "@/api/useRoles";
import { DataTable, type Column } from "@/table/DataTable";
import { Button } from "@/ui/Button";
import { Confirm } from "@/ui/Confirm";
import { Card, Failed, Page, Skeleton } from "@/ui/Page";
import { Tag } from "@/ui/Status";
import { Time } from "@/ui/Time";
import { tell, tellFailure } from "@/ui/Toasts";
import { InviteDialog, InviteLink } from "./InviteDialog";
import { Invites } from "./Invites";
import { membersQuery, useMemberWrites, type Member } from "./queries";
import { RoleMenu } from "./RoleMenu";

const route = getRouteApi("/in/o/$clientId/users");

/** Who belongs to the organisation, and who is asked to. */
export function MembersPage() {
  const { clientId } = route.useParams();
  const { isOwner, userId } = useRoles(clientId);
  const query = useQuery(membersQuery(clientId));
  const [isInviting, setInviting] = useState(false);
  const [token, setToken] = useState<string>();
  const [leaving, setLeaving] = useState<Member>();
  const { setRoles, remove } = useMemberWrites(clientId);
  const columns: Column<Member>[] = [
    {
      id: "name",
      title: "Name",
      cell: (member) => (
        <span dir="auto">
          <span className="font-medium">
            {`${member.firstName} ${member.lastName}`.trim() || member.email}
          </span>
          {member.userId === userId && <span className="text-soft"> (you)</span>}
        </span>
      ),
    },
    { id: "email", title: "E-mail", wide: true, cell: (member) => member.email },
    {
      id: "roles",
      title: "Roles",
      cell: (member) => (
        <span className="flex flex-wrap gap-1">
          {member.roles.map((role) => (
            <Tag key={role}>{role}</Tag>
          ))}
        </span>
      ),
    },
    {
      id: "since",
      title: "Since",
      wide: true,
      right: true,
      cell: (member) => <Time at={member.createdAt} />,
    },
    {
      id: "actions",
      title: "",
      right: true,
      cell: (member) => (
        <RoleMenu
          member={member}
          isOwner={isOwner}
          onRoles={(roles) => setRoles(member.userId, roles).catch(tellFailure)}
          onRemove={() => setLeaving(member)}
        />
      ),
    },
  ];
  return (
    <Page
      title="Users"
      about="Who manages this organisation. Callers of proxies need no account: they have proxy credentials."
      actions={
        <Button kind="primary" onClick={() => setInviting(true)}>
          <Plus aria-hidden className="size-4" /> Invite
        </Button>
      }
    >
      <div className="flex flex-col gap-5">
        <div className="overflow-hidden rounded-lg border border-line bg-surface">
          {query.isError ? (
            <Failed error={query.error} retry={() => void query.refetch()} />
          ) : query.data ? (
            <DataTable
              label="Members"
              rows={query.data.data}
              columns={columns}
              idOf={(member) => member.userId}
            />
          ) : (
            <Skeleton className="m-4 h-32" />
          )}
        </div>
        <Card title="Invites">
          <Invites clientId={clientId} onToken={setToken} />
        </Card>
      </div>
      {isInviting && (
        <InviteDialog
          clientId={clientId}
          isOwner={isOwner}
          onClose={() => setInviting(false)}
          onToken={setToken}
        />
      )}
      {token !== undefined && <InviteLink token={token} onClose={() => setToken(undefined)} />}
      <Confirm
        open={leaving !== undefined}
        title={`Remove ${leaving?.email ?? ""}?`}
        action="Remove"
        onClose={() => setLeaving(undefined)}
        onConfirm={async () => {
          if (!leaving) return;
          await remove(leaving.userId);
          tell(`${leaving.email} is removed`);
        }}
      >
        They lose the organisation with their next request. What they made stays.
      </Confirm>
    </Page>
  );
}
