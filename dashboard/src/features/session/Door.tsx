import type { ReactNode } from "react";

/** The frame of pages for who is not in yet. */
export function Door({
  title,
  about,
  children,
}: {
  title: string;
  about: string;
  children: ReactNode;
}) {
  return (
    <main className="grid min-h-dvh place-items-center px-4 py-10">
      <div className="w-full max-w-sm">
        <Mark />
        <h1 className="mt-6 text-xl font-semibold tracking-tight">{title}</h1>
        <p className="mt-1 mb-6 text-sm text-soft">{about}</p>
        {children}
      </div>
    </main>
  );
}

/** The product's sign and name. */
export function Mark() {
  return (
    <div className="flex items-center gap-2.5">
      <img src="/app/icon.svg" alt="" className="size-7" />
      <span className="font-semibold tracking-tight">RequestRocket</span>
    </div>
  );
}
