# SPDX-License-Identifier: LGPL-2.1-or-later
# libreswan.sh - a libreswan client per namespace: XAuth with a shared key or with certificates, in
# aggressive or main mode, an address by mode config. It knows no hybrid authentication.
#
# Its package cannot be installed beside strongSwan's. scripts/deps unpacks it below build/peers;
# here it is bound to the place that it was built for.

LIBRESWAN=$ROOT/build/peers/libreswan

# Ends the scenario as skipped where there is no libreswan.
lsw_needed() {
	[ -x "$LIBRESWAN/usr/libexec/ipsec/pluto" ] || skip_all "no libreswan in build/peers: scripts/deps"
	mountpoint -q /usr/libexec/ipsec && return
	mkdir -p /usr/libexec/ipsec
	mount --bind "$LIBRESWAN/usr/libexec/ipsec" /usr/libexec/ipsec && at_end+=(lsw_away)
}

lsw_away() {
	umount /usr/libexec/ipsec && rmdir /usr/libexec/ipsec
}

# lsw_client NAMESPACE ADDRESS [KEY=VALUE]...: writes the configuration and starts the daemon.
# ADDRESS is the client's own. Keys:
#   user, password   the login (alice, wonderland)
#   mode             aggressive or main (main)
#   auth             psk, or rsa for certificates (psk)
#   psk              the shared key (squeamish ossifrage)
#   group            the client's own phase 1 identity, in aggressive mode (staff)
#   p12              PKCS #12 file with certificate, key and CA, without a password
lsw_client() {
	local ns=$1 address=$2 dir=$W/$1 pair
	local user=alice password=wonderland mode=main auth=psk psk="squeamish ossifrage" group=staff
	local p12=
	shift 2
	for pair; do
		case ${pair%%=*} in
		user | password | mode | auth | psk | group | p12) printf -v "${pair%%=*}" %s "${pair#*=}" ;;
		*) echo "lsw_client knows no \"$pair\"" >&2 && return 1 ;;
		esac
	done
	mkdir -p "$dir/nss"
	lsw_write_conf >"$dir/ipsec.conf"
	lsw_write_updown >"$dir/updown"
	chmod +x "$dir/updown"
	printf ': PSK "%s"\n@%s : XAUTH "%s"\n' "$psk" "$user" "$password" >"$dir/secrets"
	certutil -N -d "sql:$dir/nss" --empty-password || return 1
	if [ -n "$p12" ]; then
		pk12util -i "$p12" -d "sql:$dir/nss" -W '' >"$dir/pk12util.log" &&
			certutil -M -d "sql:$dir/nss" -n "$(lsw_ca "$dir")" -t CT,, || return 1
	fi
	become_in_ns "$ns" /usr/libexec/ipsec/pluto --config "$dir/ipsec.conf" --nssdir "$dir/nss" \
		--secretsfile "$dir/secrets" --rundir "$dir" --logfile "$dir/pluto.log" --nofork \
		>"$dir/stderr.log" 2>&1 </dev/null &
	printf -v "lsw_pid_$ns" %s $!
	at_end+=("lsw_stop $ns")
	wait_for 30 test -S "$dir/pluto.ctl" &&
		in_ns "$ns" /usr/libexec/ipsec/addconn --config "$dir/ipsec.conf" \
			--ctlsocket "$dir/pluto.ctl" home >"$dir/load.log" 2>&1
}

# The nickname of what is no user's certificate.
lsw_ca() { # lsw_ca DIR
	certutil -L -d "sql:$1/nss" | sed -n 's/ *,,[^,]*$//p' | grep -v '^alice' | head -n 1
}

# Reads the variables of lsw_client.
lsw_write_conf() {
	cat <<E
config setup
  ikev1-policy=accept
  uniqueids=no
  dnssec-enable=no
conn home
  ikev2=no
  left=$address
  leftxauthclient=yes
  leftmodecfgclient=yes
  leftusername=$user
  modecfgpull=yes
  leftupdown=$dir/updown
  right=$GATEWAY
  rightid="CN=$GATEWAY_NAME"
  rightxauthserver=yes
  rightmodecfgserver=yes
  rightsubnet=10.10.0.0/24
  ike=aes256-sha2_256;modp2048
  esp=aes256-sha2_256
  pfs=no
  rekey=no
  aggressive=$([ $mode = main ] && echo no || echo yes)
E
	if [ $auth = rsa ]; then
		printf '  %s\n' authby=rsasig leftcert=alice leftid=%fromcert leftsendcert=always
	elif [ $mode = main ]; then
		printf '  %s\n' authby=secret
	else
		printf '  %s\n' authby=secret "leftid=@[$group]"
	fi
}

# What its own script does, but for the name servers of the whole system.
lsw_write_updown() {
	cat <<'E'
#!/bin/sh
case $PLUTO_VERB in
up-client)
	ip addr add "$PLUTO_MY_SOURCEIP/32" dev wan
	ip route replace "$PLUTO_PEER_CLIENT" dev wan src "$PLUTO_MY_SOURCEIP"
	;;
down-client)
	ip route del "$PLUTO_PEER_CLIENT" dev wan
	ip addr del "$PLUTO_MY_SOURCEIP/32" dev wan
	;;
esac
exit 0
E
}

lsw() { # lsw NAMESPACE WHACK-OPTION...
	in_ns "$1" /usr/libexec/ipsec/whack --ctlsocket "$W/$1/pluto.ctl" "${@:2}"
}

# Logs in. Fails when nothing has come of it within 40 seconds.
lsw_up() { # lsw_up NAMESPACE
	lsw "$1" --name home --initiate --asynchronous >"$W/$1/initiate.log" 2>&1
	wait_for 40 lsw_is_up "$1" && return
	tail -n 5 "$W/$1/pluto.log"
	return 1
}

lsw_is_up() { # lsw_is_up NAMESPACE
	lsw "$1" --trafficstatus | grep -q 'type=ESP'
}

lsw_down() { # lsw_down NAMESPACE
	lsw "$1" --name home --terminate
}

lsw_says() { # lsw_says NAMESPACE EXTENDED-REGEX: a line of the client's log, within ten seconds
	wait_for_line 10 "$W/$1/pluto.log" "$2"
}

lsw_stop() { # lsw_stop NAMESPACE
	local pid=lsw_pid_$1
	[ -n "${!pid:-}" ] || return 0
	lsw "$1" --shutdown >/dev/null 2>&1
	wait_for 10 gone "${!pid}" || stop_process "${!pid}"
	printf -v "$pid" %s ''
	xfrm_flush "$1"
	in_ns "$1" ip -4 addr flush to 10.99.99.0/24
	in_ns "$1" ip route del 10.10.0.0/24 2>/dev/null || true
}
