import { queryOptions, useQueryClient } from "@tanstack/react-query";
import { api, take, type Schemas } from "@/api/client";

export type Member = Schemas["Listed_MemberResource"]["data"][number];
export type Role = Schemas["MemberResource"]["roles"][number];

export const ROLES: { value: Role; label: string; about: string }[] = [
  { value: "owner", label: "Owner", about: "everything" },
  { value: "admin", label: "Admin", about: "everything but owners and deletion" },
  { value: "user", label: "User", about: "proxies, credentials, targets" },
];

const ALL = { limit: 100 } as const;

export function membersQuery(clientId: string) {
  return queryOptions({
    queryKey: ["organisation", clientId, "members"],
    queryFn: () =>
      take(api.GET("/clients/{clientId}/members", { params: { path: { clientId }, query: ALL } })),
  });
}

export function invitesQuery(clientId: string) {
  return queryOptions({
    queryKey: ["organisation", clientId, "invites"],
    queryFn: () =>
      take(api.GET("/clients/{clientId}/invites", { params: { path: { clientId }, query: ALL } })),
  });
}

export function useMemberWrites(clientId: string) {
  const queries = useQueryClient();
  const changed = () => queries.invalidateQueries({ queryKey: ["organisation", clientId] });
  const member = "/clients/{clientId}/members/{userId}";
  const invite = "/clients/{clientId}/invites/{inviteId}";
  return {
    setRoles: async (userId: string, roles: Role[]) => {
      await take(api.PATCH(member, { params: { path: { clientId, userId } }, body: { roles } }));
      await changed();
    },
    remove: async (userId: string) => {
      await take(api.DELETE(member, { params: { path: { clientId, userId } } }));
      await changed();
    },
    invite: async (body: { email: string; roles: Role[] }) => {
      const path = { clientId };
      const made = await take(api.POST("/clients/{clientId}/invites", { params: { path }, body }));
      await changed();
      return made.inviteToken ?? undefined;
    },
    resend: async (inviteId: string) => {
      const path = { clientId, inviteId };
      const made = await take(api.POST(`${invite}/resend`, { params: { path } }));
      await changed();
      return made.inviteToken ?? undefined;
    },
    withdraw: async (inviteId: string) => {
      await take(api.DELETE(invite, { params: { path: { clientId, inviteId } } }));
      await changed();
    },
  };
}
