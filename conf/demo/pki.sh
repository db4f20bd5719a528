#!/usr/bin/env bash
# pki.sh - makes the keys and certificates of a demo home or a test (EC P-256, openssl command line).
#
#   pki.sh ca     DIR NAME             a certificate authority of its own: NAME-ca.key NAME-ca.crt
#   pki.sh server DIR CA NAME SAN...   a broker's certificate; SAN is DNS:name or IP:address
#   pki.sh client DIR CA NAME          a client certificate; NAME is its common name and, on the cloud broker, its user name
#   pki.sh pin    CERT                 prints the pin of a certificate: base64(SHA-256(SubjectPublicKeyInfo))
#   pki.sh demo   DIR                  all that ./dev run needs, see below; what is there already is kept
#
# Files are DIR/NAME.key (0600) and DIR/NAME.crt (0644). The environment variables PKI_FROM and PKI_UNTIL (YYYYMMDDHHMMSSZ)
# replace the usual life time, so that a test gets an expired certificate, or one not yet valid, from the right CA.
#
# These authorities keep their key beside the certificates, without a password: good for a demo and for tests, not for a house.
set -euo pipefail
umask 077

days_server=825
days_ca=3650

die() {
	echo "pki.sh: $*" >&2
	exit 1
}

usage() {
	sed -n '4,8s/^# \{0,1\}//p' "$0" >&2
	exit 2
}

# A name becomes a file name and a common name: letters, digits, dot, dash, underscore.
check_name() {
	[[ $1 =~ ^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$ ]] || die "bad name: $1"
}

stamp() {
	date -u -d "$1" +%Y%m%d%H%M%SZ
}

new_key() {
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.tmp"
	mv "$1.tmp" "$1"
}

make_ca() {
	local dir=$1 name=$2
	check_name "$name"
	mkdir -p "$dir"
	new_key "$dir/$name-ca.key"
	openssl req -new -x509 -sha256 -key "$dir/$name-ca.key" -days "$days_ca" -out "$dir/$name-ca.crt" \
		-subj "/O=gatewayd demo/CN=$name CA" -config /dev/stdin <<-CONF
		[req]
		distinguished_name = dn
		x509_extensions = ca
		[dn]
		[ca]
		basicConstraints = critical,CA:true,pathlen:0
		keyUsage = critical,keyCertSign,cRLSign
		subjectKeyIdentifier = hash
	CONF
	chmod 0644 "$dir/$name-ca.crt"
}

# issue DIR CA NAME USAGE [SAN...]: 'openssl ca' and not 'x509 -req', because only it takes a first and a last day.
issue() {
	local dir=$1 ca=$2 name=$3 usage=$4 san work rc=0
	shift 4
	san=$(IFS=,; echo "$*")
	check_name "$name"
	[ -f "$dir/$ca-ca.key" ] || die "no $dir/$ca-ca.key"
	new_key "$dir/$name.key"
	work=$(mktemp -d "$dir/.issue.XXXXXX")
	: >"$work/index"
	cat >"$work/conf" <<-CONF
		[ca]
		default_ca = demo
		[demo]
		database = $work/index
		rand_serial = yes
		new_certs_dir = $work
		default_md = sha256
		policy = any
		x509_extensions = ext
		unique_subject = no
		[any]
		organizationName = optional
		commonName = supplied
		[req]
		distinguished_name = dn
		[dn]
		[ext]
		basicConstraints = critical,CA:false
		keyUsage = critical,digitalSignature
		extendedKeyUsage = $usage
		subjectKeyIdentifier = hash
		authorityKeyIdentifier = keyid
		${san:+subjectAltName = $san}
	CONF
	{
		openssl req -new -key "$dir/$name.key" -subj "/O=gatewayd demo/CN=$name" -config "$work/conf" -out "$work/csr" &&
			openssl ca -batch -notext -config "$work/conf" -cert "$dir/$ca-ca.crt" -keyfile "$dir/$ca-ca.key" \
				-startdate "${PKI_FROM:-$(stamp '-1 day')}" -enddate "${PKI_UNTIL:-$(stamp "+$days_server days")}" \
				-in "$work/csr" -out "$work/crt"
	} 2>"$work/err" || rc=$?
	if [ "$rc" -ne 0 ]; then
		cat "$work/err" >&2
		rm -rf "$work"
		die "could not issue $name"
	fi
	mv "$work/crt" "$dir/$name.crt"
	chmod 0644 "$dir/$name.crt"
	rm -rf "$work"
}

pin() {
	openssl x509 -in "$1" -noout -pubkey | openssl pkey -pubin -outform DER | openssl dgst -sha256 -binary | openssl base64
}

# demo: two authorities, because who may run the house's broker and who may run the cloud's are different people.
#   home-ca    lan-broker                                        (LAN broker, loopback TLS)
#   cloud-ca   cloud-broker; link-cloud, platform                (clients of the cloud broker)
demo() {
	local dir=$1
	[ -f "$dir/home-ca.crt" ] || make_ca "$dir" home
	[ -f "$dir/cloud-ca.crt" ] || make_ca "$dir" cloud
	[ -f "$dir/lan-broker.crt" ] || issue "$dir" home lan-broker serverAuth DNS:localhost IP:127.0.0.1 IP:::1
	[ -f "$dir/cloud-broker.crt" ] || issue "$dir" cloud cloud-broker serverAuth DNS:localhost DNS:cloud.test IP:127.0.0.1 IP:::1
	[ -f "$dir/link-cloud.crt" ] || issue "$dir" cloud link-cloud clientAuth
	[ -f "$dir/platform.crt" ] || issue "$dir" cloud platform clientAuth
}

verb=${1:-}
[ -n "$verb" ] || usage
shift
case $verb in
ca)
	[ $# -eq 2 ] || usage
	make_ca "$@"
	;;
server)
	[ $# -ge 4 ] || usage
	dir=$1 ca=$2 name=$3
	shift 3
	issue "$dir" "$ca" "$name" serverAuth "$@"
	;;
client)
	[ $# -eq 3 ] || usage
	issue "$1" "$2" "$3" clientAuth
	;;
pin)
	[ $# -eq 1 ] || usage
	pin "$1"
	;;
demo)
	[ $# -eq 1 ] || usage
	demo "$1"
	;;
*)
	usage
	;;
esac
