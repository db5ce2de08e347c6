/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * shell_auth_client.c - the gateway's side of the socket to vpngw-authd: against the real one, which
 * is started, killed and started again, and against a server that does not keep to the rules.
 */
#include <systemd/sd-event.h>

#include "auth/client.h"
#include "authd_run.h"
#include "log.h"

#define N_COOKIES 2000

/* What came back, by cookie. */
static struct {
	unsigned answers[N_COOKIES], total;
	struct auth_reply reply[N_COOKIES];
} seen;

static sd_event *event;

static void on_answer(void *ctx, uint64_t cookie, const struct auth_reply *r)
{
	(void)ctx;
	if (cookie >= N_COOKIES || r->id != cookie) {
		ok(false, "an answer to nothing");
		return;
	}
	seen.answers[cookie]++;
	seen.reply[cookie] = *r;
	seen.total++;
}

/* Turns the loop until `total` answers have come, or for ms. */
static void turn(unsigned total, int ms)
{
	double end = now_s() + ms / 1000.0;

	while (seen.total < total && now_s() < end)
		sd_event_run(event, (uint64_t)((end - now_s()) * 1e6) + 1);
}

static struct auth_client *client_new(const char *path, uint32_t deadline_s)
{
	struct auth_client *c = NULL;

	memset(&seen, 0, sizeof(seen));
	if (auth_client_new(event, path, deadline_s, on_answer, NULL, &c) < 0)
		bail("auth_client_new");
	return c;
}

static int check(struct auth_client *c, uint64_t cookie, const char *user, const char *password)
{
	return auth_client_check(c, cookie, span_str(user), span_str(password),
				 span_str("192.0.2.1"));
}

static void with_authd(struct authd_run *r)
{
	struct auth_client *c = client_new(r->sock, 10);
	double start = now_s();

	is_int(check(c, 1, "alice", "right"), 0, "a request is taken before authd is there");
	turn(1, 300);
	ok(!auth_client_connected(c) && auth_client_pending(c) == 1, "and waits");
	ok(run_start(r), "authd starts");
	turn(1, 6000);
	ok(seen.answers[1] == 1 && seen.reply[1].verdict == AUTH_OK, "and answers it");
	ok(auth_client_connected(c) && auth_client_pending(c) == 0, "the client is connected");
	is_str(seen.reply[1].address, "10.99.99.7", "with the user's address");
	start = now_s();
	check(c, 2, "alice", "wrong");
	check(c, 3, "alice", "right");
	turn(2, 5000);
	ok(seen.answers[3] == 1 && seen.reply[3].verdict == AUTH_OK && now_s() - start < 0.9,
	   "a right password overtakes a wrong one");
	turn(3, 5000);
	ok(seen.answers[2] == 1 && seen.reply[2].verdict == AUTH_DENIED, "which is denied");

	check(c, 4, "alice", "wrong");
	turn(4, 300);
	run_stop(r, SIGKILL);
	check(c, 5, "alice", "right");
	turn(4, 300);
	ok(!auth_client_connected(c) && auth_client_pending(c) == 2,
	   "when authd is killed, requests under way are kept");
	ok(run_start(r), "authd starts again");
	turn(5, 8000);
	ok(seen.answers[4] == 1 && seen.reply[4].verdict == AUTH_DENIED,
	   "the one that it had is sent again and answered once");
	ok(seen.answers[5] == 1 && seen.reply[5].verdict == AUTH_OK,
	   "and so is the one that came meanwhile");
	turn(9, 1500);
	is_int(seen.total, 5, "nothing is answered twice");
	check(c, 6, "alice", "wrong");
	turn(6, 200);
	auth_client_free(c);
	is_int(run_stop(r, SIGTERM), 0, "a client that goes in the middle does not trouble authd");
}

static void without_authd(struct authd_run *r)
{
	struct auth_client *c = client_new(r->sock, 1);
	double start = now_s();

	check(c, 1, "alice", "right");
	turn(1, 6000);
	ok(seen.reply[1].verdict == AUTH_ERROR && strstr(seen.reply[1].reason, "not running"),
	   "without authd a request ends in an error");
	ok(now_s() - start > 2.9 && now_s() - start < 4, "two seconds after authd's deadline");
	turn(2, 200);
	is_int(check(c, 2, "alice", "right"), -ENOTCONN, "after that, requests are not taken");
	auth_client_free(c);
	ok(!auth_client_free(NULL), "freeing nothing is fine");
}

