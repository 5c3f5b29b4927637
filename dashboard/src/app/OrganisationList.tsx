import { Combobox } from "@base-ui/react/combobox";
import { useNavigate } from "@tanstack/react-router";
import { Check } from "lucide-react";
import { Face, TRIGGER, type Choice } from "./OrganisationSwitcher";

/** All organisations, with search; opened as soon as it is there. */
export function OrganisationList({ choices, current }: { choices: Choice[]; current?: Choice }) {
  const navigate = useNavigate();
  return (
    <Combobox.Root<Choice>
      defaultOpen
      items={choices}
      value={current ?? null}
      onValueChange={(next) => {
        if (next) void navigate({ to: "/o/$clientId", params: { clientId: next.value } });
      }}
    >
      <Combobox.Trigger aria-label="Organisation" className={TRIGGER}>
        <Face current={current} />
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
