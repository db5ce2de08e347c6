/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * shell_metrics.c - what is scraped: OpenMetrics with every counter of the gateway, from vpngwctl
 * and from vpngw-metrics; and that the dashboard and the alerts name nothing else.
 */
#include <netinet/in.h>

#include "ctl/metrics_text.h"
#include "ctl_run.h"
#include "ike/ike.h"
#include "openmetrics.h"

static struct om om;
static char server_program[512];

/* ---- what a gateway of today counts ---- */

/* Answers with every counter and reason that there is. */
static char *text_of_today(void)
{
	json_t *counters = json_array(), *refusals = json_array(), *stats;
	json_t *status = json_pack("{s:s, s:i, s:i, s:i, s:i, s:i, s:s, s:[{s:s, s:i, s:i, s:i, "
				   "s:i}], s:[]}",
				   "version", "9.9", "since_unix", EPOCH, "sessions", 2,
				   "half_open", 1, "incomplete", 0, "cert_expires_unix", EPOCH + 1,
				   "authd", "connected", "pools", "name", "default", "size", 50,
				   "leased", 2, "kept", 3, "draining", 0, "warnings");
	json_t *sessions =
		json_pack("{s:[{s:s, s:s, s:i, s:i, s:i}]}", "sessions", "session", "5e550001",
			  "user", "alice", "since_unix", EPOCH, "bytes_in", 1, "bytes_out", 2);
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	for (int i = 0; i < IKE_C__COUNT; i++)
		json_array_append_new(counters,
				      json_pack("{s:s, s:i, s:s}", "name", ike_counter_name(i),
						"value", i, "meaning", "a\nmeaning"));
	for (int i = 1; i < IKE_R__COUNT; i++)
		json_array_append_new(
			refusals, json_pack("{s:s, s:i}", "name", ike_reason_key(i), "value", i));
	json_array_append_new(counters, json_pack("{s:s, s:i}", "name", "bytes_in", "value", 1234));
	json_array_append_new(counters,
			      json_pack("{s:s, s:i}", "name", "bytes_out", "value", 5678));
	stats = json_pack("{s:o, s:o}", "counters", counters, "refusals", refusals);
	metrics_text(f, status, stats, sessions);
	fclose(f);
	json_decref(status);
	json_decref(stats);
	json_decref(sessions);
	return text;
}

static void test_every_counter(void)
{
	_cleanup_free_ char *text = text_of_today();
	unsigned missing = 0, reasons = 0;
	char want[32];

	ok(om_read(text, &om), "what a gateway counts is OpenMetrics");
	for (int i = 0; i < IKE_C__COUNT; i++) {
		unsigned found = 0;

		snprintf(want, sizeof(want), "%d", i);
		for (unsigned k = 0; k < om.n; k++)
			found += strcmp(om.sample[k].value, want) == 0;
		missing += !found;
	}
	is_int(missing, 0, "every counter is in it");
	for (unsigned k = 0; k < om.n; k++)
		reasons += strcmp(om.sample[k].name, "vpngw_refusals_total") == 0;
	is_int(reasons, IKE_R__COUNT - 1, "every reason is a label");
	is_str(om_get(&om, "vpngw_traffic_bytes_total", "direction=\"out\""), "5678",
	       "so is the direction of traffic");
	is_str(om_get(&om, "vpngw_pool_kept_addresses", "pool=\"default\""), "3",
	       "every pool is one, too");
}

/* ---- the dashboard and the alerts ---- */

static char *file_text(const char *path)
{
	FILE *f = fopen(path, "re");
	char *text = calloc(1, 1 << 20);

	if (!f || !text || !fread(text, 1, (1 << 20) - 1, f))
		abort();
	fclose(f);
	return text;
}

