#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Proof of the harness, not of vpngw: strongSwan plays the gateway.
#
# The same network, clients and assertions have to work with it. Not run by default. When scenarios
# fail, run `tests/e2e/run peer-baseline': if this fails too, look at the harness or at the
# machine.

. "$(dirname "$0")/lib.sh"

standin_start() {
	local dir=$W/standin
	mkdir -p "$dir"/{x509,private,x509ca}
	cp "$PKI/$GATEWAY_NAME.pem" "$dir/x509/gateway.pem"
	cp "$PKI/$GATEWAY_NAME.key" "$dir/private/gateway.key"
	cat >"$dir/strongswan.conf" <<E
charon-systemd {
  load = random nonce openssl pem pkcs1 pkcs8 x509 revocation constraints pubkey kernel-netlink \
    socket-default vici xauth-generic unity
  cisco_unity = yes
  plugins {
    vici { socket = unix://$dir/vici }
  }
  journal { default = -1 }
  filelog {
    log {
      path = $dir/charon.log
      time_format = %T
      default = 1
      ike = 2
      cfg = 1
      flush_line = yes
    }
  }
}
swanctl {
  load = random openssl pem pkcs1 pkcs8 x509
  socket = unix://$dir/vici
}
E
	cat >"$dir/swanctl.conf" <<E
connections {
  hybrid {
    version = 1
    aggressive = yes
    local_addrs = $GATEWAY
    proposals = aes256-sha256-modp2048, aes256-sha1-modp2048
    pools = default
    send_cert = always
    unique = never
    local {
      auth = pubkey
      certs = gateway.pem
      id = "CN=$GATEWAY_NAME"
    }
    remote {
      auth = xauth-generic
    }
    children {
      lan {
        local_ts = 10.10.0.0/24
        esp_proposals = aes256-sha256, aes256-sha1
      }
    }
  }
}
pools {
  default {
    addrs = 10.99.99.1-10.99.99.50
    dns = 10.10.0.2
    28672 = "Welcome to the test gateway"
    28674 = "example.net"
  }
}
secrets {
  xauth-alice {
    id = alice
    secret = wonderland
  }
  xauth-bob {
    id = bob
    secret = chunnel
  }
  xauth-long {
    id = $long_user
    secret = "$long_password"
  }
}
E
	STRONGSWAN_CONF=$dir/strongswan.conf become_in_ns g charon-systemd >"$dir/stderr.log" 2>&1 &
	standin_pid=$!
	at_end+=(standin_stop)
	wait_for 30 test -S "$dir/vici" && ss standin --load-all --noprompt >"$dir/load.log"
}

standin_stop() {
	stop_process "$standin_pid"
}

long_user=$(printf 'u%.0s' {1..64})
long_password='päßwörd-пароль-密码'

must "the network comes up" topo_up
pki_make
must "captures work" capture_start
must "the stand-in gateway starts" standin_start

# --- one client at a time -------------------------------------------------------------------------

must "a strongSwan client starts" ss_client d
must "it logs in directly" ss_up d
check "it gets an address" matches "$(ss_address d)" '10.99.99.*'
check "it reaches the LAN through the SAs" assert_traffic d "$(ss_address d)"
check "the LAN reaches it" assert_reachable "$(ss_address d)"
check "it gets a DNS server" grep -q 'nameserver 10.10.0.2' "$W/d/resolv.conf"
check "its ESP is not in UDP" assert_esp_seen 6 plain
check "nothing passed in clear" assert_outside_clean
check "it logs out" ss_down d
check "the kernel is clean" assert_kernel_clean
ss_stop d

must "a vpnc client logs in directly" vpnc_up d natt=force-natt
check "it gets the banner" equal "$(vpnc_got d CISCO_BANNER)" "Welcome to the test gateway"
check "it reaches the LAN through the SAs" assert_traffic d "$(vpnc_address d)"
vpnc_down d
check "the kernel is clean" assert_kernel_clean

# --- behind the NAT -------------------------------------------------------------------------------

must "a strongSwan client starts behind the NAT" ss_client c1
must "it logs in" ss_up c1
must "a second one with another login starts behind the same NAT" \
	ss_client c2 user=bob password=chunnel
must "it logs in" ss_up c2
check "their addresses differ" not equal "$(ss_address c1)" "$(ss_address c2)"
check "the first reaches the LAN" assert_traffic c1 "$(ss_address c1)"
check "the second reaches the LAN" assert_traffic c2 "$(ss_address c2)"
check "the gateway has two pairs of SAs towards the NAT's address" equal "$(sa_count $NAT)" 4
check "their ESP is in UDP" assert_esp_seen 12 udp
check "nothing passed in clear" assert_outside_clean
ss_down c1 >/dev/null
ss_down c2 >/dev/null
ss_stop c1
ss_stop c2
check "the kernel is clean" assert_kernel_clean

must "a vpnc client logs in behind the NAT" vpnc_up c1
must "a second one behind the same NAT, too" vpnc_up c2 user=alice password=wonderland
check "the first reaches the LAN" assert_traffic c1 "$(vpnc_address c1)"
check "the second reaches the LAN" assert_traffic c2 "$(vpnc_address c2)"
vpnc_down c1
vpnc_down c2
check "the kernel is clean" assert_kernel_clean

# --- passwords ------------------------------------------------------------------------------------

must "a strongSwan client with a wrong password starts" ss_client c1 password=looking-glass
check "it is refused" not ss_up c1
check "it says why" ss_says c1 "$ss_refused"
ss_stop c1
check "vpnc is refused with a wrong password" not vpnc_up c1 password=wrong
check "vpnc can carry a long name and a UTF-8 password" \
	vpnc_up c1 "user=$long_user" "password=$long_password"
vpnc_down c1
must "a strongSwan client with these starts" \
	ss_client c2 "user=$long_user" "password=$long_password"
check "it logs in" ss_up c2
ss_stop c2

# --- other refusals, and the end from the gateway's side ------------------------------------------

must "a client that expects another gateway starts" ss_client d id=CN=other.example.net
check "it does not log in" not ss_up d
check "it says why" ss_says d "$ss_wrong_name"
ss_stop d
must "a client with a weaker phase 1 starts" ss_client d proposals=aes128-sha1-modp1024
check "it does not log in" not ss_up d
check "it says why" ss_says d "$ss_no_proposal"
ss_stop d
must "a client with a weaker phase 2 starts" ss_client d esp=aes128-sha1
check "it gets no tunnel" not ss_up d
check "it says why" ss_says d "$ss_no_proposal"
ss_stop d
must "a client starts" ss_client d
must "it logs in" ss_up d
must "vpnc logs in" vpnc_up c1
ss standin --terminate --ike hybrid
check "strongSwan gets the DELETE" ss_says d "$ss_deleted"
check "it has no tunnel any more" wait_for 10 ss_is_down d
# strongSwan deletes the ESP SA first: vpnc then waits half a minute for a new one.
check "vpnc exits" wait_for 60 vpnc_gone c1
check "nothing passed in clear" assert_outside_clean

# --- what the assertions are for ------------------------------------------------------------------

ip -n d route add 10.10.0.0/24 via $GATEWAY
check "a ping without any tunnel is answered, too" in_ns d ping -n -c 1 -W 5 $LAN_HOST
check "but the capture notices" not assert_outside_clean
check "and there are no SAs that carried it" not sa_bytes $DIRECT
ip -n d route del 10.10.0.0/24
finish
