import { Tabs } from "@base-ui/react/tabs";
import { useQuery } from "@tanstack/react-query";
import { credentialQuery } from "@/features/credentials/queries";
import { CopyBlock } from "@/ui/Copy";
import { Card } from "@/ui/Page";
import type { Proxy } from "../queries";
import { authorizationOf, LANGUAGES, lineIn } from "./lines";

/** How to call it, in the words of several languages. */
export function CallLines({ proxy }: { proxy: Proxy }) {
  const first = proxy.proxyProxyCredentialIds[0] ?? "";
  const { data } = useQuery({
    ...credentialQuery(proxy.clientId, first),
    enabled: first !== "",
    retry: false,
  });
  if (!proxy.proxyBaseURL) return null;
  const call = {
    url: `${proxy.proxyBaseURL}/`,
    authorization: authorizationOf(data?.value.credentialAuthType),
  };
  return (
    <Card title="Call it">
      <Tabs.Root defaultValue="curl">
        <Tabs.List className="mb-3 flex gap-1 overflow-x-auto" aria-label="Language">
          {LANGUAGES.map((language) => (
            <Tabs.Tab
              key={language}
              value={language}
              className="rounded-md px-2.5 py-1 text-sm text-soft hover:bg-hover data-active:bg-hover data-active:font-medium data-active:text-ink"
            >
              {language}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {LANGUAGES.map((language) => (
          <Tabs.Panel key={language} value={language}>
            <CopyBlock text={lineIn(language, call)} label={`A call in ${language}`} />
          </Tabs.Panel>
        ))}
      </Tabs.Root>
      <p className="mt-3 text-xs text-soft">
        Put what the caller presents in place of <code className="font-mono">$CREDENTIAL</code>, and
        the target’s path behind the address. Secrets are never shown here.
      </p>
    </Card>
  );
}
