// main - runs one simulated network: node main.mjs [--serial PORT|PATH] [--control PORT|PATH]
// [--state FILE] [--trace FILE] [--frozen] [--rows N] [--devices N] [--children N]. --frozen: the state is read and not
// written. --devices: N of all kinds have joined a network that is
// there already. Prints one JSON line when it listens; ends on SIGTERM or SIGINT.

import { appendFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { settle } from "./crowd.js";
import { Simulator } from "./simulator.js";

const { values } = parseArgs({ options: { serial: { type: "string", default: "0" }, control: { type: "string", default: "0" },
	state: { type: "string" }, trace: { type: "string" }, rows: { type: "string" }, frozen: { type: "boolean" }, devices: { type: "string" }, children: { type: "string" } } });

function where(text) {
	return /^\d+$/.test(text) ? { port: Number(text) } : { path: text };
}

function tracer(file) {
	return (direction, name, fields) => {
		const readable = (key, value) => value?.type === "Buffer" ? Buffer.from(value.data).toString("hex") : value;
		appendFileSync(file, `${JSON.stringify({ direction, name, ...fields }, readable)}\n`);
	};
}

const simulator = new Simulator({ serial: where(values.serial), control: where(values.control), stateFile: values.state,
	trace: values.trace && tracer(values.trace), rows: values.rows && Number(values.rows), frozen: values.frozen });
if (values.devices !== undefined) settle(simulator, Number(values.devices), Number(values.children ?? Infinity));
await simulator.start();
console.log(JSON.stringify({ ready: true, serial: simulator.serial, control: simulator.control }));

for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => simulator.stop().then(() => process.exit(0)));
