// The hooks of the toy service: health | handover | drain | resume.
const [hook] = process.argv.slice(2);
const own = Number(process.env.DEMO_PORT);
const ports = JSON.parse(process.env.DEMO_PORTS);
const ask = async (port, path) => (await fetch(`http://127.0.0.1:${port}/${path}`)).json();

if (hook === "health") {
  console.log(JSON.stringify(await ask(own, "")));
} else if (hook === "handover") {
  const { role } = await ask(own, "");
  const [heir] = JSON.parse(process.env.BATON_PEERS);
  if (role === "leader" && heir !== undefined) {
    await ask(ports[heir.name], "role/leader");
    await ask(own, "role/follower");
    console.log(`leadership went to ${heir.name}`);
  }
} else {
  await ask(own, hook);
}
