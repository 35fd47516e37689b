import { describe, expect, it } from "vitest";
import {
  isReachedDirectly,
  parseProxy,
  proxyFor,
  proxyRulesOf,
  showProxy,
  wrongProxyVariables,
} from "../../protocol/proxy.ts";

describe("NO_PROXY", () => {
  it.each([
    ["https://db.example", "*", true],
    ["https://db.example", "", false],
    ["https://db.example", "db.example", true],
    ["https://DB.Example.", "other, db.EXAMPLE", true],
    ["https://a.db.example", "db.example", true],
    ["https://a.db.example", ".db.example", true],
    ["https://db.example", "*.db.example", true],
    ["https://notdb.example", "db.example", false],
    ["https://example", "db.example", false],
    ["https://db.example:8443", "db.example:8443", true],
    ["https://db.example:8443", "db.example:443", false],
    ["https://db.example", "db.example:443", true],
    ["http://db.example", "db.example:80", true],
    ["wss://db.example", "db.example:443", true],
    ["https://10.1.2.3", "10.0.0.0/8", true],
    ["https://11.1.2.3", "10.0.0.0/8", false],
    ["https://10.1.2.3", "10.1.2.3", true],
    ["https://110.1.2.3", "10.1.2.3", false],
    ["https://[fd00::1]:8443", "fd00::/8", true],
    ["https://[fd00::1]:8443", "[fd00::1]:8443", true],
    ["https://[fe80::1]", "fd00::/8", false],
    ["https://10.1.2.3", "10.0.0.0/99 10.0.0.0/x", false],
    ["https://db.example", ", ,", false],
    ["https://db.example", ".", false],
  ])("%s with %j: %s", (url, noProxy, direct) => {
    expect(isReachedDirectly(new URL(url), noProxy)).toBe(direct);
  });
});

describe("the proxy of a request", () => {
  const rules = proxyRulesOf({
    HTTPS_PROXY: "http://ignored:1",
    https_proxy: "ada:s3cret@proxy.example:3128",
    HTTP_PROXY: "https://plain.example",
    NO_PROXY: "direct.example",
  });
  it.each([
    ["https://db.example:8443/v1", "http://proxy.example:3128"],
    ["wss://db.example:8443/v1/session", "http://proxy.example:3128"],
    ["http://db.example/", "https://plain.example"],
    ["https://direct.example/", null],
    ["https://127.0.0.1:8443/", null],
    ["https://localhost/", null],
    ["https://[::1]/", null],
  ])("%s: %s", (url, proxy) => {
    const found = proxyFor(new URL(url), rules);
    expect(found === null ? null : showProxy(found)).toBe(proxy);
  });
  it("is none without any", () => {
    expect(proxyFor(new URL("https://db.example"), proxyRulesOf({}))).toBeNull();
  });
  it("is used on this machine only where that is asked for", () => {
    expect(proxyFor(new URL("https://127.0.0.1"), { ...rules, loopback: true })?.host).toBe(
      "proxy.example:3128",
    );
  });
  it.each(["socks5://proxy:1080", "http://", "proxy:no-port", "http://proxy/path", "http://proxy?x"])(
    "is not %s",
    (text) => {
      expect(parseProxy(text)).toBeNull();
      expect(wrongProxyVariables({ https_proxy: text, HTTP_PROXY: "" })).toEqual(["https_proxy"]);
    },
  );
  it("is shown without its password", () => {
    expect(rules.https?.password).toBe("s3cret");
    expect(showProxy(new URL(rules.https ?? ""))).toBe("http://proxy.example:3128");
  });
});
