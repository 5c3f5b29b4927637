import { useQuery } from "@tanstack/react-query";
import { api, take } from "./client";
import { Problem } from "./problem";
import { sessionQuery } from "./session";

/** What one is in an organisation. Only how pages look hangs on it: the API decides what one may. */
export function useRoles(clientId: string) {
  const session = useQuery(sessionQuery);
  const userId = session.data?.userId ?? "";
  const { data } = useQuery({
    queryKey: ["organisation", clientId, "own-roles", userId],
    enabled: userId !== "",
    staleTime: 60_000,
    queryFn: () => ownRoles(clientId, userId),
  });
  const roles = data ?? [];
  const isOwner = roles.includes("owner");
  return {
    userId,
    isKnown: data !== undefined,
    isOwner,
    isManager: isOwner || roles.includes("admin"),
  };
}

async function ownRoles(clientId: string, userId: string): Promise<string[]> {
  try {
    const path = { clientId, userId };
    return (await take(api.GET("/clients/{clientId}/members/{userId}", { params: { path } })))
      .roles;
  } catch (error) {
    // Who is neither owner nor admin sees no members, not even themselves.
    if (error instanceof Problem && error.status === 403) return ["user"];
    throw error;
  }
}
