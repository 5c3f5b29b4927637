import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useRouter } from "@tanstack/react-router";
import { Check, CircleUser, KeyRound, LogOut, Monitor, Moon, ShieldCheck, Sun } from "lucide-react";
import { useState } from "react";
import { api, take } from "@/api/client";
import { sessionQuery } from "@/api/session";
import { setTheme, theme, type Theme } from "@/lib/preferences";
import { Menu, MenuItem, MenuLine } from "@/ui/Menu";
import { tellFailure } from "@/ui/Toasts";

const THEMES = [
  { value: "light", label: "Light", icon: Sun },
  { value: "dark", label: "Dark", icon: Moon },
  { value: "system", label: "As the system", icon: Monitor },
] as const;

export function UserMenu() {
  const { data } = useQuery(sessionQuery);
  const [chosen, setChosen] = useState<Theme>(theme);
  const queries = useQueryClient();
  const router = useRouter();
  const signOut = async () => {
    try {
      await take(api.DELETE("/session"));
      if (data?.provider) {
        // Else the next visitor of this browser is signed in there still.
        location.assign(`/session/oidc/${data.provider}/logout`);
        return;
      }
      await router.navigate({ to: "/sign-in" });
      queries.clear();
    } catch (error) {
      tellFailure(error);
    }
  };
  const initials = data?.email.slice(0, 2) ?? "…";
  const choose = (next: Theme) => {
    setTheme(next);
    setChosen(next);
  };
  return (
    <Menu
      trigger={
        <button
          type="button"
          aria-label={`${initials}: your account`}
          className="grid size-8 place-items-center rounded-full border border-line bg-surface text-xs font-semibold uppercase hover:border-line-strong"
        >
          {initials}
        </button>
      }
    >
      <p className="max-w-64 truncate px-2 py-1.5 text-xs text-soft">{data?.email}</p>
      <MenuLine />
      <MenuItem render={<Link to="/me" />}>
        <CircleUser aria-hidden className="size-4 text-faint" /> Profile
      </MenuItem>
      <MenuItem render={<Link to="/me/keys" />}>
        <KeyRound aria-hidden className="size-4 text-faint" /> Keys
      </MenuItem>
      <MenuItem render={<Link to="/me/security" />}>
        <ShieldCheck aria-hidden className="size-4 text-faint" /> Security
      </MenuItem>
      <MenuLine />
      {THEMES.map(({ value, label, icon: Icon }) => (
        <MenuItem key={value} onSelect={() => choose(value)}>
          <Icon aria-hidden className="size-4 text-faint" />
          <span className="flex-1">{label}</span>
          {chosen === value && <Check aria-label="chosen" className="size-3.5 text-accent" />}
        </MenuItem>
      ))}
      <MenuLine />
      <MenuItem onSelect={() => void signOut()}>
        <LogOut aria-hidden className="size-4 text-faint" /> Sign out
      </MenuItem>
    </Menu>
  );
}
