import { Check, Copy as Icon } from "lucide-react";
import { useEffect, useState } from "react";
import { Button } from "./Button";
import { cx } from "./cx";

/** Copies `text` and says so for a moment. */
export function CopyButton({ text, label }: { text: string; label: string }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 1500);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
  };
  return (
    <Button small kind="quiet" aria-label={label} onClick={copy}>
      {copied ? (
        <Check aria-hidden className="size-3.5" />
      ) : (
        <Icon aria-hidden className="size-3.5" />
      )}
      <span role="status">{copied ? "Copied" : "Copy"}</span>
    </Button>
  );
}

/** A line to be copied, such as an address. */
export function CopyLine({ text, label }: { text: string; label: string }) {
  return (
    <div className="flex items-center gap-1 rounded-md border border-line bg-sunken pr-1 pl-2.5">
      <code className="min-w-0 flex-1 truncate py-1.5 font-mono text-xs" title={text}>
        {text}
      </code>
      <CopyButton text={text} label={label} />
    </div>
  );
}

/** Several lines to be copied, such as a command. */
export function CopyBlock({ text, label, tall }: { text: string; label: string; tall?: boolean }) {
  return (
    <div className="relative rounded-md border border-line bg-sunken">
      <pre
        tabIndex={0}
        aria-label={label}
        className={cx("overflow-auto p-3 pr-20 font-mono text-xs leading-5", tall && "max-h-96")}
      >
        {text}
      </pre>
      <div className="absolute top-1 right-1 rounded-md bg-sunken">
        <CopyButton text={text} label={`Copy: ${label}`} />
      </div>
    </div>
  );
}
