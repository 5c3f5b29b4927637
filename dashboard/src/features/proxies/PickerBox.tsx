import { Combobox } from "@base-ui/react/combobox";
import { Check, ChevronsUpDown, X } from "lucide-react";
import type { Option } from "@/ui/Select";
import type { Many, One } from "./Picker";

/** One of many records, found by its name. */
export function OneBox(props: One) {
  const { value, onChange, options, disabled } = props;
  const chosen = options.find((option) => option.value === value) ?? null;
  return (
    <Combobox.Root<Option>
      items={options}
      value={chosen}
      disabled={disabled}
      onValueChange={(next) => onChange(next?.value ?? "")}
    >
      <Combobox.InputGroup className="field-box flex h-8 items-center px-0">
        <Combobox.Input
          aria-label={props.label}
          placeholder={disabled ? "Choose a region first" : "Search by name"}
          className="h-full min-w-0 flex-1 bg-transparent px-2.5 text-sm outline-none"
        />
        <Combobox.Trigger aria-label={`Show all: ${props.label}`} className="px-2">
          <ChevronsUpDown aria-hidden className="size-3.5 text-faint" />
        </Combobox.Trigger>
      </Combobox.InputGroup>
      <Choices />
    </Combobox.Root>
  );
}

/** Several of them. */
export function ManyBox(props: Many) {
  const { value, onChange, options, disabled } = props;
  const known = new Map(options.map((option) => [option.value, option]));
  const chosen = value.map((id) => known.get(id) ?? { value: id, label: id });
  return (
    <Combobox.Root<Option, true>
      multiple
      items={options}
      value={chosen}
      disabled={disabled}
      isItemEqualToValue={(one, other) => one.value === other.value}
      onValueChange={(next) => onChange(next.map((option) => option.value))}
    >
      <Combobox.InputGroup className="field-box flex min-h-8 items-center px-0">
        <Combobox.Chips className="flex flex-1 flex-wrap items-center gap-1 p-1">
          {chosen.map((option) => (
            <Combobox.Chip
              key={option.value}
              className="flex h-6 max-w-full items-center gap-1 rounded-sm bg-sunken pl-2 text-xs"
            >
              <span className="truncate">{option.label}</span>
              <Combobox.ChipRemove aria-label={`Take out ${option.label}`} className="px-1">
                <X aria-hidden className="size-3" />
              </Combobox.ChipRemove>
            </Combobox.Chip>
          ))}
          <Combobox.Input
            aria-label={props.label}
            placeholder={disabled ? "Choose a region first" : "Search by name"}
            className="h-6 min-w-24 flex-1 bg-transparent px-1.5 text-sm outline-none"
          />
        </Combobox.Chips>
      </Combobox.InputGroup>
      <Choices />
    </Combobox.Root>
  );
}

function Choices() {
  return (
    <Combobox.Portal>
      <Combobox.Positioner sideOffset={4} className="z-50">
        <Combobox.Popup className="max-h-72 w-(--anchor-width) min-w-64 overflow-y-auto rounded-md border border-line bg-surface p-1 shadow-lift outline-none">
          <Combobox.Empty className="px-2 py-2 text-sm text-soft empty:hidden">
            Nothing with this name; “New” makes one.
          </Combobox.Empty>
          <Combobox.List>
            {(option: Option) => (
              <Combobox.Item
                key={option.value}
                value={option}
                className="flex cursor-default items-center gap-2 rounded-sm px-2 py-1.5 text-sm outline-none select-none data-highlighted:bg-hover"
              >
                <span className="min-w-0 flex-1">
                  <span className="block truncate" dir="auto">
                    {option.label}
                  </span>
                  {option.about && (
                    <span className="block truncate text-xs text-soft">{option.about}</span>
                  )}
                </span>
                <Combobox.ItemIndicator>
                  <Check aria-hidden className="size-3.5 text-accent" />
                </Combobox.ItemIndicator>
              </Combobox.Item>
            )}
          </Combobox.List>
        </Combobox.Popup>
      </Combobox.Positioner>
    </Combobox.Portal>
  );
}
