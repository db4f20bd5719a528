"""report - rows of the table, the targets, and what is said about each."""

# figure, what it is, how it is written
ROWS = (
    ("rate_q0", "throughput QoS 0, msg/s", "{:,.0f}"),
    ("rate_q1", "throughput QoS 1, msg/s", "{:,.0f}"),
    ("lost_q0", "  lost, saturated, QoS 0", "{:.2%}"),
    ("lost_q1", "  lost, saturated, QoS 1", "{:.2%}"),
    ("late_q1", "  out of order, QoS 1", "{:,.0f}"),
    ("twice_q1", "  twice, QoS 1", "{:,.0f}"),
    ("cpu_max_q0", "CPU saturated QoS 0, us/msg", "{:.1f}"),
    ("cpu_max_q1", "CPU saturated QoS 1, us/msg", "{:.1f}"),
    ("p50_q0", "latency p50 at 1,000/s QoS 0, us", "{:,.0f}"),
    ("p99_q0", "latency p99 at 1,000/s QoS 0, us", "{:,.0f}"),
    ("p50_q1", "latency p50 at 1,000/s QoS 1, us", "{:,.0f}"),
    ("p99_q1", "latency p99 at 1,000/s QoS 1, us", "{:,.0f}"),
    ("cpu_1k_q0", "CPU at 1,000/s QoS 0, us/msg", "{:.1f}"),
    ("cpu_1k_q1", "CPU at 1,000/s QoS 1, us/msg", "{:.1f}"),
    ("pss_kb", "PSS of its processes, kB", "{:,.0f}"),
    ("first_ms", "start to first forwarded, ms", "{:.0f}"),
    ("outage_delivered", "kill -9 in an outage: delivered of 5,000", "{:,.0f}"),
    ("outage_twice", "  delivered twice", "{:,.0f}"),
    ("outage_late", "  out of order", "{:,.0f}"),
    ("outage_rate", "  accepted from one device, msg/s", "{:,.0f}"),
    ("outage_many_delivered", "  delivered, 50 devices at once", "{:,.0f}"),
    ("outage_many_rate", "  accepted from 50 devices, msg/s", "{:,.0f}"),
    ("flash_mb_h", "written to disk at 10 msg/s, MB/h", "{:.2f}"),
    ("wakeups_s", "wake-ups idle, 1/s", "{:.1f}"),
    ("idle_us_s", "CPU idle, us/s", "{:,.0f}"),
    ("soak_rss_kb_min", "soak: RSS slope, kB/min", "{:+,.0f}"),
    ("soak_fd_min", "soak: descriptor slope, 1/min", "{:+.2f}"),
    ("soak_lost", "soak: lost", "{:,.0f}"),
)

# our own Zigbee beside Zigbee2MQTT
ZIGBEE = (
    ("z_start_ms", "Zigbee: start to 100 devices known, ms", "{:,.0f}"),
    ("z_cmd_p50_ms", "  command to the lamp, p50, ms", "{:.2f}"),
    ("z_cmd_p99_ms", "  command to the lamp, p99, ms", "{:.2f}"),
    ("z_over_p50_ms", "    of which not the yardstick's, ms", "{:.2f}"),
    ("z_told_p50_ms", "  command to the answer, p50, ms", "{:.2f}"),
    ("z_told_p99_ms", "  command to the answer, p99, ms", "{:.2f}"),
    ("z_busy_cmd_p50_ms", "  100 reports/s: to the lamp, p50, ms", "{:.2f}"),
    ("z_busy_cmd_p99_ms", "  100 reports/s: to the lamp, p99, ms", "{:.2f}"),
    ("z_busy_told_p50_ms", "  100 reports/s: to the answer, p50, ms", "{:.2f}"),
    ("z_busy_told_p99_ms", "  100 reports/s: to the answer, p99, ms", "{:.2f}"),
    ("z_pss_kb", "  PSS (ours: the adapter), kB", "{:,.0f}"),
    ("z_all_pss_kb", "  PSS with the core, kB", "{:,.0f}"),
    ("z_wakeups_s", "  wake-ups idle (ours: the adapter), 1/s", "{:.1f}"),
    ("z_idle_us_s", "  CPU idle (ours: the adapter), us/s", "{:,.0f}"),
)

