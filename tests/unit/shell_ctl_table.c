/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shell_ctl_table.c - what vpngwctl prints for people: tables, names of strangers, terminals. */
#include <wchar.h>

#include "ctl_run.h"

/* Columns that the first n bytes take. */
static int columns(const char *s, size_t n)
{
	wchar_t wide[512];
	char copy[1024];

	snprintf(copy, sizeof(copy), "%.*s", (int)n, s);
	return mbstowcs(wide, copy, ARRAY_SIZE(wide)) == (size_t)-1 ? -1 : wcswidth(wide, 512);
}

/* The width of the widest line; -1 when one is not UTF-8. CR and bold do not count. */
static int widest_line(const char *s)
{
	int most = 0;

	while (*s) {
		size_t n = strcspn(s, "\r\n"), len = 0;
		char line[1024];
		int w;

		for (size_t i = 0; i < n && len + 1 < sizeof(line); i++) {
			if (s[i] == '\x1b')
				i += strcspn(s + i, "m");
			else
				line[len++] = s[i];
		}
		w = columns(line, len);
		if (w < 0)
			return -1;
		if (w > most)
			most = w;
		s += n + strspn(s + n, "\r\n");
	}
	return most;
}

static void test_table(struct fake *f)
{
	fake_sessions(f, 2);
	strcpy(f->named[0].user, "alice");
	f->named[1].address = (struct ipaddr){ 0 };
	f->named[1].user[0] = '\0';
	is_int(run(f, "- --socket %s", f->path), 0, "vpngwctl without a verb lists");
	is_str(out,
	       "SESSION  USER  ADDRESS  PEER              CLIENT                               "
	       " SINCE                IDLE      RX     TX\n"
	       "5e550001 alice 10.9.0.2 198.51.100.0:4500 Cisco Systems VPN Client 5.0.07:Linux"
	       " 2026-11-23 18:54:05 01:05 1.5 KiB 12 MiB\n"
	       "5e550002 -     -        198.51.100.1:4500 Cisco Systems VPN Client 5.0.07:Linux"
	       " 2026-11-23 18:54:05 01:05 1.5 KiB 12 MiB\n"
	       "\n2 sessions.\n",
	       "the table: RX came from the client, what is absent is -");
	is_str(err, "", "and nothing on standard error");
	is_int(run(f, "- list --no-legend --socket %s", f->path), 0, "options after the verb");
	ok(strncmp(out, "5e550001 alice 10.9.0.2 ", 24) == 0 && !strstr(out, "sessions"),
	   "--no-legend leaves out header and footer");
	is_int(run(f, "TZ=Europe/Berlin - --no-legend --socket=%s list", f->path), 0,
	       "options before the verb");
	if (access("/usr/share/zoneinfo/Europe/Berlin", F_OK) == 0)
		ok(strstr(out, "2026-11-23 19:54:05") != NULL, "times are local");
	else
		skip(1, "no time zones on this machine");
	fake_sessions(f, 0);
	is_int(run(f, "- --socket %s", f->path), 0, "an empty list is no error");
	is_str(out, "No sessions.\n", "and says so");
	run(f, "- --no-legend --socket %s", f->path);
	is_str(out, "", "with --no-legend it says nothing");
}

