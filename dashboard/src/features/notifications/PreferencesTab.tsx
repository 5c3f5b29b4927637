import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Controller, useForm } from "react-hook-form";
import { SaveBar } from "@/forms/SaveBar";
import { Checkbox } from "@/ui/Checkbox";
import { Card, Failed, Skeleton } from "@/ui/Page";
import { tell } from "@/ui/Toasts";
import { preferencesQuery, savePreferences, type Preferences } from "./queries";
import { WHOSE } from "./search";
import { KINDS, WHOSE_WORDS } from "./words";

/** Where one wants to be told of what. */
export function PreferencesTab() {
  const query = useQuery(preferencesQuery);
  if (query.isError) return <Failed error={query.error} retry={() => void query.refetch()} />;
  if (!query.data) return <Skeleton className="h-96" />;
  return (
    <Card title="What you want to be told">
      <PreferencesForm loaded={query.data} />
    </Card>
  );
}

function PreferencesForm({ loaded }: { loaded: Preferences }) {
  const queries = useQueryClient();
  const [error, setError] = useState<unknown>();
  const form = useForm({ defaultValues: { wanted: loaded } });
  const submit = form.handleSubmit(async ({ wanted }) => {
    try {
      await savePreferences(wanted);
      form.reset({ wanted });
      setError(undefined);
      await queries.invalidateQueries({ queryKey: preferencesQuery.queryKey });
      await queries.invalidateQueries({ queryKey: ["notifications"] });
      tell("Saved");
    } catch (cause) {
      setError(cause);
    }
  });
  return (
    <form noValidate onSubmit={submit} className="flex flex-col gap-5">
      {WHOSE.map((whose) => (
        <table key={whose} className="w-full text-left text-sm">
          <thead className="text-xs text-soft">
            <tr>
              <th scope="col" className="pb-2 font-medium">
                {WHOSE_WORDS[whose]}
              </th>
              <th scope="col" className="w-20 pb-2 text-center font-medium">
                In lists
              </th>
              <th scope="col" className="w-20 pb-2 text-center font-medium">
                By mail
              </th>
            </tr>
          </thead>
          <tbody className="divide-y divide-line border-y border-line">
            {Object.entries(KINDS)
              .filter(([, kind]) => kind.whose === whose)
              .map(([kind, { text }]) => (
                <tr key={kind}>
                  <th scope="row" className="py-2 pr-3 font-normal">
                    {text}
                  </th>
                  {(["inApp", "email"] as const).map((channel) => (
                    <td key={channel}>
                      <span className="flex justify-center">
                        <Controller
                          control={form.control}
                          name={`wanted.${kind}.${channel}`}
                          render={({ field }) => (
                            <Checkbox
                              bare
                              label={`${text}: ${channel === "inApp" ? "in lists" : "by mail"}`}
                              checked={field.value}
                              onChange={field.onChange}
                            />
                          )}
                        />
                      </span>
                    </td>
                  ))}
                </tr>
              ))}
          </tbody>
        </table>
      ))}
      <SaveBar form={form} error={error} />
    </form>
  );
}
