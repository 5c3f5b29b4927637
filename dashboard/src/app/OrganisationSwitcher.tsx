import { Combobox } from "@base-ui/react/combobox";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Check, ChevronsUpDown } from "lucide-react";
import { organisationsQuery } from "@/api/session";

interface Choice {
  value: string;
  label: string;
}

/** Which organisation one works in; with search. */
export function OrganisationSwitcher({ clientId }: { clientId: string }) {
  const { data } = useQuery(organisationsQuery);
  const navigate = useNavigate();
  const choices = (data?.data ?? []).map((one) => ({ value: one.clientId, label: one.clientName }));
  const current = choices.find((choice) => choice.value === clientId) ?? null;
  return (
    <Combobox.Root<Choice>
      items={choices}
      value={current}
      onValueChange={(next) => {
        if (next) void navigate({ to: "/o/$clientId", params: { clientId: next.value } });
      }}
    >
      <Combobox.Trigger
        aria-label="Organisation"
        className="flex h-9 w-full items-center gap-2.5 rounded-md border border-line bg-surface px-2 text-left text-sm hover:border-line-strong"
      >
        <span className="grid size-5 shrink-0 place-items-center rounded-sm bg-accent-soft text-xs font-semibold text-accent uppercase">
          {current?.label.charAt(0) ?? "·"}
        </span>
        <span className="min-w-0 flex-1 truncate font-medium">{current?.label ?? "…"}</span>
        <ChevronsUpDown aria-hidden className="size-3.5 text-faint" />
      </Combobox.Trigger>
      <Combobox.Portal>
        <Combobox.Positioner sideOffset={4} align="start" className="z-50">
          <Combobox.Popup
            aria-label="Organisations"
            className="w-64 rounded-md border border-line bg-surface p-1 shadow-lift outline-none"
          >
            <Combobox.Input
              placeholder="Find an organisation"
              aria-label="Find an organisation"
              className="field-box mb-1 h-8"
            />
            <Combobox.Empty className="px-2 py-2 text-sm text-soft empty:hidden">
              No organisation has this name.
            </Combobox.Empty>
            <Combobox.List className="max-h-72 overflow-y-auto">
              {(choice: Choice) => (
                <Combobox.Item
                  key={choice.value}
                  value={choice}
                  className="flex cursor-default items-center gap-2 rounded-sm px-2 py-1.5 text-sm outline-none data-highlighted:bg-hover"
                >
                  <span className="min-w-0 flex-1 truncate">{choice.label}</span>
                  <Combobox.ItemIndicator>
                    <Check aria-hidden className="size-3.5 text-accent" />
                  </Combobox.ItemIndicator>
                </Combobox.Item>
              )}
            </Combobox.List>
          </Combobox.Popup>
        </Combobox.Positioner>
      </Combobox.Portal>
    </Combobox.Root>
  );
}
