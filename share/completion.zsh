#compdef vpngwctl
# SPDX-License-Identifier: LGPL-2.1-or-later
# zsh completion for vpngwctl(8). Names of sessions, users, addresses and pools come from the
# daemon, where the caller may ask it.

# Texts of these members in the answer to one call. What JSON escapes is left out.
_vpngwctl_ask() { # _vpngwctl_ask VERB MEMBER|MEMBER...
	local -a socket names
	[[ -z ${opt_args[--socket]} ]] || socket=(--socket "${opt_args[--socket]}")
	names=(${(f)"$(vpngwctl $socket $1 --json=short 2>/dev/null |
		grep -oE "\"($2)\":\"[^\"\\\\]*\"" | sed 's/^[^:]*:"//; s/"$//' | sort -u)"})
	compadd -a names
}

_vpngwctl_verbs() {
	local -a verbs
	verbs=(${(f)"$(vpngwctl --help 2>/dev/null | sed -n 's/^  \([a-z]\{1,\}\) .*/\1/p' | sort -u)"})
	compadd -a verbs
}

_vpngwctl_rest() {
	case $line[1] in
	config) compadd show cat diff ;;
	show | kick) _vpngwctl_ask list 'session|user|address' ;;
	leases)
		case $words[CURRENT-1] in
		release | unpin) _vpngwctl_ask leases address ;;
		pin) _vpngwctl_ask leases user ;;
		leases) compadd release pin unpin ;;
		*) [[ $words[CURRENT-2] != pin ]] || _vpngwctl_ask leases address ;;
		esac
		;;
	esac
}

local -a line
local -A opt_args
_arguments \
	'--json=-[JSON instead of text]:how:(pretty short)' \
	'--no-legend[neither header nor footer]' \
	'--no-pager[do not page long output]' \
	'--socket=[the control socket]:socket:_files' \
	'--user=[those of this user]:user: _vpngwctl_ask leases user' \
	'--pool=[those of this pool]:pool: _vpngwctl_ask pools name' \
	'--address=[those with this address]:address: _vpngwctl_ask leases address' \
	'--peer=[those from there]:address:' \
	'--sort=[by this column]:column:(session user address peer client since idle rx tx pool granted released)' \
	'--watch=-[again and again]:seconds:' \
	'--all[all sessions]' \
	'--reason=[why, for the journal]:text:' \
	'--config=[instead of the installed configuration]:file:_files' \
	'--per-user[series for each session and its user]' \
	'--wait[until the sessions have ended]' \
	'--help[a short help]' \
	'--version[the version]' \
	':verb:_vpngwctl_verbs' \
	'*:what:_vpngwctl_rest'