/* Names of metrics in `text` that are not scraped, and labels of reasons; returns how many names. */
static unsigned names_in(const char *text, unsigned *ret_unknown)
{
	unsigned n = 0;

	for (const char *s = text; (s = strstr(s, "vpngw_")); n++) {
		size_t len = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_");
		char name[128], reason[64], label[80];

		snprintf(name, sizeof(name), "%.*s", (int)len, s);
		s += len;
		if (!om_get(&om, name, NULL)) {
			printf("# %s is not scraped\n", name);
			(*ret_unknown)++;
		}
		if (sscanf(s, "{reason=\"%63[^\"]\"", reason) != 1)
			continue;
		snprintf(label, sizeof(label), "reason=\"%s\"", reason);
		if (!om_get(&om, name, label)) {
			printf("# %s{%s} is not scraped\n", name, label);
			(*ret_unknown)++;
		}
	}
	return n;
}

static void test_dashboard(void)
{
	json_t *board = json_load_file("share/vpngw-dashboard.json", JSON_REJECT_DUPLICATES, NULL),
	       *panel, *target;
	unsigned unknown = 0, silent = 0, there = 0;
	size_t i, k;

	ok(json_is_object(board), "the dashboard is JSON");
	json_array_foreach (json_object_get(board, "panels"), i, panel) {
		there += json_array_size(json_object_get(panel, "targets")) > 0 &&
			 json_is_integer(json_object_get(json_object_get(panel, "gridPos"), "w"));
		json_array_foreach (json_object_get(panel, "targets"), k, target) {
			const char *expr = json_string_value(json_object_get(target, "expr"));

			silent += !expr || !names_in(expr, &unknown);
		}
	}
	ok(i > 10 && there == i, "each of its panels has a place and asks for something");
	is_int(silent, 0, "namely for a metric");
	is_int(unknown, 0, "that there is");
	json_decref(board);
}

/*
 * As much of YAML as the file has: a list of rules, a line for a value. What promtool would say where
 * there is none.
 */
static void test_alerts(void)
{
	_cleanup_free_ char *text = file_text("share/vpngw-alerts.yml");
	static const char *const key[] = { "- alert: ", "expr: ",       "for: ",
					   "labels:",   "severity: ",   "annotations:",
					   "summary: ", "description: " };
	static const unsigned depth[] = { 6, 8, 8, 8, 10, 8, 10, 10 };
	unsigned n[ARRAY_SIZE(key)] = { 0 }, unknown = 0, silent = 0, strange = 0;
	char *line, *at = strstr(text, "    rules:\n") + strlen("    rules:\n");

	while ((line = strsep(&at, "\n")) && *line) {
		unsigned k = 0;

		while (k < ARRAY_SIZE(key) &&
		       (strspn(line, " ") != depth[k] ||
			strncmp(line + depth[k], key[k], strlen(key[k])) != 0))
			k++;
		/* What would be no text to YAML any more. */
		if (k == ARRAY_SIZE(key) || strstr(line + depth[k] + strlen(key[k]), ": ") ||
		    strstr(line, " #") || strchr("{[\"'", line[depth[k] + strlen(key[k])])) {
			strange += k == ARRAY_SIZE(key) || line[depth[k] + strlen(key[k])];
			if (strange)
				printf("# %s\n", line);
		}
		if (k < ARRAY_SIZE(key))
			n[k]++;
		if (k == 1)
			silent += !names_in(line, &unknown);
	}
	is_int(strange, 0, "the alerts are made of what alerts have");
	ok(n[0] > 5 && n[1] == n[0] && n[4] == n[0] && n[6] == n[0] && n[7] == n[0],
	   "each has an expression, a severity, and words for people");
	is_int(silent, 0, "each asks for a metric");
	is_int(unknown, 0, "that there is");
	/* scripts/deps unpacks it there. */
	if (system("PATH=$PATH:build/peers/prometheus/usr/bin command -v promtool >/dev/null") == 0)
		is_int(system("PATH=$PATH:build/peers/prometheus/usr/bin "
			      "promtool check rules share/vpngw-alerts.yml >&2"),
		       0, "promtool agrees");
	else
		skip(1, "no promtool: scripts/deps");
}

