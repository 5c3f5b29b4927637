import type { LucideIcon } from "lucide-react";
import { CircleAlert, Lock } from "lucide-react";
import { useEffect, type ReactNode } from "react";
import { Problem, textOf } from "@/api/problem";
import { Button } from "./Button";
import { cx } from "./cx";

interface PageProps {
  title: string;
  /** Above the title: where this page belongs. */
  above?: ReactNode;
  /** Beside the title, such as a state. */
  beside?: ReactNode;
  about?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  narrow?: boolean;
}

/** The frame of every page, and the document's title. */
export function Page({ title, above, beside, about, actions, children, narrow }: PageProps) {
  useEffect(() => {
    document.title = `${title} · RequestRocket`;
  }, [title]);
  return (
    <div className={cx("mx-auto px-4 py-6 sm:px-8", narrow ? "max-w-3xl" : "max-w-7xl")}>
      {above && <div className="mb-2 text-sm text-soft">{above}</div>}
      <header className="mb-5 flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
        <div className="min-w-0">
          <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
            <h1 className="min-w-0 text-xl font-semibold tracking-tight break-words" dir="auto">
              {title}
            </h1>
            {beside}
          </div>
          {about && <p className="mt-1 max-w-2xl text-sm text-soft">{about}</p>}
        </div>
        {actions && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
      </header>
      {children}
    </div>
  );
}

export function Card({
  title,
  actions,
  children,
  className,
  flush,
}: {
  title?: string;
  actions?: ReactNode;
  /** What is in it reaches its edges. */
  flush?: boolean;
  children: ReactNode;
  className?: string;
}) {
  return (
    <section
      aria-label={title}
      className={cx("min-w-0 rounded-lg border border-line bg-surface", className)}
    >
      {title && (
        <div className="flex min-h-11 flex-wrap items-center justify-between gap-2 border-b border-line px-4 py-1.5">
          <h2 className="text-sm font-semibold">{title}</h2>
          {actions}
        </div>
      )}
      <div className={flush ? "" : "p-4"}>{children}</div>
    </section>
  );
}

/** Nothing there yet: says what it is for and what to do. */
export function Empty({
  icon: Icon,
  title,
  children,
  action,
}: {
  icon: LucideIcon;
  title: string;
  children: ReactNode;
  action?: ReactNode;
}) {
  return (
    <div className="flex flex-col items-center px-6 py-14 text-center">
      <span className="mb-4 grid size-11 place-items-center rounded-lg border border-line bg-sunken text-accent">
        <Icon aria-hidden className="size-5" />
      </span>
      <h2 className="text-base font-semibold">{title}</h2>
      <p className="mt-1 mb-4 max-w-md text-sm text-soft">{children}</p>
      {action}
    </div>
  );
}

/** What failed, and trying it again. */
export function Failed({ error, retry }: { error: unknown; retry?: () => void }) {
  const isForbidden = error instanceof Problem && error.status === 403;
  const Icon = isForbidden ? Lock : CircleAlert;
  return (
    <div role="alert" className="flex flex-col items-center px-6 py-14 text-center">
      <Icon aria-hidden className="mb-3 size-6 text-bad" />
      <h2 className="text-base font-semibold">
        {isForbidden ? "Your role does not show this" : "This could not be loaded"}
      </h2>
      <p className="mt-1 mb-4 max-w-md text-sm text-soft">{textOf(error)}</p>
      {retry && <Button onClick={retry}>Try again</Button>}
      <RequestId error={error} />
    </div>
  );
}

export function RequestId({ error }: { error: unknown }) {
  if (!(error instanceof Problem) || error.requestId === "") return null;
  return (
    <p className="mt-3 text-xs text-faint">
      Request <code className="font-mono select-all">{error.requestId}</code>
    </p>
  );
}

/** The shape of what is to come. */
export function Skeleton({ className }: { className?: string }) {
  return <div className={cx("appear-late animate-pulse rounded-md bg-sunken", className)} />;
}

/** A list of facts. */
export function Facts({ rows }: { rows: [string, ReactNode][] }) {
  return (
    <dl className="grid gap-x-6 gap-y-2.5 text-sm sm:grid-cols-[minmax(8rem,auto)_minmax(0,1fr)]">
      {rows.map(([name, value]) => (
        <div key={name} className="contents">
          <dt className="text-soft">{name}</dt>
          <dd className="min-w-0 break-words max-sm:mb-1.5">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
