"use strict";
// Shows how a playground stands, twice a second, and works its switches.

const find = (id) => document.getElementById(id);
const course = { bins: [], marks: [] };

const TROUBLES = [
  ["machines crash", { on: "instance", is: "crash" }],
  ["machines hang", { on: "instance", is: "hang" }],
  ["machines answer 503", { on: "instance", is: "fails", status: 503 }],
  ["machines are slow by 500 ms", { on: "instance", is: "slow", ms: 500 }],
  ["machines flap every 3 s", { on: "instance", is: "flaps", ms: 3000 }],
  ["machines boot 20 s later", { on: "instance", is: "slow-boot", ms: 20000 }],
  ["machines never pass a check", { on: "instance", is: "never-healthy" }],
  ["machines break under traffic: half of it", { on: "instance", is: "breaks-under-traffic", share: 0.5 }],
  ["the network delays by 200 ms", { on: "network", is: "delay", ms: 200 }],
  ["the network drips 200 bytes a second", { on: "network", is: "drip", bytes: 200 }],
  ["the network stalls", { on: "network", is: "stall" }],
  ["the network resets connections", { on: "network", is: "reset" }],
  ["the network refuses connections", { on: "network", is: "refuse" }],
  ["the network is parted", { on: "network", is: "partition" }],
  ["calls are throttled", { on: "api", is: "throttle", mutating: true }],
  ["calls fail", { on: "api", is: "error", mutating: true }],
  ["replies are lost after the call was done", { on: "api", is: "lose-reply", mutating: true }],
  ["load balancing has an outage", { on: "api", is: "outage", service: "elasticloadbalancing" }],
  ["reads lag by 5 s", { on: "api", is: "lag", ms: 5000, mutating: true }],
];

function make(name, className, ...inside) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...inside);
  return made;
}

// Replaces what an element holds only if it would look different: what is focused stays.
function show(container, ...inside) {
  const next = make("div", "", ...inside);
  if (container.innerHTML !== next.innerHTML) container.replaceChildren(...next.childNodes);
}

function colorOf(site, targetGroup) {
  const targets = new Set(targetGroup.targets.map((target) => target.instance));
  const machine = site.machines.find((one) => targets.has(one.instance) && one.color);
  return machine?.color ?? "";
}

function routesOf(site) {
  const colors = Object.fromEntries(site.target_groups.map((group) => [group.name, colorOf(site, group)]));
  return site.listeners.flatMap((listener) => [{ priority: null, to: listener.to }, ...listener.rules].map((route) => {
    const reached = route.to.filter((one) => one.reached);
    const color = colors[reached[0]?.target_group] ?? "";
    const name = `${listener.load_balancer}:${listener.port}` + (route.priority === null ? "" : ` rule ${route.priority}`);
    const goes = route.to.map((one) => one.target_group + (route.to.length > 1 ? ` (${one.weight})` : "")).join(", ") || "no target group";
    return make("div", `card ${color}${listener.open ? "" : " idle"}`,
      make("strong", "", name), ` ${listener.protocol} `, make("span", "quiet", listener.open ? listener.address : "closed to the outside"),
      make("div", "", `→ ${goes}`));
  }));
}

function groupsOf(site) {
  return site.target_groups.map((group) => {
    const counts = {};
    for (const target of group.targets) counts[target.state] = (counts[target.state] ?? 0) + 1;
    const tags = Object.entries(counts).map(([state, count]) => make("span", `tag ${state}`, `${count} ${state}`));
    return make("div", `card ${colorOf(site, group)}${group.used ? "" : " idle"}`,
      make("strong", "", group.name), ` port ${group.port} `, make("span", "quiet", group.used ? "" : "no route names it"),
      make("div", "", ...(tags.length ? tags : [make("span", "quiet", "no targets")])));
  });
}

function machinesOf(site) {
  const states = {};
  for (const group of site.target_groups) for (const target of group.targets) (states[target.instance] ??= new Set()).add(target.state);
  return site.machines.map((machine) => {
    const known = machine.stopped ? ["stopped"] : [...(states[machine.instance] ?? [])];
    const tags = known.map((state) => make("span", `tag ${state}`, state));
    return make("div", `card ${machine.color ?? ""}`,
      make("strong", "", machine.instance), ` ${machine.image} `, make("span", "quiet", `${machine.group ?? "no group"}, ${machine.zone}${machine.terminating ? ", terminating" : ""}`),
      make("div", "", ...tags));
  });
}

function showTopology(sites) {
  const shown = sites.filter((site) => site.listeners.length || site.machines.length || site.target_groups.length);
  if (!shown.length) return show(find("topology"), make("p", "quiet", "There is nothing yet: make a load balancer, or start the playground without --empty."));
  show(find("topology"), ...shown.map((site) => make("section", "",
    make("p", "quiet", `account ${site.account}, ${site.region}`),
    make("div", "topology", make("div", "", ...routesOf(site)), make("div", "", ...groupsOf(site)), make("div", "", ...machinesOf(site))))));
}

