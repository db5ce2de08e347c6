# SPDX-License-Identifier: LGPL-2.1-or-later
# bash completion for vpngwctl(8). Names of sessions, users, addresses and pools come from the
# daemon, where the caller may ask it.

# Texts of these members in the answer to one call. What JSON escapes is left out.
_vpngwctl_ask() { # _vpngwctl_ask VERB MEMBER|MEMBER...
	vpngwctl "${_vpngwctl_socket[@]}" "$1" --json=short 2>/dev/null |
		grep -oE "\"($2)\":\"[^\"\\\\]*\"" | sed 's/^[^:]*:"//; s/"$//' | sort -u
}

# Those of the lines on standard input that begin with the word, quoted as the shell wants them.
_vpngwctl_offer() {
	local line
	while IFS= read -r line; do
		[[ $line == "$cur"* ]] && COMPREPLY+=("$(printf %q "$line")")
	done
}

_vpngwctl() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} verb='' i
	local -a _vpngwctl_socket=()
	COMPREPLY=()
	# "=" is a word of its own here.
	[ "$prev" != = ] || prev=${COMP_WORDS[COMP_CWORD - 2]}
	[ "$cur" != = ] || { cur='' prev=${COMP_WORDS[COMP_CWORD - 1]}; }
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--socket)
			[ "${COMP_WORDS[i + 1]}" != = ] || i=$((i + 1))
			i=$((i + 1))
			_vpngwctl_socket=(--socket "${COMP_WORDS[i]}")
			;;
		--user | --pool | --address | --peer | --sort | --reason | --config) i=$((i + 1)) ;;
		-* | =) ;;
		*) [ -n "$verb" ] || verb=${COMP_WORDS[i]} ;;
		esac
	done

	case $prev in
	--socket | --config)
		compopt -o default 2>/dev/null
		return
		;;
	--user) _vpngwctl_offer < <(_vpngwctl_ask leases user) && return ;;
	--pool) _vpngwctl_offer < <(_vpngwctl_ask pools name) && return ;;
	--address) _vpngwctl_offer < <(_vpngwctl_ask leases address) && return ;;
	--json) _vpngwctl_offer < <(printf '%s\n' pretty short) && return ;;
	--sort)
		_vpngwctl_offer < <(printf '%s\n' session user address peer client since idle \
			rx tx pool granted released) && return
		;;
	--reason | --peer | --watch) return ;;
	esac
	case $cur in
	-*)
		_vpngwctl_offer < <(printf '%s\n' --json --no-legend --no-pager --socket --help \
			--version
			case $verb in
			'' | list) printf '%s\n' --user --pool --address --peer --sort --watch ;;
			leases) printf '%s\n' --user --pool --address --sort --watch ;;
			kick) printf '%s\n' --all --pool --reason --wait ;;
			check) printf '%s\n' --config ;;
			log | monitor) printf '%s\n' --user ;;
			metrics) printf '%s\n' --per-user ;;
			passwd) printf '%s\n' --file --group --address --stdin --delete ;;
			esac)
		return
		;;
	esac
	case $verb in
	'')
		_vpngwctl_offer < <(vpngwctl --help 2>/dev/null |
			sed -n 's/^  \([a-z]\{1,\}\) .*/\1/p' | sort -u)
		;;
	config) _vpngwctl_offer < <(printf '%s\n' show cat diff) ;;
	show | kick) _vpngwctl_offer < <(_vpngwctl_ask list 'session|user|address') ;;
	leases)
		case $prev in
		release | unpin) _vpngwctl_offer < <(_vpngwctl_ask leases address) ;;
		pin) _vpngwctl_offer < <(_vpngwctl_ask leases user) ;;
		leases) _vpngwctl_offer < <(printf '%s\n' release pin unpin) ;;
		*) [ "${COMP_WORDS[COMP_CWORD - 2]}" != pin ] ||
			_vpngwctl_offer < <(_vpngwctl_ask leases address) ;;
		esac
		;;
	esac
}

complete -F _vpngwctl vpngwctl
