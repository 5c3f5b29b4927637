import { useQuery } from "@tanstack/react-query";
import { regionsQuery } from "@/api/session";
import { Menu } from "@/ui/Menu";
import { Pill } from "@/ui/Status";

/** Whether the regions are there, at a glance. */
export function RegionHealth() {
  const { data } = useQuery(regionsQuery);
  if (!data || data.data.length === 0) return null;
  const away = data.data.filter((region) => !region.regionConnected).length;
  const text = away === 0 ? "Regions up" : away === 1 ? "1 region away" : `${away} regions away`;
  return (
    <Menu
      trigger={
        <button type="button" aria-label={`Regions: ${text}`} className="flex rounded-full">
          <Pill tone={away === 0 ? "ok" : "bad"}>{text}</Pill>
        </button>
      }
    >
      <ul className="flex flex-col gap-1 p-1">
        {data.data.map((region) => (
          <li
            key={region.regionName}
            className="flex items-center justify-between gap-6 p-1 text-sm"
          >
            <span>
              {region.regionName}
              <span className="block text-xs text-soft tabular">
                {region.envoys === 1 ? "1 Envoy" : `${region.envoys} Envoys`}
              </span>
            </span>
            <Pill tone={region.regionConnected ? "ok" : "bad"}>
              {region.regionConnected ? "Connected" : "Away"}
            </Pill>
          </li>
        ))}
      </ul>
    </Menu>
  );
}