# what, (system, figure), "at least" or "at most", factor, (peer system, peer figure) or None when the factor is the bound
TARGETS = (
    ("throughput QoS 0 against (b)", ("gateway", "rate_q0"), ">=", 0.8, ("republisher", "rate_q0")),
    ("throughput QoS 1 against (b)", ("gateway", "rate_q1"), ">=", 0.8, ("republisher", "rate_q1")),
    ("p99 at 1,000 msg/s QoS 0 against (a)", ("gateway", "p99_q0"), "<=", 2.0, ("bridge", "p99_q0")),
    ("p99 at 1,000 msg/s QoS 1 against (a)", ("gateway", "p99_q1"), "<=", 2.0, ("bridge", "p99_q1")),
    ("PSS of core, wifi and cloud, kB", ("gateway", "pss_kb"), "<=", 10240, None),
    ("start to first forwarded, ms", ("gateway", "first_ms"), "<=", 100, None),
    ("kill -9: delivered of 5,000", ("gateway", "outage_delivered"), ">=", 5000, None),
    ("kill -9: safe msg/s against (a) autosave", ("gateway", "outage_rate"), ">=", 30.0,
     ("bridge-autosave", "outage_rate")),
    ("policy check p99, 5,000 devices against 10", ("micro", "policy_p99_ratio"), "<=", 1.3, None),
    ("sealed database against plain, registry", ("micro", "vault_registry_xchacha"), "<=", 1.3, None),
    ("sealed database against plain, spool", ("micro", "vault_spool_xchacha"), "<=", 1.3, None),
    ("sealed database against plain, audit log", ("micro", "vault_audit_xchacha"), "<=", 1.3, None),
    ("login: unknown user against known, apart", ("micro", "login_difference"), "<=", 0.05, None),
    ("Zigbee: memory against Zigbee2MQTT", ("zigbee", "z_pss_kb"), "<=", 1 / 25, ("zigbee2mqtt", "z_pss_kb")),
    ("Zigbee: start against Zigbee2MQTT", ("zigbee", "z_start_ms"), "<=", 1 / 5, ("zigbee2mqtt", "z_start_ms")),
    ("Zigbee: command p99, 100 reports/s, against it", ("zigbee", "z_busy_cmd_p99_ms"), "<=", 1 / 3, ("zigbee2mqtt", "z_busy_cmd_p99_ms")),
    ("Zigbee: PSS of the adapter, 100 devices, kB", ("zigbee", "z_pss_kb"), "<=", 3072, None),
    ("Zigbee: wake-ups of the adapter, idle, 1/s", ("zigbee", "z_wakeups_s"), "<=", 2, None),
)

# one module each, by the programs bench-*
MICRO = (
    ("policy_p50_10_ns", "policy check, 10 devices, p50, ns", "{:,.0f}"),
    ("policy_p99_10_ns", "policy check, 10 devices, p99, ns", "{:,.0f}"),
    ("policy_p50_5000_ns", "policy check, 5,000 devices, p50, ns", "{:,.0f}"),
    ("policy_p99_5000_ns", "policy check, 5,000 devices, p99, ns", "{:,.0f}"),
    ("wire_put_ns", "wire, a report into a packet, ns", "{:,.0f}"),
    ("wire_take_ns", "wire, a report out of a packet, ns", "{:,.0f}"),
    ("wire_report_bytes", "wire, a report, bytes", "{:,.0f}"),
    ("store_rows_s", "store, rows a second, kill -9 safe", "{:,.0f}"),
    ("store_rows_sync_s", "store, rows a second, synced", "{:,.0f}"),
    ("store_done_p99_us", "store, submit to done, one at a time, p99, us", "{:,.0f}"),
    ("vault_registry_ms", "registry on a plain database, ms", "{:,.0f}"),
    ("vault_registry_xchacha", "  sealed with XChaCha20, against plain", "{:.2f}"),
    ("vault_registry_xchacha_cpu", "    CPU alone", "{:.2f}"),
    ("vault_registry_sm4", "  sealed with SM4 and SM3, against plain", "{:.2f}"),
    ("vault_registry_sm4_cpu", "    CPU alone", "{:.2f}"),
    ("vault_spool_ms", "spool on a plain database, ms", "{:,.0f}"),
    ("vault_spool_xchacha", "  sealed with XChaCha20, against plain", "{:.2f}"),
    ("vault_spool_xchacha_cpu", "    CPU alone", "{:.2f}"),
    ("vault_spool_sm4", "  sealed with SM4 and SM3, against plain", "{:.2f}"),
    ("vault_spool_sm4_cpu", "    CPU alone", "{:.2f}"),
    ("vault_audit_ms", "audit log on a plain database, ms", "{:,.0f}"),
    ("vault_audit_xchacha", "  sealed with XChaCha20, against plain", "{:.2f}"),
    ("vault_audit_xchacha_cpu", "    CPU alone", "{:.2f}"),
    ("vault_audit_sm4", "  sealed with SM4 and SM3, against plain", "{:.2f}"),
    ("vault_audit_sm4_cpu", "    CPU alone", "{:.2f}"),
    ("login_known_ms", "wrong password of a known user, ms", "{:.2f}"),
    ("login_unknown_ms", "wrong password of an unknown user, ms", "{:.2f}"),
    ("login_difference", "  apart", "{:.2%}"),
    ("login_locked_difference", "  apart when both are locked out", "{:.2%}"),
)

