/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shell_ctl_complete.c - what bash offers behind vpngwctl, with names from a daemon. */
#include "ctl_run.h"

/* The words that bash offers for the last of `words`, each with a blank behind, sorted. */
static const char *offered(struct fake *f, const char *words)
{
	char path[128];
	FILE *script;
	int rc;

	snprintf(path, sizeof(path), "%s/complete", f->dir);
	script = fopen(path, "we");
	if (!script)
		abort();
	fprintf(script,
		"vpngwctl() { %s \"$@\"; }\n"
		". share/completion.bash\n"
		"COMP_WORDS=(vpngwctl --socket %s %s)\n"
		"COMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n"
		"_vpngwctl\n"
		"[ ${#COMPREPLY[@]} = 0 ] || printf '%%s\\n' \"${COMPREPLY[@]}\" | sort | tr '\\n' "
		"' '\n",
		program, f->path, words);
	fclose(script);
	rc = run(f, "bash %s", path);
	if (rc != 0 || *err)
		printf("# %d %s\n", rc, err);
	unlink(path);
	return out;
}

int main(void)
{
	static struct fake f;

	if (!run_setup(&f))
		return done();
	if (system("command -v bash >/dev/null") != 0) {
		skip(1, "no bash on this machine");
		fake_stop(&f);
		return done();
	}
	fake_sessions(&f, 4);
	strcpy(f.named[0].user, "alice");
	strcpy(f.named[1].user, "al \"$(touch x)");
	strcpy(f.named[2].user, "alan t");
	f.n_leases = 2;
	is_str(offered(&f, "st"), "stats status ", "verbs, as --help has them");
	ok(strstr(offered(&f, "''"), "kick ") && strstr(out, "pools "), "all of them for nothing");
	is_str(offered(&f, "show al"), "alan\\ t alice ",
	       "users, quoted for the shell, but for those whom JSON would quote");
	is_str(offered(&f, "kick 5e5500"), "5e550001 5e550002 5e550003 5e550004 ", "sessions");
	is_str(offered(&f, "--no-legend show 10.9.0.5"), "10.9.0.5 ",
	       "addresses, behind an option as well");
	is_str(offered(&f, "leases ''"), "pin release unpin ", "what leases takes");
	is_str(offered(&f, "leases release ''"), "10.9.0.2 10.9.0.3 ", "addresses with a lease");
	is_str(offered(&f, "leases pin u"), "user0 user1 ", "users with one");
	is_str(offered(&f, "leases pin user0 ''"), "10.9.0.2 10.9.0.3 ", "and then addresses");
	is_str(offered(&f, "leases unpin 10.9.0.3 ''"), "", "and no more");
	is_str(offered(&f, "list --pool ''"), "default ", "pools");
	is_str(offered(&f, "list --pool = d"), "default ", "also behind a =");
	is_str(offered(&f, "list --sort = ''"),
	       "address client granted idle peer pool released rx session since tx user ",
	       "columns");
	is_str(offered(&f, "kick --"),
	       "--all --help --json --no-legend --no-pager --pool --reason --socket --version "
	       "--wait ",
	       "the options that the verb has");
	is_str(offered(&f, "check --c"), "--config ", "that of check");
	is_str(offered(&f, "kick --reason ''"), "", "nothing for a text");
	is_str(offered(&f, "config ''"), "cat diff show ", "what to see of the configuration");
	fake_stop(&f);
	return done();
}
