// Release 1.2.0 of the demo: it passes its self-test, and then cannot start.
if (process.argv.includes("--self-test")) {
  console.log(JSON.stringify({ ok: true }));
} else {
  throw new Error("1.2.0 needs a library that this machine does not have");
}