/* ---- vpngwctl metrics ---- */

static void test_verb(struct fake *f)
{
	is_int(run(f, "- metrics --socket %s", f->path), 0, "vpngwctl metrics");
	ok(om_read(out, &om), "writes OpenMetrics");
	is_str(om_get(&om, "vpngw_up", ""), "1", "the gateway is up");
	is_str(om_get(&om, "vpngw_build_info", "version=\"9.9\""), "1", "its version");
	is_str(om_get(&om, "vpngw_sessions", ""), "3", "its sessions");
	is_str(om_get(&om, "vpngw_logins_total", ""), "77", "what it has counted");
	is_str(om_get(&om, "vpngw_refusals_total", "reason=\"auth-failed\""), "12345678",
	       "and refused");
	ok(!strstr(out, "user0"), "no user is named");
	is_int(run(f, "- metrics --json --socket %s", f->path), 2, "it has no JSON");
	is_int(run(f, "- metrics x --socket %s", f->path), 2, "and takes no argument");
	is_int(run(f, "- list --per-user --socket %s", f->path), 2, "list has no --per-user");
}

/* Everything that ends a label, a line or a terminal's patience. */
static void test_per_user(struct fake *f)
{
	strcpy(f->named[0].user, "mallory\"} 1\n# EOF\n\\");
	strcpy(f->named[1].user, "m\xc3\xbcller\x1b[2J\xe2\x80\xae");
	is_int(run(f, "- metrics --per-user --socket %s", f->path), 0,
	       "vpngwctl metrics --per-user");
	ok(om_read(out, &om), "writes OpenMetrics, whatever users are called");
	is_str(om_get(&om, "vpngw_session_traffic_bytes_total",
		      "session=\"5e550003\",user=\"user2\",direction=\"in\""),
	       "1536", "has series for each session");
	is_str(om_get(&om, "vpngw_session_start_time_seconds",
		      "session=\"5e550001\",user=\"mallory\\\"} 1\\\\x0a# EOF\\\\x0a\\\\\""),
	       "1795460045", "with names that end nothing");
	is_str(om_get(&om, "vpngw_session_start_time_seconds",
		      "session=\"5e550002\",user=\"m\xc3\xbcller\\\\x1b[2J\\\\xe2\\\\x80\\\\xae\""),
	       "1795460045", "and move no cursor");
	fake_sessions(f, 3);
}

static void test_nobody(struct fake *f)
{
	is_int(run(f, "- metrics --socket %s/none", f->dir), 3,
	       "without a gateway the status is 3");
	is_str(out,
	       "# TYPE vpngw_up gauge\n# HELP vpngw_up The gateway answers.\nvpngw_up 0\n# EOF\n",
	       "and the text says so, too");
}

/* ---- vpngw-metrics ---- */

struct scraper {
	pid_t pid;
	struct sockaddr_in at;
};

/* As systemd does it: a socket that listens is its descriptor 3. */
static struct scraper scraper_start(const struct fake *f, const char *socket_path)
{
	struct scraper s = { .at = { .sin_family = AF_INET,
				     .sin_addr = { htonl(INADDR_LOOPBACK) } } };
	socklen_t n = sizeof(s.at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&s.at, n) < 0 || listen(fd, 64) < 0 ||
	    getsockname(fd, (struct sockaddr *)&s.at, &n) < 0)
		abort();
	fflush(stdout);
	s.pid = fork();
	if (s.pid == 0) {
		char pid[16];
		int log = open(f->log, O_WRONLY | O_APPEND);

		snprintf(pid, sizeof(pid), "%d", getpid());
		setenv("LISTEN_PID", pid, 1);
		setenv("LISTEN_FDS", "1", 1);
		dup2(log, STDERR_FILENO);
		if (fd != 3)
			dup2(fd, 3);
		else
			fcntl(3, F_SETFD, 0);
		execl(server_program, "vpngw-metrics", "--per-user", "--socket", socket_path,
		      (char *)NULL);
		_exit(126);
	}
	close(fd);
	return s;
}

