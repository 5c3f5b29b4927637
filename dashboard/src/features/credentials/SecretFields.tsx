import { Controller, type UseFormReturn } from "react-hook-form";
import { Field, Input, SecretInput, TextArea } from "@/ui/Field";
import { Select } from "@/ui/Select";
import type { AuthType, Side } from "./queries";
import type { Written } from "./secretBody";
import { keyOf } from "./secretBody";
import { shapesOf, type SecretField } from "./secretShapes";

/** The part of a form that is a secret. */
export interface SecretForm {
  shape: string;
  secret: Written;
}

interface SecretFieldsProps<T extends SecretForm> {
  form: UseFormReturn<T>;
  side: Side;
  authType: AuthType;
}

export function SecretFields<T extends SecretForm>(props: SecretFieldsProps<T>) {
  // A part of whatever form it stands in.
  const form = props.form as unknown as UseFormReturn<SecretForm>;
  const shapes = shapesOf(props.side, props.authType);
  const id = form.watch("shape");
  const shape = shapes.find((one) => one.id === id) ?? shapes[0];
  if (!shape) return null;
  return (
    <>
      {shapes.length > 1 && (
        <Field label={props.side === "proxy" ? "How tokens are verified" : "Grant"}>
          <Select
            options={shapes.map((one) => ({ value: one.id, label: one.label }))}
            value={shape.id}
            onChange={(next) => form.setValue("shape", next)}
          />
        </Field>
      )}
      {shape.fields.map((field) => (
        <One key={`${shape.id} ${field.path}`} form={form} field={field} />
      ))}
    </>
  );
}

function One({ form, field }: { form: UseFormReturn<SecretForm>; field: SecretField }) {
  const name = `secret.${keyOf(field)}` as const;
  const error = form.formState.errors.secret?.[keyOf(field)]?.message;
  const { label, help, optional, placeholder } = field;
  const given = { placeholder, autoComplete: "off", ...form.register(name) };
  return (
    <Field label={label} help={help} optional={optional} error={error}>
      {field.kind === "secret" ? (
        <SecretInput {...given} autoComplete="new-password" />
      ) : field.kind === "choice" ? (
        <Controller
          control={form.control}
          name={name}
          render={({ field: { value, onChange } }) => (
            <Select
              options={(field.choices ?? []).map((one) => ({ value: one, label: one }))}
              value={value === "" || value === undefined ? null : value}
              placeholder="Default"
              onChange={onChange}
            />
          )}
        />
      ) : field.kind === "text" || field.kind === "list" ? (
        <Input {...given} />
      ) : (
        <TextArea {...given} />
      )}
    </Field>
  );
}
