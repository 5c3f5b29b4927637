import { Download, Table2 } from "lucide-react";
import { useState } from "react";
import { Chart } from "@/charts/Chart";
import { download } from "@/lib/download";
import { csvOf, type ChartSpec, type Columns } from "@/charts/series";
import { utc } from "@/lib/time";
import { Button } from "@/ui/Button";
import { Card } from "@/ui/Page";

interface ChartCardProps {
  spec: ChartSpec;
  columns: Columns;
  onZoom: (from: number, to: number) => void;
}

/** A chart that can be read as a table, and taken away as CSV. */
export function ChartCard({ spec, columns, onZoom }: ChartCardProps) {
  const [isTable, setTable] = useState(false);
  return (
    <Card
      title={spec.title}
      actions={
        <div className="flex gap-1">
          <Button small kind="quiet" aria-pressed={isTable} onClick={() => setTable(!isTable)}>
            <Table2 aria-hidden className="size-3.5" /> Table
          </Button>
          <Button small kind="quiet" onClick={() => saveCsv(spec, columns)}>
            <Download aria-hidden className="size-3.5" /> CSV
          </Button>
        </div>
      }
    >
      {isTable ? (
        <Rows spec={spec} columns={columns} />
      ) : (
        <Chart spec={spec} columns={columns} onZoom={onZoom} />
      )}
    </Card>
  );
}

function Rows({ spec, columns }: { spec: ChartSpec; columns: Columns }) {
  return (
    <div tabIndex={0} role="region" aria-label={spec.title} className="h-[215px] overflow-y-auto">
      <table className="w-full text-left text-xs">
        <thead className="sticky top-0 bg-surface text-soft">
          <tr>
            <th scope="col" className="py-1 font-medium">
              Time
            </th>
            {spec.lines.map((line) => (
              <th key={line.label} scope="col" className="py-1 text-right font-medium">
                {line.label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="divide-y divide-line">
          {columns.times.map((time, index) => (
            <tr key={time}>
              <td className="py-1">{utc(new Date(time * 1000).toISOString())}</td>
              {columns.values.map((column, at) => {
                const value = column[index];
                return (
                  <td key={at} className="py-1 text-right">
                    {value === null || value === undefined ? "–" : spec.unit(value)}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function saveCsv(spec: ChartSpec, columns: Columns) {
  const file = new Blob([csvOf(columns, spec.lines)], { type: "text/csv" });
  download(file, `${spec.id}.csv`);
}
