import { X } from "lucide-react";
import { SearchBox } from "@/table/ListFrame";
import { Button } from "@/ui/Button";
import { Checkbox } from "@/ui/Checkbox";
import { Select } from "@/ui/Select";
import type { RequestSearch } from "./search";

const ANY = "any";
const STATUSES = ["2xx", "3xx", "4xx", "5xx", "401", "403", "404", "429", "502", "503", "504"];
const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"];

interface RequestFiltersProps {
  search: RequestSearch;
  onSearch: (next: RequestSearch) => void;
}

export function RequestFilters({ search, onSearch }: RequestFiltersProps) {
  const one = (name: "status" | "method", all: string, values: string[]) => (
    <Select
      small
      label={all}
      className="w-32"
      value={search[name] ?? ANY}
      options={[ANY, ...values].map((value) => ({ value, label: value === ANY ? all : value }))}
      onChange={(value) => onSearch({ ...search, [name]: value === ANY ? undefined : value })}
    />
  );
  const isNarrowed = search.status ?? search.method ?? search.path ?? search.denied;
  return (
    <>
      <SearchBox
        label="Path contains"
        text={search.path ?? ""}
        onText={(path) => onSearch({ ...search, path: path === "" ? undefined : path })}
      />
      {one("status", "Any status", STATUSES)}
      {one("method", "Any method", METHODS)}
      <Checkbox
        label="Denied"
        checked={search.denied ?? false}
        onChange={(on) => onSearch({ ...search, denied: on ? true : undefined })}
      />
      {isNarrowed !== undefined && (
        <Button small kind="quiet" onClick={() => onSearch({ live: search.live })}>
          <X aria-hidden className="size-3.5" /> Clear
        </Button>
      )}
    </>
  );
}
