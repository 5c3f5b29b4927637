import { useQuery } from "@tanstack/react-query";
import { api, take } from "@/api/client";
import { Problem } from "@/api/problem";
import { DataTable, type Column } from "@/table/DataTable";
import type { Schemas } from "@/api/client";
import { Card, Facts, Failed } from "@/ui/Page";
import { Pill, type Tone } from "@/ui/Status";
import { Time } from "@/ui/Time";

type Entry = Schemas["BillingEntryResource"];

const WORDS: Record<string, { tone: Tone; text: string }> = {
  ok: { tone: "ok", text: "Enough left" },
  low: { tone: "warn", text: "Low" },
  suspended: { tone: "bad", text: "Calls end with 402" },
};

/** What was paid and what is left; nothing where billing is off, or for whom it is not. */
export function BillingCard({ clientId }: { clientId: string }) {
  const { data, error, refetch } = useQuery({
    queryKey: ["organisation", clientId, "billing"],
    queryFn: () => take(api.GET("/clients/{clientId}/billing", { params: { path: { clientId } } })),
    refetchInterval: ({ state }) => (state.data ? 30_000 : false),
  });
  const isNotHere = error instanceof Problem && [403, 404].includes(error.status);
  if (isNotHere) return null;
  if (error) return <Failed error={error} retry={() => void refetch()} />;
  if (!data) return null;
  const { balance, currency, status, spentThisMonth, prices, entries } = data;
  const word = WORDS[status] ?? { tone: "info", text: status };
  const money = (amount: string) => (
    <span className="tabular">
      {amount} {currency}
    </span>
  );
  return (
    <Card title="Billing" actions={<Pill tone={word.tone}>{word.text}</Pill>}>
      <div className="flex flex-col gap-5">
        <Facts
          rows={[
            ["Balance", money(balance)],
            ["Spent this month", money(spentThisMonth)],
            ["1,000 calls", money(prices.per1000Requests)],
            ...Object.entries(prices.meters).map(
              ([name, price]) => [`A unit of ${name}`, money(price)] as [string, React.ReactNode],
            ),
          ]}
        />
        {entries.length > 0 && (
          <DataTable
            label="Payments"
            rows={entries}
            columns={columnsOf(currency)}
            idOf={({ entryId }) => entryId}
          />
        )}
      </div>
    </Card>
  );
}

function columnsOf(currency: string): Column<Entry>[] {
  return [
    { id: "at", title: "When", cell: ({ createdAt }) => <Time at={createdAt} /> },
    { id: "note", title: "Note", cell: ({ note }) => <span dir="auto">{note}</span> },
    {
      id: "amount",
      title: "Amount",
      right: true,
      cell: ({ amount }) => (
        <span className="whitespace-nowrap tabular">
          {amount} {currency}
        </span>
      ),
    },
  ];
}
