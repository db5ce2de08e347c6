# SPDX-License-Identifier: LGPL-2.1-or-later
# topology.sh - the network, made of namespaces.
#
#    l ------------ g ------------ i ------------ r ------ c1  192.168.1.2
#  LAN host      gateway       internet       NAT router
#  10.10.0.2     10.10.0.1         |          198.51.100.1 \
#                198.51.100.2      |                        c2  192.168.2.2
#                                  d
#                            direct client
#                            198.51.100.10
#
# All outside have an IPv6 address, too, that ends like the other one: 2001:db8:100::/64 is the
# internet, 2001:db8:1::/64 and 2001:db8:2::/64 are behind the NAT, which translates IPv6 as well.
#
# i is a switch; captures are taken there, at the port to g, where only the wire is seen: inside g
# a capture also shows packets after their decryption. The gateway's default route leads to r, and
# nobody outside has a route to the LAN or to leased addresses: what leaks is dropped, and seen.

GATEWAY=198.51.100.2
LAN_HOST=10.10.0.2
DIRECT=198.51.100.10 # d, as the gateway sees it
NAT=198.51.100.1     # c1 and c2, as the gateway sees them
GATEWAY6=2001:db8:100::2
DIRECT6=2001:db8:100::10
NAT6=2001:db8:100::1
NAMESPACES="l g i r c1 c2 d"

# IPv6 inside, where a scenario wants it: the pool's network, and the LAN's after topo_inner6.
POOL6=fd00:99::/64
LAN6=fd00:10::/64
LAN_HOST6=fd00:10::2

in_ns() { # in_ns NAMESPACE COMMAND [ARG]...
	nsenter --net="/run/netns/$1" -- "${@:2}"
}

# The same for the background, `become_in_ns ... &': the pid in $! is that of COMMAND itself.
become_in_ns() { # become_in_ns NAMESPACE COMMAND [ARG]...
	exec nsenter --net="/run/netns/$1" -- "${@:2}"
}

topo_modules="veth bridge tun esp4 esp6 xfrm_user xfrm_interface xfrm4_tunnel nf_tables nft_chain_nat
	nft_masq nf_conntrack"

topo_is_guest() {
	[ -d /run/vpngw-guest ]
}

topo_exists() {
	[ -e /run/vpngw-e2e/topology ]
}

# Makes the network unless an earlier scenario of this boot did; then what its traffic taught the
# hosts, paths of a small MTU above all, is forgotten.
topo_up() {
	local n
	if topo_exists; then
		for n in $NAMESPACES; do ip -n "$n" route flush cache; done
		return
	fi
	# shellcheck disable=SC2086
	modprobe -qa $topo_modules
	modprobe -q aesni_intel # faster where the processor has it
	for n in $NAMESPACES; do
		[ ! -e "/run/netns/$n" ] || skip_all "there is a network namespace \"$n\" that is not ours"
	done
	{
		for n in $NAMESPACES; do echo "netns add $n"; done
		cat <<'E'
link add eth0 netns l type veth peer name lan netns g
link add wan netns g type veth peer name g netns i
link add out netns r type veth peer name r netns i
link add wan netns d type veth peer name d netns i
link add wan netns c1 type veth peer name in1 netns r
link add wan netns c2 type veth peer name in2 netns r
E
	} | ip -batch - || return 1
	topo_interfaces || return 1
	for n in g r; do in_ns $n sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'; done
	in_ns r sh -c 'echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'
	in_ns r nft -f - <<'E'
table ip nat {
	chain postrouting {
		type nat hook postrouting priority srcnat
		oifname "out" masquerade
	}
}
table ip6 nat {
	chain postrouting {
		type nat hook postrouting priority srcnat
		oifname "out" masquerade
	}
}
E
	touch /run/vpngw-e2e/topology
}

topo_interfaces() {
	ip -n l -batch - <<'E' || return 1
addr add 10.10.0.2/24 dev eth0
link set dev lo up
link set dev eth0 up
route add default via 10.10.0.1
E
	ip -n g -batch - <<'E' || return 1
addr add 10.10.0.1/24 dev lan
addr add 198.51.100.2/24 dev wan
addr add 2001:db8:100::2/64 dev wan nodad
link set dev lo up
link set dev lan up
link set dev wan up
route add default via 198.51.100.1
route add ::/0 via 2001:db8:100::1
E
	ip -n i -batch - <<'E' || return 1
link add switch type bridge
link set dev g master switch up
link set dev r master switch up
link set dev d master switch up
link set dev switch up
E
	ip -n r -batch - <<'E' || return 1
addr add 198.51.100.1/24 dev out
addr add 2001:db8:100::1/64 dev out nodad
addr add 192.168.1.1/24 dev in1
addr add 2001:db8:1::1/64 dev in1 nodad
addr add 192.168.2.1/24 dev in2
addr add 2001:db8:2::1/64 dev in2 nodad
link set dev lo up
link set dev out up
link set dev in1 up
link set dev in2 up
E
	ip -n c1 -batch - <<'E' || return 1
addr add 192.168.1.2/24 dev wan
addr add 2001:db8:1::2/64 dev wan nodad
link set dev lo up
link set dev wan up
route add default via 192.168.1.1
route add ::/0 via 2001:db8:1::1
E
	ip -n c2 -batch - <<'E' || return 1
addr add 192.168.2.2/24 dev wan
addr add 2001:db8:2::2/64 dev wan nodad
link set dev lo up
link set dev wan up
route add default via 192.168.2.1
route add ::/0 via 2001:db8:2::1
E
	ip -n d -batch - <<'E' || return 1
addr add 198.51.100.10/24 dev wan
addr add 2001:db8:100::10/64 dev wan nodad
link set dev lo up
link set dev wan up
E
}

# The LAN has IPv6, and the gateway forwards it, until the end of the scenario.
topo_inner6() {
	at_end+=(topo_no_inner6)
	in_ns g sh -c 'echo 1 >/proc/sys/net/ipv6/conf/all/forwarding' &&
		ip -n g addr add fd00:10::1/64 dev lan nodad &&
		ip -n l addr add $LAN_HOST6/64 dev eth0 nodad &&
		ip -n l route add ::/0 via fd00:10::1
}

topo_no_inner6() {
	ip -n l route del ::/0
	ip -n l addr del $LAN_HOST6/64 dev eth0
	ip -n g addr del fd00:10::1/64 dev lan
	in_ns g sh -c 'echo 0 >/proc/sys/net/ipv6/conf/all/forwarding'
}

# The router lets nothing through: to and from a client behind it, or from it alone ("away").
cut_off() { # cut_off NAMESPACE [away]
	local in=in${1#c} back=
	[ "${2:-}" = away ] || back="oifname \"$in\" drop"
	in_ns r nft -f - <<E || return 1
table ip cut {
	chain forward {
		type filter hook forward priority filter
		iifname "$in" drop
		$back
	}
}
E
	at_end+=(reconnect)
}

reconnect() {
	in_ns r nft 'add table ip cut; delete table ip cut'
}

xfrm_flush() { # xfrm_flush NAMESPACE
	printf 'xfrm %s flush\n' state policy | ip -n "$1" -batch -
}

# Puts an end to everything; a guest needs no such thing.
topo_down() {
	local n
	topo_exists || return 0
	for n in $NAMESPACES; do echo "netns del $n"; done | ip -force -batch -
	rm -f /run/vpngw-e2e/topology
}
