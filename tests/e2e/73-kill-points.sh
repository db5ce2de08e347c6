#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The gateway is killed at bad moments of a login, of new keys and of a logout, and nobody notices.
#
# Each time it dies in front of a system call that stands between two things that belong together. Its
# client, which repeats what is not answered, gets in, keeps its session, and leaves nothing behind.
# 95-kill-loop does the same at every call.
# time: 300 s

. "$(dirname "$0")/lib.sh"
dial_needed
kill_needed

killed() { # killed SENTENCE WHO SYSCALL N
	check "$1: the client notices nothing, and nothing is left" killed_there "${@:2}"
}

killed_there() {
	life_killed "$@" "$before" && was_killed
}

kill_begin
killed "with an address for the client, which is not told" main sendmsg 4
killed "while the lease is written" others pwrite64 2
killed "with the pair in the kernel, and the client not told" main sendmsg 6
killed "with the end of its first Quick Mode unread" main recvmmsg 6
killed "with the end of the next one unread" main recvmmsg 8
killed "between a newer pair and its policies" main sendto 5
killed "when the client has left, before anything is taken out" main sendto 6
check "strongSwan logs in afterwards" ss_client c1 proposals=aes256-sha256-x25519
check "with success" ss_up c1
check "and reaches the LAN" assert_traffic c1 "$(ss_address c1)"
check "and leaves" ss_down c1
check "nothing is left" assert_nothing_left
check "no store was damaged" not journal_says 'cannot be taken over'
finish
