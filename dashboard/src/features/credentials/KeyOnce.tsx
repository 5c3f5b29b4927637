import { useState } from "react";
import { Button } from "@/ui/Button";
import { Checkbox } from "@/ui/Checkbox";
import { CopyBlock } from "@/ui/Copy";
import { Dialog } from "@/ui/Dialog";
import { Notice } from "@/ui/Notice";

/** A key, once: it can be left only by saying that it is stored. */
export function KeyOnce({ secret, onStored }: { secret: string; onStored: () => void }) {
  const [isStored, setStored] = useState(false);
  return (
    <Dialog open title="Store this key now">
      <div className="flex flex-col gap-4">
        <Notice tone="warn">
          It is shown this once. RequestRocket keeps only a digest of it, so nobody can show it
          again.
        </Notice>
        <CopyBlock text={secret} label="The key" />
        <Checkbox label="I have stored it" checked={isStored} onChange={setStored} />
        <div className="flex justify-end">
          <Button kind="primary" disabled={!isStored} onClick={onStored}>
            Done
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
