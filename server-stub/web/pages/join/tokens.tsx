import type { JoinToken } from "../../../../protocol/access.ts";
import { Action } from "../../parts/action.tsx";
import { State } from "../../parts/mark.tsx";
import { Paged } from "../../parts/pages.tsx";
import { Empty, Panel } from "../../parts/panel.tsx";
import { Table } from "../../parts/table.tsx";
import { Time } from "../../parts/time.tsx";
import { useStore } from "../../store/store.ts";
import { usePages } from "../../store/use-pages.ts";
import { joinStandingOf } from "../tokens/model.ts";

/** The tokens by which nodes join, those that are over as well. */
export function JoinTokens() {
  const { clock } = useStore();
  const { pages, more } = usePages<JoinToken>("/v1/join-tokens", "joinTokens", ["token", "node"]);
  const now = clock.now.value;
  return (
    <Panel title="Join tokens">
      <Paged
        pages={pages.value}
        more={more}
        empty={<Empty title="No join token was made yet.">A node joins by one: make it above.</Empty>}
      >
        {(tokens) => (
          <Table
            label="Join tokens"
            columns={["Group", "State", "Uses left", "Approval", "Votes", "Expires", "Made", "By", ""]}
            rows={tokens.map((token) => {
              const { tone, word, good } = joinStandingOf(token, now);
              return {
                key: token.id,
                over: !good,
                cells: [
                  <span key="group" class="name">
                    {token.group}
                  </span>,
                  <State key="state" tone={tone}>
                    {word}
                  </State>,
                  token.usesLeft,
                  token.autoApprove ? "automatic" : "by an administrator",
                  token.voter ? "yes" : "no",
                  token.expiresAt === null ? "never" : <Time key="expires" at={token.expiresAt} />,
                  <Time key="made" at={token.createdAt} />,
                  <span key="by" class="name">
                    {token.createdBy}
                  </span>,
                  <Action
                    key="revoke"
                    needs="admin"
                    name="Revoke"
                    label={`Revoke the join token of ${token.group}`}
                    kind="danger"
                    why={good ? null : `It is ${word}`}
                    question={`Revoke the join token of ${token.group}?`}
                    path={`/v1/join-tokens/${token.id}/revoke`}
                    about={token.id}
                  >
                    Nobody joins by it any more. Who has joined by it stays.
                  </Action>,
                ],
              };
            })}
          />
        )}
      </Paged>
    </Panel>
  );
}