static void scraper_stop(const struct scraper *s)
{
	int status;

	is_int(waitpid(s->pid, &status, WNOHANG), 0, "vpngw-metrics still runs");
	kill(s->pid, SIGTERM);
	waitpid(s->pid, &status, 0);
	ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM, "and ends when it is told to");
}

static int dial(const struct scraper *s)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || (connect(fd, (const struct sockaddr *)&s->at, sizeof(s->at)) < 0 &&
		       errno != EINPROGRESS))
		abort();
	return fd;
}

/* Everything up to the end; the gateway runs meanwhile. -1: nothing more for `ms`. */
static ssize_t hear(struct fake *f, int fd, unsigned ms)
{
	uint64_t end = clock_us(CLOCK_MONOTONIC) + ms * UINT64_C(1000);
	size_t len = 0;
	ssize_t n;

	while ((n = recv(fd, out + len, sizeof(out) - 1 - len, 0)) != 0) {
		if (n > 0)
			len += (size_t)n;
		else if (errno != EAGAIN && errno != ENOTCONN)
			break;
		else if (clock_us(CLOCK_MONOTONIC) > end)
			return -1;
		else
			fake_turn(f, 1000);
	}
	out[len] = '\0';
	return (ssize_t)len;
}

/* One request on a connection of its own; the status of the answer, 0 without one. */
static int fetch(struct fake *f, const struct scraper *s, const void *request, size_t n)
{
	int fd = dial(s), status = 0;
	size_t sent = 0;

	while (sent < n) {
		ssize_t r = send(fd, (const char *)request + sent, n - sent, MSG_NOSIGNAL);

		if (r < 0 && errno != EAGAIN)
			break;
		sent += r > 0 ? (size_t)r : 0;
		fake_turn(f, 100);
	}
	if (hear(f, fd, 9000) < 0 || sscanf(out, "HTTP/1.1 %d ", &status) != 1)
		status = 0;
	close(fd);
	return status;
}

static int fetch_text(struct fake *f, const struct scraper *s, const char *request)
{
	return fetch(f, s, request, strlen(request));
}

static const char *body(void)
{
	const char *b = strstr(out, "\r\n\r\n");

	return b ? b + 4 : "";
}

static void test_scrape(struct fake *f, const struct scraper *s)
{
	static const char get[] = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";
	char length[64];
	unsigned before;

	is_int(fetch_text(f, s, get), 200, "a scrape is answered");
	ok(om_read(body(), &om), "with OpenMetrics");
	is_str(om_get(&om, "vpngw_sessions", ""), "3", "that the gateway was asked for");
	ok(om_get(&om, "vpngw_session_start_time_seconds", "session=\"5e550002\",user=\"user1\""),
	   "--per-user names users");
	snprintf(length, sizeof(length), "\r\nContent-Length: %zu\r\n", strlen(body()));
	ok(strstr(out, length) != NULL, "its length is what it says");
	is_int(fetch_text(f, s, "HEAD /metrics HTTP/1.1\r\n\r\n"), 200, "so is HEAD");
	is_str(body(), "", "without a body");
	fake_run_for(f, 1100);
	before = f->snapshots;
	for (int i = 0; i < 50; i++)
		fetch_text(f, s, get);
	ok(f->snapshots - before <= 5, "many scrapes at once ask the gateway a few times (%u)",
	   f->snapshots - before);
}