static void limits(struct authd_run *r)
{
	struct auth_client *c = client_new(r->sock, 1);
	char text[400] = "";

	memset(text, 'x', sizeof(text) - 1);
	is_int(auth_client_check(c, 1, (struct span){ (uint8_t *)text, LIMIT_USER + 1 },
				 span_str("p"), span_str("192.0.2.1")),
	       -EMSGSIZE, "a name that is too long is not taken");
	is_int(auth_client_check(c, 1, span_str("u"),
				 (struct span){ (uint8_t *)text, LIMIT_PASSWORD + 1 },
				 span_str("192.0.2.1")),
	       -EMSGSIZE, "nor a password");
	is_int(auth_client_pending(c), 0, "and nothing is under way");
	auth_client_free(c);
}

/* ---- a server that does as it likes ---- */

static int fake_listen(const struct authd_run *r)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	unlink(r->sock);
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", r->sock);
	if (fd < 0 || bind(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0 || listen(fd, 4) < 0)
		bail(r->sock);
	return fd;
}

static int fake_accept(int listener, int ms)
{
	double end = now_s() + ms / 1000.0;

	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd >= 0 || now_s() > end)
			return fd;
		sd_event_run(event, 20000);
	}
}

static unsigned fake_read(int fd, struct auth_request *ret)
{
	static uint8_t buf[AUTH_REQUEST_MAX];
	unsigned n = 0;
	ssize_t len;

	while ((len = recv(fd, buf, sizeof(buf), 0)) > 0)
		n += auth_get_request((struct span){ buf, (size_t)len }, ret) == 0;
	return n;
}

static void fake_answer(int fd, uint64_t id, enum auth_verdict v)
{
	struct auth_reply reply = { .id = id, .verdict = v };
	uint8_t buf[LIMIT_AUTH_MESSAGE];
	int n = auth_put_reply(buf, sizeof(buf), &reply);

	if (n < 0 || send(fd, buf, (size_t)n, MSG_NOSIGNAL) != n)
		bail("fake answer");
}

static void silent_server(struct authd_run *r)
{
	int listener = fake_listen(r), fd, rc = 0;
	struct auth_client *c = client_new(r->sock, 2);
	struct auth_request q;
	unsigned taken = 0, timeouts = 0, once = 0;
	double start;

	turn(1, 100);
	start = now_s();
	for (unsigned i = 0; i < 1100 && rc == 0; i++) {
		rc = check(c, i, "alice", "a-password");
		taken += rc == 0;
	}
	ok(now_s() - start < 1, "a server that does not read stops nobody");
	is_int(taken, AUTH_CLIENT_PENDING, "1024 requests are taken");
	is_int(rc, -EBUSY, "one more is not");
	fd = fake_accept(listener, 1000);
	for (unsigned got = fake_read(fd, &q); got < taken && now_s() - start < 3;
	     got += fake_read(fd, &q))
		turn(2000, 20);
	turn(taken, 6000);
	for (unsigned i = 0; i < taken; i++) {
		timeouts += seen.reply[i].verdict == AUTH_TIMEOUT;
		once += seen.answers[i] == 1;
	}
	is_int(timeouts, taken, "all are answered with a timeout");
	is_int(once, taken, "once each");
	is_int(auth_client_pending(c), 0, "and none is left");
	fake_answer(fd, q.id, AUTH_OK);
	turn(2000, 200);
	is_int(seen.total, taken, "an answer after that is for nobody");
	is_int(check(c, 1500, "alice", "again"), 0, "there is room again");
	turn(2000, 100);
	is_int(fake_read(fd, &q), 1, "and the connection carries it");
	fake_answer(fd, q.id + 1, AUTH_OK);
	fake_answer(fd, q.id, AUTH_OK);
	turn(taken + 1, 1000);
	ok(seen.answers[1500] == 1 && seen.reply[1500].verdict == AUTH_OK,
	   "an answer with another number is for nobody, the right one is taken");
	auth_client_free(c);
	close(fd);
	close(listener);
}

