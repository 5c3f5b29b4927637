import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import {
  Controller,
  type FieldPath,
  type FieldPathValue,
  type FieldValues,
  type UseFormReturn,
} from "react-hook-form";
import { regionsQuery } from "@/api/session";
import { Field } from "@/ui/Field";
import { Select } from "@/ui/Select";

interface RegionFieldProps<T extends FieldValues> {
  form: UseFormReturn<T>;
  name: FieldPath<T>;
  /** It cannot be changed any more. */
  fixed?: boolean;
}

/** Where a record lives; the only region is chosen by itself. */
export function RegionField<T extends FieldValues>({ form, name, fixed }: RegionFieldProps<T>) {
  const { data } = useQuery(regionsQuery);
  const names = data?.data.map((region) => region.regionName) ?? [];
  const only = names.length === 1 ? names[0] : undefined;
  const value = form.watch(name) as string;
  useEffect(() => {
    if (only !== undefined && value === "")
      form.setValue(name, only as FieldPathValue<T, typeof name>);
  }, [form, name, only, value]);
  const all = value === "" || names.includes(value) ? names : [...names, value];
  const options = all.map((one) => ({ value: one, label: one }));
  return (
    <Controller
      control={form.control}
      name={name}
      render={({ field, fieldState }) => (
        <Field
          label="Region"
          error={fieldState.error?.message}
          help={
            fixed
              ? "Fixed since it was made."
              : "Cannot be changed later. A proxy and all that it uses are in one region."
          }
        >
          <Select
            options={options}
            value={field.value === "" ? null : field.value}
            placeholder="Choose a region"
            disabled={fixed}
            onChange={field.onChange}
          />
        </Field>
      )}
    />
  );
}
