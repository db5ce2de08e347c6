# SPDX-License-Identifier: LGPL-2.1-or-later
# radius.sh - FreeRADIUS servers on the LAN host, each with a port and a few users of its own; and
# vpngw-authd with the drop-in that lets it reach them. Files of a server are below $W/radius-NAME.

RADIUS_SECRET=/etc/vpngw/private/radius.secret

# Ends the scenario as skipped where there is no FreeRADIUS.
radius_needed() {
	command -v freeradius >/dev/null || skip_all "no freeradius: scripts/deps"
}

# A new secret, which root alone can read.
radius_secret() {
	at_end+=("rm -f $RADIUS_SECRET")
	install -m 0600 /dev/null $RADIUS_SECRET && openssl rand -hex 24 >$RADIUS_SECRET
}

# The unit of vpngw-authd as vpngw-authd(8) says; only that it lives in namespace g as well.
radius_drop_in() {
	local dir=/run/systemd/system/vpngw-authd.service.d
	at_end+=("systemctl daemon-reload" "rm -f $dir/radius.conf $dir/namespace.conf")
	mkdir -p $dir || return 1
	printf '[Service]\nNetworkNamespacePath=/run/netns/g\n' >$dir/namespace.conf
	sed "s/^IPAddressAllow=.*/IPAddressAllow=$LAN_HOST/" \
		/usr/local/share/vpngw/vpngw-authd-radius.conf >$dir/radius.conf &&
		systemctl daemon-reload
}

# Starts one. Its users come on standard input, as in users(5) of FreeRADIUS. "old": without a
# Message-Authenticator in its answers, like those that are older than 2024.
radius_start() { # radius_start NAME PORT [old] <<'E' ... E
	local dir=$W/radius-$1 sign=$'update reply {\n Message-Authenticator := 0x00\n}'
	[ "${3:-}" != old ] || sign=
	mkdir -p "$dir"
	cat >"$dir/users"
	radius_write_conf "$dir" "$2" "$sign" >"$dir/radiusd.conf"
	become_in_ns l freeradius -f -l stdout -d "$dir" >"$dir/radius.log" 2>&1 &
	printf -v "radius_pid_$1" %s $!
	at_end+=("radius_stop $1")
	wait_for_line 20 "$dir/radius.log" 'Ready to process requests'
}

radius_write_conf() { # radius_write_conf DIR PORT SIGN
	cat <<E
name = radiusd
prefix = /usr
libdir = /usr/lib/freeradius
logdir = $1
raddbdir = $1
run_dir = $1
security {
	reject_delay = 0
}
log {
	destination = stdout
	auth = yes
	msg_goodpass = "at %{NAS-Identifier} from %{Calling-Station-Id}"
}
client gateway {
	ipaddr = 10.10.0.1
	secret = $(cat $RADIUS_SECRET)
	require_message_authenticator = yes
}
modules {
	pap {
	}
	files {
		usersfile = $1/users
	}
}
server default {
	listen {
		type = auth
		ipaddr = $LAN_HOST
		port = $2
	}
	authorize {
		files
		pap
	}
	authenticate {
		Auth-Type PAP {
			pap
		}
	}
	post-auth {
		$3
		Post-Auth-Type REJECT {
			$3
		}
	}
}
E
}

radius_signal() { # radius_signal NAME SIGNAL: STOP makes it silent
	local pid=radius_pid_$1
	kill "-$2" "${!pid}"
}

radius_says() { # radius_says NAME EXTENDED-REGEX: in its log, within ten seconds
	wait_for_line 10 "$W/radius-$1/radius.log" "$2"
}

radius_stop() { # radius_stop NAME
	local pid=radius_pid_$1
	[ -n "${!pid:-}" ] || return 0
	kill -CONT "${!pid}" 2>/dev/null
	stop_process "${!pid}"
	printf -v "$pid" %s ''
}
