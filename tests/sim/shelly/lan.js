// lan - a device's HTTP and WebSocket at /rpc (and /shelly), as on its port 80; and what can go wrong there.

import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { WebSocketServer } from "ws";

const hash = (text) => createHash("sha256").update(text).digest("hex");

export class Lan {
	constructor(device, { host, port }) {
		Object.assign(this, { device, host, port });
		this.sockets = new Map(); // WebSocket -> the name that the client gave itself, once it has said something
		this.unheard = new Set(); // who said something while it was mute
		this.connections = 0;
		device.on("notice", (frame) => this.tell(frame));
	}

	async start() {
		this.http = createServer((request, response) => this.serve(request, response));
		this.ws = new WebSocketServer({ noServer: true });
		this.http.on("upgrade", (request, socket, head) => {
			if (request.url !== "/rpc") return socket.destroy();
			this.ws.handleUpgrade(request, socket, head, (ws) => this.accept(ws));
		});
		await new Promise((resolve, reject) => this.http.once("error", reject).listen(this.port, this.host, resolve));
		this.port = this.http.address().port;
		return this;
	}

	// Without a word more, as when the power goes.
	async stop() {
		for (const ws of this.ws.clients) ws.terminate();
		this.http.closeAllConnections();
		await new Promise((resolve) => this.http.close(resolve));
	}

	accept(ws) {
		this.connections++;
		this.sockets.set(ws, null);
		ws.on("close", () => this.sockets.delete(ws));
		ws.on("error", () => ws.terminate());
		ws.on("message", (data) => {
			let frame;
			try {
				frame = JSON.parse(data);
			} catch {
				return ws.close(1003);
			}
			if (this.muted) return void this.unheard.add(ws);
			const answer = this.device.handle(frame);
			// Notices go to who has a name and, where there is a password, has proven it.
			if (frame.src && (!answer.error || answer.error.code !== 401) && frame.method !== "Shelly.GetDeviceInfo") this.sockets.set(ws, frame.src);
			ws.send(JSON.stringify(answer));
		});
	}

	tell(frame) {
		for (const [ws, name] of this.sockets) {
			if (name && !this.muted) ws.send(JSON.stringify({ ...frame, dst: name }));
		}
	}

	// Bytes as they are, to everybody: what a device should never say.
	raw(text, times = 1) {
		for (const ws of this.sockets.keys()) for (let i = 0; i < times; i++) ws.send(text);
	}

	// The process stands, the device does not answer: neither frames nor pings. Afterwards it knows nothing of what was said.
	mute(on) {
		this.muted = on;
		for (const ws of this.unheard) ws.terminate();
		this.unheard.clear();
		for (const ws of this.ws.clients) on ? ws._socket.pause() : ws._socket.resume();
	}

	authorised(header, method) {
		const field = (name) => new RegExp(`${name}="?([^",]+)"?`).exec(header ?? "")?.[1];
		const { device } = this;
		if (!header?.startsWith("Digest ") || field("realm") !== device.id || !device.nonces.has(Number(field("nonce")))) return false;
		return field("response") === hash([hash(`admin:${device.id}:${device.password}`), field("nonce"), field("nc"), field("cnonce"), "auth",
			hash(`${method}:${field("uri")}`)].join(":"));
	}

	async serve(request, response) {
		const url = new URL(request.url, "http://device");
		const json = (code, body, headers = {}) => response.writeHead(code, { "content-type": "application/json", connection: "close", ...headers }).end(JSON.stringify(body));
		if (url.pathname === "/shelly") return json(200, this.device.info());
		if (!url.pathname.startsWith("/rpc")) return json(404, {});
		let body = "";
		for await (const chunk of request) body += chunk;
		const frame = url.pathname === "/rpc" ? JSON.parse(body || "{}") :
			{ id: 0, method: url.pathname.slice(5), params: Object.fromEntries([...url.searchParams].map(([key, text]) => [key, JSON.parse(text)])) };
		if (this.device.password !== null && frame.method !== "Shelly.GetDeviceInfo" && !this.authorised(request.headers.authorization, request.method)) {
			const { nonce } = JSON.parse(this.device.challenge());
			return json(401, {}, { "www-authenticate": `Digest qop="auth", realm="${this.device.id}", nonce="${nonce}", algorithm=SHA-256` });
		}
		const answer = this.device.handle(frame, { trusted: true });
		return url.pathname === "/rpc" ? json(200, answer) : json(answer.error ? 500 : 200, answer.error ?? answer.result);
	}
}