static void test_hostile(struct fake *f, const struct scraper *s)
{
	static char flood[1 << 20];
	int fd;

	is_int(fetch_text(f, s, "GET /etc/passwd HTTP/1.1\r\n\r\n"), 404, "there is one path");
	is_int(fetch_text(f, s, "DELETE /metrics HTTP/1.1\r\n\r\n"), 405, "which can be read");
	is_int(fetch_text(f, s, "\x16\x03\x01\n"), 400, "by HTTP alone");
	is_int(fetch_text(f, s, "GET /metrics\n"), 400, "of this century");
	memset(flood, 'a', sizeof(flood));
	is_int(fetch(f, s, flood, 4000), 414, "what does not end is refused");
	fetch(f, s, flood, sizeof(flood));
	fd = dial(s);
	fake_run_for(f, 20);
	send(fd, "GET /metrics HTTP/1.1\r\n\r\n", 26, MSG_NOSIGNAL);
	close(fd);
	is_int(fetch_text(f, s, "GET /metrics HTTP/1.1\r\n\r\n"), 200,
	       "after a megabyte of nothing, and after one who did not wait, it still answers");
}

/* All places are taken by those who say nothing: the next one waits until their time is up. */
static void test_silent(struct fake *f, const struct scraper *s)
{
	int fd[LIMIT_METRICS_CLIENTS], late;
	uint64_t start = clock_us(CLOCK_MONOTONIC), took;

	for (size_t i = 0; i < ARRAY_SIZE(fd); i++)
		fd[i] = dial(s);
	fake_run_for(f, 100);
	send(fd[0], "GET /met", 8, MSG_NOSIGNAL);
	late = dial(s);
	fake_run_for(f, 100);
	send(late, "GET /metrics HTTP/1.1\r\n\r\n", 25, MSG_NOSIGNAL);
	ok(hear(f, late, (LIMIT_METRICS_S + 5) * 1000) > 0 && strncmp(out, "HTTP/1.1 200", 12) == 0,
	   "who comes when all places are taken is served in the end");
	took = (clock_us(CLOCK_MONOTONIC) - start) / 1000000;
	ok(took >= LIMIT_METRICS_S - 1 && took < LIMIT_METRICS_S + 5,
	   "when the time of the silent ones is up (%u s)", (unsigned)took);
	is_int(hear(f, fd[0], 1000), 0, "who are hung up on");
	for (size_t i = 0; i < ARRAY_SIZE(fd); i++)
		close(fd[i]);
	close(late);
}

static void test_down(struct fake *f)
{
	struct scraper s;
	char path[96], all[65536];
	const char *said;

	snprintf(path, sizeof(path), "%s/none", f->dir);
	s = scraper_start(f, path);
	is_int(fetch_text(f, &s, "GET /metrics HTTP/1.1\r\n\r\n"), 200,
	       "without a gateway a scrape is answered, too");
	is_int(om_read(body(), &om) && om.n == 1 &&
		       strcmp(om_get(&om, "vpngw_up", "") ?: "", "0") == 0,
	       1, "with vpngw_up 0");
	fake_run_for(f, 1100);
	fetch_text(f, &s, "GET /metrics HTTP/1.1\r\n\r\n");
	scraper_stop(&s);
	slurp(STDERR_FILENO, all, sizeof(all));
	said = strstr(all, "vpngw is not running");
	ok(said && !strstr(said + 1, "vpngw is not running"), "and that is said once");
}

int main(void)
{
	const char *build = getenv("BUILD");
	static struct fake f;
	struct scraper s;

	test_every_counter();
	test_dashboard();
	test_alerts();
	if (!run_setup(&f))
		return done();
	test_verb(&f);
	test_per_user(&f);
	test_nobody(&f);
	snprintf(server_program, sizeof(server_program), "%s/vpngw-metrics",
		 build ? build : "build/rel");
	s = scraper_start(&f, f.path);
	test_scrape(&f, &s);
	test_hostile(&f, &s);
	test_silent(&f, &s);
	scraper_stop(&s);
	test_down(&f);
	free(om.copy);
	fake_stop(&f);
	return done();
}
