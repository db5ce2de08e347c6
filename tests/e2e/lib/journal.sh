# SPDX-License-Identifier: LGPL-2.1-or-later
# journal.sh - what the gateway wrote since the scenario began.

# Called by gw_start: lines before this moment belong to others. By time, not by cursor: with a
# match, --after-cursor leaves out the first line that fits.
journal_mark() {
	journal_since=@$EPOCHREALTIME
}

journal_lines() { # journal_lines [OPTION or FIELD=VALUE]...
	journalctl -q --no-pager --since="${journal_since:-today}" \
		-u vpngw.service -u vpngw-authd.service -u vpngw-nft.service "$@"
}

# A line with all of these VPNGW_ fields: journal_has EVENT=session-up USER=alice.
journal_has() { # journal_has NAME=VALUE...
	[ -n "$(journal_lines -n 1 -o cat "${@/#/VPNGW_}")" ]
}

# How many lines there are with all of these fields.
journal_count() { # journal_count NAME=VALUE...
	journal_lines -o cat "${@/#/VPNGW_}" | wc -l
}

journal_has_times() { # journal_has_times NUMBER NAME=VALUE...
	[ "$(journal_count "${@:2}")" -ge "$1" ]
}

# The same, now or within ten seconds.
assert_journal() { # assert_journal NAME=VALUE...
	wait_for 10 journal_has "$@" && return
	echo "lines with an event or a reason in this scenario:"
	journal_lines -o json | jq -c 'with_entries(select(.key | test("^(MESSAGE|VPNGW_.*)$")))
		| select(.VPNGW_EVENT or .VPNGW_REASON)'
	return 1
}

# Prints one field of the last line that has these.
journal_field() { # journal_field NAME NAME=VALUE...
	local name=VPNGW_$1
	shift
	journal_lines -n 1 -o json "${@/#/VPNGW_}" | jq -r --arg name "$name" '.[$name] // ""'
}

# A line of any kind, by its text, now or within ten seconds.
assert_journal_says() { # assert_journal_says EXTENDED-REGEX
	wait_for 10 journal_says "$1" && return
	journal_lines -o cat | tail -n 15
	return 1
}

journal_says() {
	journal_lines -o cat | grep -qiE -- "$1"
}
