// broker - a Mosquitto of one's own on a unix socket, and a client that records what passes through it.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connectAsync } from "mqtt";

const CONNECT_TRIES = 50;

export class Broker {
	async start() {
		this.dir = mkdtempSync(join(tmpdir(), "sim-broker-"));
		this.url = `mqtt+unix://${join(this.dir, "socket")}`;
		const conf = join(this.dir, "mosquitto.conf");
		writeFileSync(conf, [`user ${userInfo().username}`, `listener 0 ${join(this.dir, "socket")}`, "allow_anonymous true",
			"persistence false", "log_dest stderr", "log_type error", ""].join("\n"));
		this.child = spawn("mosquitto", ["-c", conf], { stdio: ["ignore", "ignore", "inherit"],
			env: { PATH: `${process.env.PATH}:/usr/sbin:/usr/local/sbin` } });
		this.ended = new Promise((resolve, reject) => this.child.once("exit", resolve).once("error", reject));
		this.ended.catch(() => {});
		return this;
	}

	/* A recording client; tries until the broker listens. */
	async connect(options = {}) {
		for (let tries = 1; ; tries++) {
			try {
				const client = await connectAsync(this.url, { protocolVersion: 5, reconnectPeriod: 0, ...options }, false);
				return new Recorder(client);
			} catch (error) {
				if (tries === CONNECT_TRIES || this.child.exitCode !== null) throw error;
				await sleep(100);
			}
		}
	}

	async stop() {
		this.child.kill("SIGTERM");
		await this.ended;
		rmSync(this.dir, { recursive: true });
	}
}

export class Recorder {
	constructor(client) {
		this.client = client;
		this.messages = [];
		this.startedAt = Date.now();
		client.on("message", (topic, payload, { retain, qos }) =>
			this.messages.push({ ms: Date.now() - this.startedAt, topic, payload: payload.toString(), retain, qos }));
	}

	async subscribe(...topics) {
		await this.client.subscribeAsync(topics, { qos: 1, rap: true });
	}

	async publish(topic, payload) {
		await this.client.publishAsync(topic, typeof payload === "string" ? payload : JSON.stringify(payload), { qos: 1 });
	}

	/* The next message on that topic, from now on, whose JSON satisfies `wanted`; gives the JSON. */
	next(topic, wanted = () => true, timeout = 15000) {
		return new Promise((resolve, reject) => {
			const end = (action, value) => {
				clearTimeout(timer);
				this.client.off("message", onMessage);
				action(value);
			};
			const onMessage = (got, payload) => {
				if (got !== topic) return;
				const value = JSON.parse(payload.toString());
				if (wanted(value)) end(resolve, value);
			};
			const timer = setTimeout(() => end(reject, new Error(`nothing such on ${topic} within ${timeout} ms`)), timeout);
			this.client.on("message", onMessage);
		});
	}

	/* Like next, and content at once when the last message on the topic was such a one. */
	async until(topic, wanted, timeout) {
		const now = this.latest(topic);
		return now !== undefined && wanted(now) ? now : await this.next(topic, wanted, timeout);
	}

	latest(topic) {
		const message = this.messages.findLast((m) => m.topic === topic);
		return message && JSON.parse(message.payload);
	}

	async close() {
		await this.client.endAsync(true);
	}
}