static void breaking_server(struct authd_run *r)
{
	int listener = fake_listen(r), fd;
	struct auth_client *c = client_new(r->sock, 20);
	struct auth_request q;
	double start;

	check(c, 1, "alice", "a-password");
	fd = fake_accept(listener, 2000);
	turn(1, 100);
	is_int(fake_read(fd, &q), 1, "a request is sent");
	close(fd);
	start = now_s();
	fd = fake_accept(listener, 3000);
	ok(now_s() - start < 2, "a broken connection is soon made again");
	turn(1, 100);
	is_int(fake_read(fd, &q), 1, "and the request sent again");
	close(fd);
	turn(1, 1000);
	ok(seen.answers[1] == 1 && seen.reply[1].verdict == AUTH_ERROR &&
		   strstr(seen.reply[1].reason, "twice"),
	   "after the second time it is an error");
	fd = fake_accept(listener, 3000);
	turn(2, 100);
	is_int(fake_read(fd, &q), 0, "and not sent again");
	check(c, 2, "alice", "a-password");
	turn(2, 100);
	is_int(fake_read(fd, &q), 1, "the next request is sent");
	send(fd, "nonsense", 8, MSG_NOSIGNAL);
	turn(2, 300);
	is_int((int)recv(fd, &q, sizeof(q), 0), 0, "a server that talks nonsense is left");
	close(fd);
	fd = fake_accept(listener, 4000);
	turn(2, 200);
	is_int(fake_read(fd, &q), 1, "and another tried");
	ok(span_eq(q.user, span_str("alice")) && span_eq(q.password, span_str("a-password")),
	   "with the whole request");
	fake_answer(fd, q.id, AUTH_OK);
	turn(2, 1000);
	ok(seen.answers[2] == 1 && seen.reply[2].verdict == AUTH_OK, "which answers");
	auth_client_free(c);
	close(fd);
	close(listener);
}

/* The questions that came, the last one in full. */
static struct {
	unsigned total;
	uint64_t cookie, handle;
	char prompt[LIMIT_PROMPT + 1];
} asked;

static void on_question(void *ctx, uint64_t cookie, uint64_t handle, const struct auth_question *q)
{
	(void)ctx;
	asked.total++;
	asked.cookie = cookie;
	asked.handle = handle;
	snprintf(asked.prompt, sizeof(asked.prompt), "%.*s", (int)q->prompt.n,
		 (const char *)q->prompt.p);
}

static void fake_question(int fd, uint64_t id, const char *prompt)
{
	struct auth_question q = { .id = id, .ask = AUTH_ASK_PASSCODE, .prompt = span_str(prompt) };
	uint8_t buf[LIMIT_AUTH_MESSAGE];
	int n = auth_put_question(buf, sizeof(buf), &q);

	if (n < 0 || send(fd, buf, (size_t)n, MSG_NOSIGNAL) != n)
		bail("fake question");
}

/* The next message is an answer with this text; NULL: that there is none. */
static bool fake_reads(int fd, uint64_t id, const char *want)
{
	uint8_t buf[AUTH_REQUEST_MAX];
	ssize_t n = recv(fd, buf, sizeof(buf), 0);
	struct auth_answer a;

	return n > 0 && auth_get_answer((struct span){ buf, (size_t)n }, &a) == 0 && a.id == id &&
	       a.given == !!want && (!want || span_eq(a.text, span_str(want)));
}

