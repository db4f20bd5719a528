#!/usr/bin/env bash
# brokers.sh - lays out the demo's two brokers: folders, certificates, accounts, configuration. It starts nothing.
#
#   brokers.sh DIR LAN_USER CLOUD_USER SOCKET_GROUP LIB_DIR
#
#   DIR/pki                         keys and certificates (pki.sh demo)
#   DIR/secrets/NAME.password       passwords of the LAN broker's accounts (dynsec-init)
#   DIR/lan/{conf,state,run}        LAN broker, runs as LAN_USER:    mosquitto -c DIR/lan/conf/mosquitto.conf
#   DIR/lan/run/lan.sock            its socket, for members of SOCKET_GROUP
#   DIR/cloud/{conf,state}          "cloud" broker, runs as CLOUD_USER, TLS 1.3 with client certificates on 127.0.0.1:8884
#
# Users and groups are names or numbers. LIB_DIR has gatewayd_denied.so. What the shipped configuration is for the LAN is also the
# demo's: conf/broker/mosquitto.conf.in. Run again it keeps keys, passwords and accounts, and writes the configuration anew.
# DEMO_DEVICES: accounts of devices, as dynsec-init's --device, separated by spaces.
set -euo pipefail
umask 077

here=$(dirname "$(readlink -f "$0")")
[ $# -eq 5 ] || { sed -n '4s/^# *//p' "$0" >&2; exit 2; }
dir=$1 lan_user=$2 cloud_user=$3 socket_group=$4 lib_dir=$5
cloud_port=8884

# place MODE OWNER GROUP FOLDER
place() {
	mkdir -p "$4"
	chown "$2:$3" "$4"
	chmod "$1" "$4"
}

# give GROUP FOLDER: the broker reads the files in it, root owns them.
give() {
	find "$2" -maxdepth 1 -type f -exec chown "root:$1" {} + -exec chmod 0640 {} +
}

group_of() {
	id -g "$1" 2>/dev/null || echo "$1"
}

# fill TEMPLATE TARGET NAME=VALUE...
fill() {
	local template=$1 target=$2 pair script=
	shift 2
	for pair; do
		script+="s|@${pair%%=*}@|${pair#*=}|g;"
	done
	sed "$script" "$template" >"$target"
	if grep -q '^[^#]*@[A-Z_]\+@' "$target"; then
		echo "brokers.sh: $target has a mark that was not filled in" >&2
		exit 1
	fi
}

lan_group=$(group_of "$lan_user")
cloud_group=$(group_of "$cloud_user")

place 0755 root root "$dir"
"$here/pki.sh" demo "$dir/pki"

lan=$dir/lan
place 0755 root root "$lan"
place 0750 root "$lan_group" "$lan/conf"
place 0750 root "$lan_group" "$lan/conf/conf.d"
place 0700 "$lan_user" "$lan_group" "$lan/state"
place 2750 "$lan_user" "$socket_group" "$lan/run"
devices=()
for device in ${DEMO_DEVICES:-}; do
	devices+=("--device=$device")
done
"$here/../broker/dynsec-init" --if-missing --state "$lan/state" --secrets "$dir/secrets" --owner "$lan_user:$lan_group" "${devices[@]}"
fill "$here/../broker/mosquitto.conf.in" "$lan/conf/mosquitto.conf" CONF_DIR="$lan/conf" STATE_DIR="$lan/state" RUN_DIR="$lan/run" LIB_DIR="$lib_dir"
cp "$dir/pki/home-ca.crt" "$dir/pki/lan-broker.crt" "$dir/pki/lan-broker.key" "$lan/conf/"
give "$lan_group" "$lan/conf"

cloud=$dir/cloud
place 0755 root root "$cloud"
place 0750 root "$cloud_group" "$cloud/conf"
place 0700 "$cloud_user" "$cloud_group" "$cloud/state"
fill "$here/mosquitto-cloud.conf" "$cloud/conf/mosquitto.conf" PORT=$cloud_port LISTEN=127.0.0.1 CONF_DIR="$cloud/conf" STATE_DIR="$cloud/state"
cp "$here/mosquitto-cloud.acl" "$dir/pki/cloud-ca.crt" "$dir/pki/cloud-broker.crt" "$dir/pki/cloud-broker.key" "$cloud/conf/"
give "$cloud_group" "$cloud/conf"
