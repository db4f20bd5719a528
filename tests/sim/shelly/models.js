// models - what each simulated Shelly is: its names as the maker's devices tell them, and the components of its status.

const meter = (watts = 0) => ({ apower: watts, voltage: 230.5, current: watts / 230, freq: 50, pf: watts ? 0.9 : 0,
	aenergy: { total: 1500, by_minute: [0, 0, 0], minute_ts: 1700000000 } });
const relay = (id, more = {}) => ({ id, source: "init", output: false, ...more, temperature: { tC: 41.5, tF: 106.7 } });
const contact = (id) => ({ id, state: false });
const button = (id) => ({ id, state: null });
const range = (n, of) => Array.from({ length: n }, (_, id) => of(id));
const keyed = (name, list) => Object.fromEntries(list.map((one) => [`${name}:${one.id}`, one]));

export const MODELS = {
	plus1pm: { app: "Plus1PM", model: "SNSW-001P16EU", gen: 2, id: "shellyplus1pm",
		status: () => ({ ...keyed("switch", [relay(0, meter())]), ...keyed("input", [contact(0)]) }) },
	plus2pm: { app: "Plus2PM", model: "SNSW-102P16EU", gen: 2, id: "shellyplus2pm", profile: "cover",
		status: () => ({ "cover:0": { id: 0, source: "init", state: "stopped", ...meter(), current_pos: 50, target_pos: null, move_timeout: null,
			pos_control: true, last_direction: "open", temperature: { tC: 40, tF: 104 } }, ...keyed("input", [contact(0), contact(1)]) }) },
	dimmer: { app: "DimmerG3", model: "S3DM-0010WW", gen: 3, id: "shelly0110dimg3",
		status: () => ({ "light:0": { id: 0, source: "init", output: false, brightness: 50, ...meter() }, ...keyed("input", [button(0), button(1)]) }) },
	pro4pm: { app: "Pro4PM", model: "SPSW-004PE16EU", gen: 2, id: "shellypro4pm",
		status: () => ({ ...keyed("switch", range(4, (id) => relay(id, meter()))), ...keyed("input", range(4, contact)),
			eth: { ip: null }, ui: {} }) },
	plusht: { app: "PlusHT", model: "SNSN-0013A", gen: 2, id: "shellyplusht", sleeps: 7200,
		status: () => ({ "temperature:0": { id: 0, tC: 21.5, tF: 70.7 }, "humidity:0": { id: 0, rh: 48.5 },
			"devicepower:0": { id: 0, battery: { V: 5.1, percent: 87 }, external: { present: false } }, ht_ui: {} }) },
	plusi4: { app: "PlusI4", model: "SNSN-0024X", gen: 2, id: "shellyplusi4", status: () => keyed("input", range(4, button)) },
};

/* What every one has. */
export function common(device) {
	const sys = { mac: device.mac, restart_required: false, time: "12:00", unixtime: 1700000000, uptime: 1, ram_size: 234204, ram_free: 137568,
		fs_size: 458752, fs_free: 180224, cfg_rev: 10, kvs_rev: 0, schedule_rev: 0, webhook_rev: 0, available_updates: {} };
	if (device.model.sleeps) Object.assign(sys, { wakeup_reason: { boot: "deepsleep_wake", cause: "status_update" }, wakeup_period: device.model.sleeps });
	return { ble: {}, cloud: { connected: false }, mqtt: { connected: false }, sys,
		wifi: { sta_ip: device.ip, status: "got ip", ssid: "home", rssi: -55 }, ws: { connected: false } };
}
