import { useSignal } from "@preact/signals";
import type { OperatorRole, OperatorToken } from "../../../../protocol/access.ts";
import { Action } from "../../parts/action.tsx";
import { Choice, TextField } from "../../parts/field.tsx";
import { LIFETIMES, ttlOf } from "../../parts/lifetime.ts";
import { State } from "../../parts/mark.tsx";
import { PageHead } from "../../parts/page-head.tsx";
import { Paged } from "../../parts/pages.tsx";
import { Empty, Panel } from "../../parts/panel.tsx";
import { Secret } from "../../parts/secret.tsx";
import { Table } from "../../parts/table.tsx";
import { Time } from "../../parts/time.tsx";
import { useStore } from "../../store/store.ts";
import { usePages } from "../../store/use-pages.ts";
import { standingOf, whyNoName } from "./model.ts";

/** Who may come in: the operators' tokens. For administrators alone. */
export function TokensPage() {
  const { session } = useStore();
  if (session.may("admin")) return <Tokens />;
  return (
    <>
      <PageHead title="Tokens" />
      <Empty title="Administrators see the tokens.">Ask one of them for a token of your own.</Empty>
    </>
  );
}

function Tokens() {
  const { session, clock } = useStore();
  const { pages, more } = usePages<OperatorToken>("/v1/tokens", "tokens", ["token"]);
  const who = session.who.value;
  const mine = who.kind === "in" ? who.me.id : null;
  const now = clock.now.value;
  return (
    <>
      <PageHead title="Tokens">
        <NewToken />
      </PageHead>
      <Panel title="Newest first">
        <Paged
          pages={pages.value}
          more={more}
          empty={
            <Empty title="There is no token yet.">
              Make one for each person and each program, with the least role that does.
            </Empty>
          }
        >
          {(tokens) => (
            <Table
              label="Tokens"
              columns={["Name", "Role", "State", "Made", "Last used", "Expires", ""]}
              rows={tokens.map((token) => {
                const { id, name, role, createdAt, lastUsedAt, expiresAt } = token;
                const { tone, word, good } = standingOf(token, now);
                return {
                  key: id,
                  over: !good,
                  cells: [
                    <span key="name" class="name">
                      {name}
                      {id === mine ? <span class="soft"> (this sign-in)</span> : null}
                    </span>,
                    role,
                    <State key="state" tone={tone}>
                      {word}
                    </State>,
                    <Time key="made" at={createdAt} />,
                    lastUsedAt === null ? "never" : <Time key="used" at={lastUsedAt} />,
                    expiresAt === null ? "never" : <Time key="expires" at={expiresAt} />,
                    <Action
                      key="revoke"
                      needs="admin"
                      name="Revoke"
                      label={`Revoke ${name}`}
                      kind="danger"
                      why={good ? null : `It is ${word}`}
                      question={`Revoke the token of ${name}?`}
                      path={`/v1/tokens/${id}/revoke`}
                      about={id}
                    >
                      Whoever uses it is refused from now on, and every browser that signed in by it is signed
                      out.{id === mine ? " You are signed in by it yourself." : ""} It cannot be undone.
                    </Action>,
                  ],
                };
              })}
            />
          )}
        </Paged>
      </Panel>
    </>
  );
}

const ROLES: readonly (readonly [OperatorRole, string])[] = [
  ["viewer", "viewer: sees"],
  ["operator", "operator: updates nodes, runs rollouts"],
  ["admin", "admin: members, tokens, policy as well"],
];

function NewToken() {
  const name = useSignal("");
  const role = useSignal<string>("viewer");
  const lifetime = useSignal<string | null>("7776000000");
  const made = useSignal<{ readonly name: string; readonly secret: string } | null>(null);
  return (
    <>
      <Action
        needs="admin"
        name="New token"
        kind="primary"
        why={null}
        question="Make a token?"
        path="/v1/tokens"
        body={{ name: name.value.trim(), role: role.value, ...ttlOf(lifetime.value) }}
        missing={whyNoName(name.value)}
        onDone={(answer) => {
          const { token, secret } = answer as { token: OperatorToken; secret: string };
          made.value = { name: token.name, secret };
          name.value = "";
        }}
      >
        <div class="form">
          <TextField
            label="Name"
            help="Whom or what it is for, as the audit log will say."
            value={name.value}
            onInput={(text) => {
              name.value = text;
            }}
          />
          <Choice
            label="Role"
            value={role.value}
            options={ROLES}
            onChoose={(chosen) => {
              role.value = chosen ?? "viewer";
            }}
          />
          <Choice
            label="Good for"
            none="ever"
            value={lifetime.value}
            options={LIFETIMES}
            onChoose={(ms) => {
              lifetime.value = ms;
            }}
          />
        </div>
      </Action>
      {made.value === null ? null : (
        <Secret
          title={`The token of ${made.value.name}`}
          text={made.value.secret}
          onClose={() => {
            made.value = null;
          }}
        >
          It is shown this once. The coordinator keeps only its hash.
        </Secret>
      )}
    </>
  );
}
