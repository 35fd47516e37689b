import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { must } from "../lab/command.ts";
import { ADDRESSES, LAB_ADDRESS, type Lab } from "../lab/lab.ts";

/** PEM texts. The certificate is the coordinator's, and of a proxy that stands in for it. */
export type Certificates = { readonly ca: string; readonly cert: string; readonly key: string };

/** The lab's own authority and one certificate by it, made once. From then on this process trusts them too. */
export const certificates = (lab: Lab): Promise<Certificates> =>
  lab.once("certificates", async () => {
    const made = await makeCertificates(join(lab.site.directory, "tls"));
    setDefaultCACertificates([...getCACertificates(), made.ca]);
    return made;
  });

async function makeCertificates(dir: string): Promise<Certificates> {
  mkdirSync(dir, { recursive: true });
  const at = (name: string) => join(dir, name);
  const request = [
    "req",
    "-x509",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
    "-nodes",
    "-days",
    "60",
  ];
  await must("openssl", [...request, "-subj", "/CN=lab CA", "-keyout", at("ca.key"), "-out", at("ca.crt")]);
  const names = `subjectAltName=DNS:c1,IP:${ADDRESSES.c1},IP:${LAB_ADDRESS}`;
  const signed = ["-CA", at("ca.crt"), "-CAkey", at("ca.key"), "-addext", names];
  const leaf = ["-addext", "basicConstraints=critical,CA:FALSE", "-subj", "/CN=c1"];
  await must("openssl", [...request, ...signed, ...leaf, "-keyout", at("tls.key"), "-out", at("tls.crt")]);
  const read = (name: string) => readFileSync(at(name), "utf8");
  return { ca: read("ca.crt"), cert: read("tls.crt"), key: read("tls.key") };
}