function showLoad(load) {
  find("traffic").hidden = !load;
  if (!load) return;
  if (load.from === 0) course.bins = [];
  // The last bin was not full when it came.
  course.bins = [...course.bins.slice(0, load.from), ...load.bins];
  keys(find("keys"), plots(course.bins.slice(0, -1), load.marks, load.changes, find("requests"), find("latencies")));
  scoreTable(find("scores"), load.scores);
}

function showFaults(faults) {
  const items = faults.map((fault) => {
    const { id, ...rest } = fault;
    const lift = make("button", "", "Lift");
    lift.type = "button";
    lift.dataset.fault = id;
    lift.setAttribute("aria-label", `Lift fault ${id}`);
    return make("li", "", make("code", "", Object.entries(rest).map(([key, value]) => `${key} ${value}`).join(", ")), " ", lift);
  });
  show(find("faults"), ...(items.length ? items : [make("li", "quiet", "nothing goes wrong")]));
}

function showRun(runs) {
  if (!runs?.list.length) return show(find("run"), make("p", "quiet", "No run is known here."));
  const [newest] = runs.list;
  show(find("run"), make("p", "", make("strong", "", `${newest.operation} ${newest.environment}`), ` ${newest.state} `, make("code", "quiet", newest.run)),
    make("ol", "steps", ...runs.steps.map((step) => make("li", "", make("span", "tag", step.state), " ", step.text))));
}

function showCalls(calls) {
  const head = make("tr", "", ...["second", "account", "service", "action", "refused with"].map((text) => make("th", "", text)));
  const rows = calls.map((call) => make("tr", "", ...[(call.at.secs + call.at.nanos / 1e9).toFixed(1), call.account, call.service, call.action, call.error ?? ""].map((text) => make("td", "", `${text}`))));
  show(find("calls"), head, ...rows);
}

function showWhich(sites) {
  const which = find("which");
  const options = [["all", {}]];
  for (const site of sites) {
    for (const color of new Set(site.machines.map((one) => one.color).filter(Boolean))) options.push([`colour ${color}`, { color }]);
    for (const zone of new Set(site.machines.map((one) => one.zone))) options.push([`zone ${zone}`, { zone }]);
    for (const image of new Set(site.machines.map((one) => one.image))) options.push([`image ${image}`, { image }]);
    for (const machine of site.machines) options.push([`machine ${machine.instance}`, { instance: machine.instance }]);
  }
  const made = options.map(([text, value]) => {
    const option = make("option", "", text);
    option.value = JSON.stringify(value);
    return option;
  });
  const chosen = which.value;
  const next = made.map((one) => one.value).join();
  if (which.dataset.options === next) return;
  which.dataset.options = next;
  which.replaceChildren(...made);
  if (made.some((one) => one.value === chosen)) which.value = chosen;
}

async function ask(method, path, body) {
  const reply = await fetch(path, { method, body: body && JSON.stringify(body) });
  if (!reply.ok) throw new Error(await reply.text());
  return reply.json();
}

async function refresh() {
  try {
    const state = await ask("GET", `api/state?from=${Math.max(0, course.bins.length - 1)}`);
    if (state.load && state.load.from > 0 && state.load.bins.length === 0) course.bins = [];
    showTopology(state.sites);
    showWhich(state.sites);
    showLoad(state.load);
    showFaults(state.faults);
    showRun(state.runs);
    showCalls(state.calls);
    find("contact").textContent = "";
  } catch (error) {
    find("contact").textContent = `The playground does not answer (${error.message.trim()}).`;
  }
  setTimeout(refresh, 500);
}

function act(work) {
  work.catch((error) => { find("contact").textContent = error.message.trim(); });
}

find("endpoint").textContent = location.origin;
find("what").replaceChildren(...TROUBLES.map(([text], at) => {
  const option = make("option", "", text);
  option.value = at;
  return option;
}));
find("fault-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const [, trouble] = TROUBLES[find("what").value];
  const which = trouble.on === "api" ? {} : JSON.parse(find("which").value);
  const seconds = find("seconds").value === "" ? {} : { seconds: Number(find("seconds").value) };
  act(ask("POST", "api/faults", { ...trouble, ...which, ...seconds }));
});
find("faults").addEventListener("click", (event) => {
  const id = event.target.dataset.fault;
  if (id) act(ask("DELETE", `api/faults/${id}`));
});
find("load-form").addEventListener("submit", (event) => {
  event.preventDefault();
  course.bins = [];
  act(ask("POST", "api/load", { rate: Number(find("rate").value) }));
});
find("stop-load").addEventListener("click", () => act(ask("DELETE", "api/load")));
refresh();