static void test_strange_names(struct fake *f)
{
	static const char *const name[] = {
		"\x1b]0;owned\x07\x1b[2J\x1b[31m",
		"j\xc3\xbcrgen",
		"\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e",
		"e\xcc\x81ric",
		"a\xff\xfe\x80z",
		"\xe2\x80\xaegnp.exe\nroot",
		"0123456789012345678901234567890123456789012345678901234567890123",
		"DOMAIN\\alice",
	};
	bool aligned = true;
	unsigned lines = 0;

	fake_sessions(f, NAMED);
	for (unsigned i = 0; i < NAMED; i++)
		strcpy(f->named[i].user, name[i]);
	strcpy(f->named[0].client, "\x1b[2J\x9b"
				   "31m");
	run(f, "- --socket %s", f->path);
	ok(strchr(out, '\x1b') == NULL && strchr(out, '\x07') == NULL &&
		   strstr(out, "\xe2\x80\xae") == NULL,
	   "no control code and no override reaches the table");
	ok(strstr(out, "\\x1b]0;owned\\x07\\x1b[2J\\x1b[31m") && strstr(out, "\\x9b31m") &&
		   strstr(out, "a\\xff\\xfe\\x80z") && strstr(out, "gnp.exe\\x0aroot"),
	   "they are shown escaped");
	ok(strstr(out, "j\xc3\xbcrgen") && strstr(out, "\xe6\x97\xa5\xe6\x9c\xac") &&
		   strstr(out, "DOMAIN\\alice ") && strstr(out, name[6]),
	   "letters, a backslash and 64 characters are shown as they are");
	for (char *p = strchr(out, '\n'); p && p[1] != '\n'; p = strchr(p + 1, '\n')) {
		char *addr = strstr(p, "10.9.0.");

		aligned &= addr && columns(p + 1, (size_t)(addr - p - 1)) ==
					   columns(out, (size_t)(strstr(out, "ADDRESS") - out));
		lines++;
	}
	ok(aligned && lines == NAMED, "the columns are aligned by display width");
	run(f, "LC_ALL=C - --socket %s", f->path);
	ok(is_ascii(out) && strstr(out, "j\\xc3\\xbcrgen"),
	   "outside of UTF-8 locales the table is printable ASCII");
	run(f, "- show user=j\xc3\xbcrgen --socket %s", f->path);
	ok(strstr(out, "User: j\xc3\xbcrgen\n") != NULL, "show prints a UTF-8 name");
	is_int(run(f, "- show 'DOMAIN\\alice' --socket %s", f->path), 0,
	       "a name with a backslash is found as it is shown");
	is_int(run(f, "- show 'a\\xff\\xfe\\x80z' --socket %s", f->path), 0,
	       "a name of broken bytes is found as it is shown");
	is_int(run(f, "- show 'a\xff\xfe\x80z' --socket %s", f->path), 0, "and as it is");
}

static void test_terminal(struct fake *f)
{
	char line[512];

	fake_sessions(f, 4);
	strcpy(f->named[1].user, "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5\xe6\x9c\xac");
	snprintf(line, sizeof(line), "TERM=xterm - --socket %s", f->path);
	is_int(run_tty(f, 50, 100, line), 0, "list on a terminal");
	is_int(widest_line(out), 100, "the table is cut to the terminal");
	ok(strstr(out, "\xe2\x80\xa6 2026-11-23") != NULL, "an ellipsis ends what was cut");
	ok(strstr(out, "\x1b[1mSESSION") != NULL, "the header is bold");
	run_tty(f, 50, 60, line);
	ok(strstr(out, "1.5 KiB 12 MiB\r\n") != NULL, "numbers are never cut");
	run_tty(f, 50, 200, line);
	ok(!strstr(out, "\xe2\x80\xa6"), "a wide terminal gets it all");
	snprintf(line, sizeof(line), "TERM=xterm NO_COLOR=1 - --socket %s", f->path);
	run_tty(f, 50, 100, line);
	ok(!strchr(out, '\x1b'), "NO_COLOR is honoured");
	snprintf(line, sizeof(line), "TERM=dumb COLUMNS=90 - --socket %s", f->path);
	run_tty(f, 50, 100, line);
	ok(!strchr(out, '\x1b') && widest_line(out) == 90, "so are TERM and COLUMNS");
}

static void test_pager(struct fake *f)
{
	char line[512];

	fake_sessions(f, 40);
	snprintf(line, sizeof(line), "TERM=xterm 'PAGER=sed s/^/P:/' - --socket %s", f->path);
	run_tty(f, 24, 120, line);
	ok(strstr(out, "P:\x1b[1mSESSION") && strstr(out, "\nP:40 sessions."),
	   "what is longer than the screen goes through the pager");
	run_tty(f, 60, 120, line);
	ok(!strstr(out, "P:"), "what fits does not");
	snprintf(line, sizeof(line), "TERM=xterm 'PAGER=sed s/^/P:/' - --no-pager --socket %s",
		 f->path);
	run_tty(f, 24, 120, line);
	ok(!strstr(out, "P:") && strstr(out, "40 sessions."), "nor with --no-pager");
	snprintf(line, sizeof(line), "TERM=xterm PAGER=/nonexistent/less - --socket %s", f->path);
	is_int(run_tty(f, 24, 120, line), 0, "a pager that is not there");
	ok(strstr(out, "40 sessions.") != NULL, "is done without");
	snprintf(line, sizeof(line), "TERM=xterm PAGER=true - --socket %s", f->path);
	is_int(run_tty(f, 24, 120, line), 0, "a pager that reads nothing is no error");
	run(f, "'PAGER=sed s/^/P:/' - --socket %s", f->path);
	ok(!strstr(out, "P:"), "into a file there is no pager");
}

int main(void)
{
	static struct fake f;

	if (!run_setup(&f))
		return done();
	test_table(&f);
	test_strange_names(&f);
	test_terminal(&f);
	test_pager(&f);
	fake_stop(&f);
	return done();
}
