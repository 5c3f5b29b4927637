import { Check, Ellipsis } from "lucide-react";
import { Menu, MenuItem, MenuLine } from "@/ui/Menu";
import { ROLES, type Member, type Role } from "./queries";

interface RoleMenuProps {
  member: Member;
  /** Only owners make and unmake owners. */
  isOwner: boolean;
  onRoles: (roles: Role[]) => void;
  onRemove: () => void;
}

export function RoleMenu({ member, isOwner, onRoles, onRemove }: RoleMenuProps) {
  const has = (role: Role) => member.roles.includes(role);
  const toggle = (role: Role) => {
    const next = ROLES.map(({ value }) => value).filter((one) =>
      one === role ? !has(one) : has(one),
    );
    if (next.length > 0) onRoles(next);
  };
  return (
    <Menu
      trigger={
        <button
          type="button"
          aria-label={`Roles of ${member.email}`}
          className="rounded-md p-1 text-soft hover:bg-hover hover:text-ink"
        >
          <Ellipsis aria-hidden className="size-4" />
        </button>
      }
    >
      {ROLES.filter(({ value }) => value !== "owner" || isOwner).map(({ value, label, about }) => (
        <MenuItem key={value} onSelect={() => toggle(value)}>
          <span className="size-3.5">
            {has(value) && <Check aria-label="has this role" className="size-3.5 text-accent" />}
          </span>
          <span className="flex-1">{label}</span>
          <span className="pl-4 text-xs text-faint">{about}</span>
        </MenuItem>
      ))}
      <MenuLine />
      <MenuItem danger onSelect={onRemove}>
        Remove from the organisation
      </MenuItem>
    </Menu>
  );
}