static void asking_server(struct authd_run *r)
{
	int listener = fake_listen(r), fd;
	struct auth_client *c = client_new(r->sock, 1);
	struct span code = span_str("271828");
	struct auth_request q;
	uint64_t handle;

	auth_client_on_question(c, on_question);
	check(c, 1, "alice", "a-password");
	fd = fake_accept(listener, 2000);
	turn(1, 100);
	fake_read(fd, &q);
	fake_question(fd, q.id, "Code:");
	turn(1, 200);
	ok(asked.total == 1 && asked.cookie == 1, "a question of authd's is handed on");
	is_str(asked.prompt, "Code:", "with its words");
	turn(1, 3500);
	ok(seen.total == 0 && auth_client_pending(c) == 1, "a user may think as long as he likes");
	handle = asked.handle;
	is_int(auth_client_answer(c, handle, true, (struct span){ code.p, LIMIT_PASSWORD + 1 }),
	       -EMSGSIZE, "an answer that is too long is not taken");
	is_int(auth_client_answer(c, handle + 1, true, code), -ENOENT,
	       "nor one to a question that is not open");
	is_int(auth_client_answer(c, handle, true, code), 0, "the user's answer is");
	is_int(auth_client_answer(c, handle, true, code), -ENOENT, "once");
	ok(fake_reads(fd, q.id, "271828"), "and sent to authd");
	fake_question(fd, q.id, "And the next code:");
	turn(1, 200);
	ok(asked.total == 2 && auth_client_answer(c, asked.handle, true, (struct span){ 0 }) == 0 &&
		   fake_reads(fd, q.id, ""),
	   "a second question may follow, and an empty answer");
	fake_answer(fd, q.id, AUTH_OK);
	turn(1, 500);
	ok(seen.answers[1] == 1 && seen.reply[1].verdict == AUTH_OK, "and then the verdict");

	check(c, 2, "alice", "a-password");
	turn(2, 100);
	fake_read(fd, &q);
	fake_question(fd, q.id, "Code:");
	turn(2, 200);
	is_int(auth_client_answer(c, asked.handle, false, (struct span){ 0 }), 0,
	       "a question can be called off");
	ok(fake_reads(fd, q.id, NULL) && auth_client_pending(c) == 0, "which authd is told");
	fake_answer(fd, q.id, AUTH_DENIED);
	turn(2, 200);
	is_int(seen.total, 1, "whose verdict is for nobody then");

	check(c, 3, "alice", "a-password");
	turn(2, 100);
	fake_read(fd, &q);
	fake_question(fd, q.id, "Code:");
	turn(2, 200);
	auth_client_answer(c, asked.handle, true, code);
	turn(2, 4000);
	ok(seen.answers[3] == 1 && seen.reply[3].verdict == AUTH_TIMEOUT,
	   "after the answer the deadline counts again");
	ok(fake_reads(fd, q.id, "271828"), "  (the answer came)");
	fake_question(fd, q.id, "Too late:");
	turn(3, 200);
	ok(asked.total == 4 && fake_reads(fd, q.id, NULL),
	   "a question that comes too late is called off at once");

	check(c, 4, "alice", "a-password");
	check(c, 5, "alice", "a-password");
	turn(3, 100);
	fake_read(fd, &q);
	fake_question(fd, q.id, "Code:");
	turn(3, 200);
	close(fd);
	fd = fake_accept(listener, 3000);
	turn(3, 100);
	ok(asked.cookie == 5 && seen.answers[5] == 1 && seen.reply[5].verdict == AUTH_ERROR,
	   "when authd ends while a user is asked, the login has failed");
	is_int(fake_read(fd, &q), 1, "and the other one alone is sent again");
	fake_question(fd, q.id, "Code:");
	fake_question(fd, q.id, "Code:");
	turn(4, 500);
	ok(seen.answers[4] == 1 && seen.reply[4].verdict == AUTH_ERROR,
	   "a server that asks twice at once is left");
	is_int((int)recv(fd, &q, sizeof(q), 0), 0, "  (it is)");
	auth_client_free(c);
	close(fd);
	close(listener);
}

/* Without somebody to ask. */
static void nobody_asks(struct authd_run *r)
{
	int listener = fake_listen(r), fd;
	struct auth_client *c = client_new(r->sock, 1);
	struct auth_request q;

	check(c, 1, "alice", "a-password");
	fd = fake_accept(listener, 2000);
	turn(1, 100);
	fake_read(fd, &q);
	fake_question(fd, q.id, "Code:");
	turn(1, 200);
	ok(fake_reads(fd, q.id, NULL), "where nobody takes questions, none is answered");
	auth_client_free(c);
	close(fd);
	close(listener);
}

int main(void)
{
	struct authd_run r;

	run_init(&r);
	write_file(r.users, 0600, "alice:%s::10.99.99.7\n", quick_hash("right"));
	run_conf(&r, "auth_source = file\nfail_limit = off\n");
	log_open("test", false);
	if (sd_event_default(&event) < 0)
		bail("sd_event_default");
	with_authd(&r);
	without_authd(&r);
	limits(&r);
	silent_server(&r);
	breaking_server(&r);
	asking_server(&r);
	nobody_asks(&r);
	sd_event_unref(event);
	run_done(&r);
	return done();
}
