import { Link } from "@tanstack/react-router";
import { Compass } from "lucide-react";
import { buttonClass } from "@/ui/Button";
import { Empty } from "@/ui/Page";

export function NotFound() {
  return (
    <Empty
      icon={Compass}
      title="There is no such page"
      action={
        <Link to="/" className={buttonClass()}>
          To the dashboard
        </Link>
      }
    >
      The address may be mistyped, or what it showed was deleted.
    </Empty>
  );
}
