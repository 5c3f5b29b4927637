import { CopyLine } from "@/ui/Copy";
import { Facts } from "@/ui/Page";
import { Time } from "@/ui/Time";

/** What the API itself knows of a record. */
export function RecordFacts(props: { id: string; createdAt: string; updatedAt: string }) {
  return (
    <Facts
      rows={[
        ["Id", <CopyLine key="id" text={props.id} label="Copy the id" />],
        ["Created", <Time key="created" at={props.createdAt} />],
        ["Changed", <Time key="changed" at={props.updatedAt} />],
      ]}
    />
  );
}