# printed for the reader, without a bound
RATIOS = (
    ("kill -9: 50 devices, against (a) autosave", ("gateway", "outage_many_rate"), ("bridge-autosave", "outage_many_rate")),
    ("throughput QoS 0 against (a)", ("gateway", "rate_q0"), ("bridge", "rate_q0")),
    ("throughput QoS 1 against (a)", ("gateway", "rate_q1"), ("bridge", "rate_q1")),
    ("throughput QoS 1 against (a) unlimited", ("gateway", "rate_q1"), ("bridge-unlimited", "rate_q1")),
    ("CPU at 1,000/s QoS 1 against (a)", ("gateway", "cpu_1k_q1"), ("bridge", "cpu_1k_q1")),
    ("Zigbee: command p50 against Zigbee2MQTT", ("zigbee", "z_cmd_p50_ms"), ("zigbee2mqtt", "z_cmd_p50_ms")),
    ("Zigbee: the same above the yardstick", ("zigbee", "z_over_p50_ms"), ("zigbee2mqtt", "z_over_p50_ms")),
    ("Zigbee: command p99 in a quiet home", ("zigbee", "z_cmd_p99_ms"), ("zigbee2mqtt", "z_cmd_p99_ms")),
    ("Zigbee: command p50, 100 reports/s", ("zigbee", "z_busy_cmd_p50_ms"), ("zigbee2mqtt", "z_busy_cmd_p50_ms")),
    ("Zigbee: memory with the core against it", ("zigbee", "z_all_pss_kb"), ("zigbee2mqtt", "z_all_pss_kb")),
    ("Zigbee: command p99 to the answer against it", ("zigbee", "z_told_p99_ms"), ("zigbee2mqtt", "z_told_p99_ms")),
    ("CPU at 1,000/s QoS 1 against (b)", ("gateway", "cpu_1k_q1"), ("republisher", "cpu_1k_q1")),
)


def median(values):
    ordered = sorted(values)
    mid = len(ordered) // 2
    return ordered[mid] if len(ordered) % 2 else (ordered[mid - 1] + ordered[mid]) / 2


def medians(raw):
    """{system: {figure: [value of each turn]}} -> {system: {figure: median}}"""
    return {key: {name: median(values) for name, values in found.items()} for key, found in raw.items()}


def _ratio(found, one, other):
    top, bottom = found.get(one[0], {}).get(one[1]), found.get(other[0], {}).get(other[1])
    return None if top is None or not bottom else top / bottom


def judge(found):
    """A row for each target: what, value, operator, bound, met (None: not measured), words."""
    rows = []
    for what, one, operator, bound, peer in TARGETS:
        value = _ratio(found, one, peer) if peer else found.get(one[0], {}).get(one[1])
        if value is None:
            rows.append((what, None, operator, bound, None, "not measured"))
            continue
        met = value >= bound if operator == ">=" else value <= bound
        missed = bound / value if operator == ">=" and value else value / bound
        rows.append((what, value, operator, bound, met, "met" if met else f"missed by a factor of {missed:.2f}"))
    return rows


def _block(found, titles, rows, width):
    """A column for each system that has one of those figures."""
    rows = [row for row in rows if any(row[0] in found.get(key, {}) for key in titles)]
    keys = [key for key in titles if any(row[0] in found.get(key, {}) for row in rows)]
    lines = ["", " " * width + "".join(f"{titles[key]:>20}" for key in keys)] if rows else []
    for name, what, form in rows:
        cells = (form.format(found[key][name]) if name in found[key] else "-" for key in keys)
        lines.append(f"{what:<{width}}" + "".join(f"{cell:>20}" for cell in cells))
    return lines


def table(found, titles):
    width = max(len(row[1]) for row in ROWS + ZIGBEE + MICRO) + 2
    lines = _block(found, titles, ROWS, width) + _block(found, titles, ZIGBEE, width)
    micro = found.get("micro", {})
    lines += [""] if micro else []
    return lines + [f"{what:<{width}}{form.format(micro[name]):>20}" for name, what, form in MICRO if name in micro]


def verdicts(found):
    lines = ["", "targets (ratios of medians in this run)"]
    for what, value, operator, bound, _, words in judge(found):
        shown = "-" if value is None else f"{value:,.2f}" if value >= 0.1 else f"{value:.3f}"
        lines.append(f"  {what:<44}{shown:>12}  {operator} {bound:<8,g} {words}")
    lines += ["", "for the reader"]
    for what, one, other in RATIOS:
        value = _ratio(found, one, other)
        lines.append(f"  {what:<44}" + ("           -" if value is None else f"{value:>12,.2f}"))
    return lines
