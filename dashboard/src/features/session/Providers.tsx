import { buttonClass } from "@/ui/Button";

interface ProvidersProps {
  providers: { provider: string; title: string }[];
  /** Where to go afterwards. */
  next: string;
}

/** Who else says who somebody is; a link each, as that leads to another origin. */
export function Providers({ providers, next }: ProvidersProps) {
  if (providers.length === 0) return null;
  return (
    <div className="mb-6 flex flex-col gap-2">
      {providers.map(({ provider, title }) => (
        <a
          key={provider}
          href={`/session/oidc/${provider}?next=${encodeURIComponent(next)}`}
          className={buttonClass()}
        >
          Sign in by {title}
        </a>
      ))}
    </div>
  );
}
