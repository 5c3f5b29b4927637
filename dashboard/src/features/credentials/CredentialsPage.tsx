import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { KeyRound, Plus, ShieldCheck } from "lucide-react";
import { useMemo, useState } from "react";
import { regionsQuery } from "@/api/session";
import { nameCell } from "@/table/cells";
import type { Column } from "@/table/DataTable";
import { ListFrame, whileNext } from "@/table/ListFrame";
import { listSearch } from "@/table/search";
import { buttonClass } from "@/ui/Button";
import { Empty, Page } from "@/ui/Page";
import { Status, Tag } from "@/ui/Status";
import { Time } from "@/ui/Time";
import { BulkCredentials } from "./BulkCredentials";
import { credentialsQuery, type Credential, type Side } from "./queries";
import { AUTH_TYPES, SIDES } from "./words";

export function ProxyCredentialsPage() {
  return <CredentialsPage side="proxy" />;
}

export function TargetCredentialsPage() {
  return <CredentialsPage side="target" />;
}

function columnsOf(side: Side): Column<Credential>[] {
  const detail = SIDES[side].detail;
  return [
    {
      id: "name",
      title: "Name",
      sort: "name",
      cell: (one) =>
        nameCell(one.credentialName, <Link to={detail} params={one} className="hover:underline" />),
    },
    { id: "status", title: "Status", cell: (one) => <Status word={one.credentialStatus} /> },
    {
      id: "kind",
      title: "Kind",
      wide: true,
      cell: (one) => AUTH_TYPES[one.credentialAuthType].label,
    },
    { id: "region", title: "Region", wide: true, cell: (one) => <Tag>{one.credentialRegion}</Tag> },
    {
      id: "used",
      title: "Last used",
      wide: true,
      right: true,
      cell: (one) => <Time at={one.credentialLastUsedAt} />,
    },
    {
      id: "created",
      title: "Created",
      sort: "createdAt",
      wide: true,
      right: true,
      cell: (one) => <Time at={one.createdAt} />,
    },
  ];
}

function CredentialsPage({ side }: { side: Side }) {
  const { clientId } = useParams({ from: "/in/o/$clientId" });
  const search = listSearch(useSearch({ strict: false }));
  const navigate = useNavigate();
  const [ids, setIds] = useState<Set<string>>(new Set());
  const { plural, one, about, add: addPath, list } = SIDES[side];
  const query = useQuery({ ...credentialsQuery(clientId, side, search), ...whileNext });
  const regions = useQuery(regionsQuery);
  const columns = useMemo(() => columnsOf(side), [side]);
  const add = (
    <Link to={addPath} params={{ clientId }} className={buttonClass("primary")}>
      <Plus aria-hidden className="size-4" /> New {one}
    </Link>
  );
  return (
    <Page title={plural} about={about} actions={add}>
      <ListFrame
        label={plural}
        query={query}
        columns={columns}
        idOf={(credential) => credential.credentialId}
        search={search}
        onSearch={(next) => void navigate({ to: list, params: { clientId }, search: next })}
        regions={regions.data?.data.map((region) => region.regionName)}
        byActive
        selection={{ ids, onChange: setIds }}
        bulk={
          <BulkCredentials
            clientId={clientId}
            side={side}
            chosen={query.data?.data.filter((row) => ids.has(row.credentialId)) ?? []}
            onDone={() => setIds(new Set())}
          />
        }
        empty={
          <Empty
            icon={side === "proxy" ? ShieldCheck : KeyRound}
            title={`No ${plural.toLowerCase()} yet`}
            action={add}
          >
            {side === "proxy"
              ? "Make one for each application that calls: it can then be told apart, limited and shut out by itself."
              : "Store the key, password or OAuth client of an API here, and no caller has to know it any more."}
          </Empty>
        }
      />
    </Page>
  );
}
