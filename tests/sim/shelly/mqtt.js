// mqtt - a device's MQTT transport: <id>/rpc in, <src>/rpc out, <id>/events/rpc, <id>/status/..., <id>/online; command topics.

import { connectAsync } from "mqtt";

export class Mqtt {
	constructor(device, { url, prefix = device.id, username, password }) {
		Object.assign(this, { device, url, prefix, username, password });
		device.on("notice", (frame, component) => this.tell(frame, component));
	}

	async start() {
		this.client = await connectAsync(this.url, { clientId: this.device.id, protocolVersion: 4, username: this.username, password: this.password,
			will: { topic: `${this.prefix}/online`, payload: "false", retain: true, qos: 0 } }, false);
		this.client.on("message", (topic, bytes) => this.take(topic, bytes.toString()));
		await this.client.subscribeAsync([`${this.prefix}/rpc`, `${this.prefix}/command`, `${this.prefix}/command/#`, "shellies/command"]);
		await this.client.publishAsync(`${this.prefix}/online`, "true", { retain: true });
		this.device.tellAll();
		return this;
	}

	take(topic, text) {
		if (topic === `${this.prefix}/rpc`) return this.rpc(text);
		const word = topic.startsWith(`${this.prefix}/command/`) ? topic.slice(this.prefix.length + 9) : null;
		if (word?.startsWith("switch:")) {
			const [id] = /\d+/.exec(word);
			this.device.handle({ method: "Switch.Set", params: { id: Number(id), on: text.startsWith("on") } }, { trusted: true });
		} else if (text === "status_update") {
			for (const [component, part] of Object.entries(this.device.status)) this.client.publish(`${this.prefix}/status/${component}`, JSON.stringify(part));
		} else if (text === "announce") {
			this.client.publish(`${this.prefix}/announce`, JSON.stringify(this.device.info()));
		}
	}

	rpc(text) {
		let frame;
		try {
			frame = JSON.parse(text);
		} catch {
			return;
		}
		const answer = this.device.handle(frame, { trusted: true });
		if (frame.src && frame.id !== undefined) this.client.publish(`${frame.src}/rpc`, JSON.stringify(answer));
	}

	tell(frame, component) {
		if (!this.client?.connected) return;
		this.client.publish(`${this.prefix}/events/rpc`, JSON.stringify({ ...frame, dst: `${this.prefix}/events` }));
		if (component) this.client.publish(`${this.prefix}/status/${component}`, JSON.stringify(this.device.status[component]));
	}

	async stop(clean = true) {
		if (clean) {
			await this.client.publishAsync(`${this.prefix}/online`, "false", { retain: true });
			await this.client.endAsync();
		} else {
			this.client.stream.destroy();
			await this.client.endAsync(true);
		}
	}
}
