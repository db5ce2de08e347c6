/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * shell_authd_radius.c - the real vpngw-authd with RADIUS servers, which are sockets of this test:
 * what it asks them, which answers count, what it does when they are silent.
 */
#include <arpa/inet.h>

#include "authd_run.h"
#include "radius_kit.h"

#define SECRET "a-secret-of-thirty-two-characters"
#define CANARY "canary-2c9d-of-a-password"

/* ---- servers ---- */

struct toy {
	int fd;
	char at[32];
};

static void toy_open(struct toy *t)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(sin);

	t->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (t->fd < 0 || bind(t->fd, (struct sockaddr *)&sin, n) < 0 ||
	    getsockname(t->fd, (struct sockaddr *)&sin, &n) < 0)
		bail("a server's socket");
	snprintf(t->at, sizeof(t->at), "127.0.0.1:%u", ntohs(sin.sin_port));
}

/* A request as the server sees it. */
struct asked {
	uint8_t b[RADIUS_PACKET];
	size_t n;
	union {
		struct sockaddr sa;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} from;
	socklen_t from_len;
};

static bool toy_hears(const struct toy *t, struct asked *a, int ms)
{
	struct pollfd p = { .fd = t->fd, .events = POLLIN };
	ssize_t n = -1;

	a->from_len = sizeof(a->from);
	if (poll(&p, 1, ms) > 0)
		n = recvfrom(t->fd, a->b, sizeof(a->b), 0, &a->from.sa, &a->from_len);
	a->n = n < 0 ? 0 : (size_t)n;
	return n >= RADIUS_HEADER;
}

static struct span value_of(const struct asked *a, uint8_t type)
{
	for (size_t i = RADIUS_HEADER; i + 2 <= a->n && a->b[i + 1] >= 2; i += a->b[i + 1])
		if (a->b[i] == type)
			return (struct span){ a->b + i + 2, a->b[i + 1] - 2u };
	return (struct span){ 0 };
}

/* RFC 2865 5.2 */
static const char *password_of(const struct asked *a, char out[static 129])
{
	struct span hidden = value_of(a, 2);
	const uint8_t *before = a->b + 4;
	uint8_t mask[16];
	struct md5_ctx md5;

	memset(out, 0, 129);
	for (size_t at = 0; at < hidden.n && at < 128; at += 16) {
		md5_init(&md5);
		md5_update(&md5, strlen(SECRET), (const uint8_t *)SECRET);
		md5_update(&md5, 16, before);
		md5_digest(&md5, 16, mask);
		for (size_t i = 0; i < 16; i++)
			out[at + i] = (char)(hidden.p[at + i] ^ mask[i]);
		before = hidden.p + at;
	}
	return out;
}

/* The first attribute, over the whole packet with it as zeros. */
static bool is_authentic(const struct asked *a)
{
	struct hmac_md5_ctx hmac;
	uint8_t copy[RADIUS_PACKET], mac[16];

	if (a->n < 38 || a->b[20] != 80 || a->b[21] != 18)
		return false;
	memcpy(copy, a->b, a->n);
	memset(copy + 22, 0, 16);
	hmac_md5_set_key(&hmac, strlen(SECRET), (const uint8_t *)SECRET);
	hmac_md5_update(&hmac, a->n, copy);
	hmac_md5_digest(&hmac, 16, mac);
	return memcmp(mac, a->b + 22, 16) == 0;
}

static void toy_send(const struct toy *t, const struct asked *a, struct span msg)
{
	(void)sendto(t->fd, msg.p, msg.n, 0, &a->from.sa, a->from_len);
}

static void toy_signs(const struct toy *t, const struct asked *a, struct kit_answer *kit)
{
	toy_send(t, a, kit_sign(kit, span_str(SECRET), a->b + 4));
}

static void toy_says(const struct toy *t, const struct asked *a, uint8_t code)
{
	struct kit_answer kit;

	kit_begin(&kit, code, a->b[1], true);
	toy_signs(t, a, &kit);
}

/* ---- the daemon ---- */

static char secret_path[128];

/* Starts it with these servers. */
static void up(struct authd_run *r, const char *auth, const char *radius)
{
	char text[2048];

	snprintf(text, sizeof(text), "auth_source = radius\nfail_limit = off\n%s[radius]\n%s", auth,
		 radius);
	run_conf(r, text);
	write_file(secret_path, 0600, "%s\n", SECRET);
	if (!run_start(r))
		bail("vpngw-authd does not start");
}

static bool log_says(const struct authd_run *r, const char *what)
{
	char *text = read_file(r->log);
	bool there = strstr(text, what) != NULL;

	free(text);
	return there;
}

static const char *one_server(const struct toy *t, const char *options)
{
	static char text[256];

	snprintf(text, sizeof(text), "auth_server = %s secret=%s %s\nnas_identifier = vpn one\n",
		 t->at, secret_path, options);
	return text;
}

static void send_login(int fd, uint64_t id, const char *user, const char *password)
{
	ask_send(fd, id, span_str(user), span_str(password), "192.0.2.7");
}

/* ---- one server ---- */

static void accepted(const struct authd_run *r, const struct toy *t)
{
	int fd = run_connect(r);
	struct auth_reply reply = { 0 };
	struct kit_answer kit;
	struct asked a;
	char password[129];
	pid_t children[4];

	ok(children_of(r->pid, children, 4) == 0, "there are no worker processes");
	send_login(fd, 1, "j\xc3\xbcrgen", "a longer password: " CANARY);
	if (!ok(toy_hears(t, &a, 5000), "a login is a request to the server"))
		return;
	ok(is_authentic(&a), "its Message-Authenticator comes first, and is right");
	is_bytes(value_of(&a, 1), span_str("j\xc3\xbcrgen"), "User-Name");
	is_str(password_of(&a, password), "a longer password: " CANARY, "User-Password");
	is_bytes(value_of(&a, 32), span_str("vpn one"), "NAS-Identifier");
	is_bytes(value_of(&a, 4), hex("7f000001"), "NAS-IP-Address");
	is_bytes(value_of(&a, 61), hex("00000005"), "NAS-Port-Type is Virtual");
	is_bytes(value_of(&a, 6), hex("00000002"), "Service-Type is Framed");
	is_bytes(value_of(&a, 31), span_str("192.0.2.7"), "Calling-Station-Id");
	kit_begin(&kit, RADIUS_ACCEPT, a.b[1], true);
	kit_add(&kit, RADIUS_CLASS, span_str("staff"));
	kit_add(&kit, RADIUS_CLASS, hex("47c80a3b0000013700011700"));
	kit_add(&kit, RADIUS_CLASS, span_str("vpnusers"));
	kit_add(&kit, 8, hex("0a636314"));
	kit_add(&kit, 27, hex("00001c20"));
	kit_add(&kit, RADIUS_REPLY_MESSAGE, span_str("Good\x1b[31m morning\r\n"));
	toy_signs(t, &a, &kit);
	ok(ask_recv(fd, &reply, 5000) && reply.verdict == AUTH_OK, "accepted");
	ok(reply.n_groups == 2 && strcmp(reply.group[0], "staff") == 0 &&
		   strcmp(reply.group[1], "vpnusers") == 0,
	   "the user is in the groups of Class, of those that are text");
	is_str(reply.address, "10.99.99.20", "and has the address of Framed-IP-Address");
	is_int(reply.session_s, 7200, "and the time of Session-Timeout");
	ok(log_says(r, "says about j\xc3\xbcrgen: Good?[31m morning\n"),
	   "the Reply-Message is in the journal, clean");
	toy_signs(t, &a, &kit);
	send_login(fd, 2, "alice", "right");
	ok(toy_hears(t, &a, 5000), "N233: the same answer once more");
	ok(!ask_recv(fd, &reply, 200), "is none to another login");
	toy_says(t, &a, RADIUS_REJECT);
	ok(ask_recv(fd, &reply, 5000) && reply.id == 2 && reply.verdict == AUTH_DENIED,
	   "which gets its own");
	close(fd);
}

static void rejected(const struct authd_run *r, const struct toy *t)
{
	struct ask q = { .user = "alice" };
	int fd = run_connect(r);
	double start = now_s();
	struct kit_answer kit;
	struct asked a;

	send_login(fd, 1, "alice", "wrong");
	if (!ok(toy_hears(t, &a, 5000), "a login with a wrong password"))
		return;
	kit_begin(&kit, RADIUS_REJECT, a.b[1], true);
	kit_add(&kit, RADIUS_CLASS, span_str("staff"));
	kit_add(&kit, 8, hex("0a636314"));
	kit_add(&kit, RADIUS_REPLY_MESSAGE, span_str("No \nway"));
	toy_signs(t, &a, &kit);
	q.answered = ask_recv(fd, &q.reply, 5000);
	q.took = now_s() - start;
	is_verdict(&q, AUTH_DENIED, ": No  way", "is denied, with what the server said");
	ok(on_the_second(&q), "on the second");
	ok(!q.reply.n_groups && !*q.reply.address, "with no group and no address");
	close(fd);
}

static void silly_values(const struct authd_run *r, const struct toy *t)
{
	struct ask q = { .user = "alice" };
	struct kit_answer kit;
	struct asked a;
	int fd = run_connect(r);
	char password[130];

	send_login(fd, 1, "alice", "right");
	(void)toy_hears(t, &a, 5000);
	kit_begin(&kit, RADIUS_ACCEPT, a.b[1], true);
	kit_add(&kit, 8, hex("e0000001"));
	toy_signs(t, &a, &kit);
	q.answered = ask_recv(fd, &q.reply, 5000);
	is_verdict(&q, AUTH_ERROR, "Framed-IP-Address", "N183: nobody has a multicast address");
	send_login(fd, 2, "alice", "right");
	(void)toy_hears(t, &a, 5000);
	kit_begin(&kit, RADIUS_ACCEPT, a.b[1], true);
	kit_add(&kit, 8, hex("fffffffe"));
	toy_signs(t, &a, &kit);
	ok(ask_recv(fd, &q.reply, 5000) && q.reply.verdict == AUTH_OK && !*q.reply.address,
	   "N183: 255.255.255.254 leaves the address to the pool");
	memset(password, 'x', sizeof(password));
	password[128] = '\0';
	send_login(fd, 3, "alice", password);
	ok(toy_hears(t, &a, 5000), "a password of 128 bytes is asked about");
	toy_says(t, &a, RADIUS_ACCEPT);
	ok(ask_recv(fd, &q.reply, 5000) && q.reply.verdict == AUTH_OK, "and let in");
	password[128] = 'x';
	password[129] = '\0';
	send_login(fd, 4, "alice", password);
	q.answered = ask_recv(fd, &q.reply, 5000);
	is_verdict(&q, AUTH_DENIED, "128 bytes", "a longer one is denied");
	ok(!toy_hears(t, &a, 0), "without asking");
	close(fd);
}

/* What may come from whoever is on the way. */
static void forged(const struct authd_run *r, const struct toy *t)
{
	int fd = run_connect(r);
	struct auth_reply reply = { 0 };
	struct kit_answer kit;
	struct toy other;
	struct asked a;
	struct span msg;

	send_login(fd, 1, "alice", "guessed");
	if (!ok(toy_hears(t, &a, 5000), "a login that somebody wants to get through"))
		return;
	kit_begin(&kit, RADIUS_ACCEPT, a.b[1], false);
	toy_signs(t, &a, &kit);
	kit_begin(&kit, RADIUS_ACCEPT, a.b[1], true);
	toy_send(t, &a, kit_sign(&kit, span_str("another secret"), a.b + 4));
	kit_begin(&kit, RADIUS_ACCEPT, (uint8_t)(a.b[1] + 1), true);
	toy_signs(t, &a, &kit);
	kit_begin(&kit, RADIUS_ACCEPT, a.b[1], true);
	msg = kit_sign(&kit, span_str(SECRET), a.b + 4);
	toy_send(t, &a, (struct span){ msg.p, msg.n - 1 });
	toy_send(t, &a, (struct span){ msg.p, 0 });
	toy_open(&other);
	toy_send(&other, &a, msg);
	close(other.fd);
	for (unsigned i = 0; i < 2000; i++)
		toy_send(t, &a, (struct span){ a.b, a.n });
	ok(!ask_recv(fd, &reply, 300), "N231, N232: none of the forged answers counts");
	toy_says(t, &a, RADIUS_REJECT);
	ok(ask_recv(fd, &reply, 5000) && reply.verdict == AUTH_DENIED,
	   "N235: the server's own does, after two thousand others");
	ok(log_says(r, "which has no Message-Authenticator; the server is older than 2024"),
	   "the journal says why one did not count");
	close(fd);
}

static void repeated(const struct authd_run *r, const struct toy *t)
{
	int fd = run_connect(r);
	struct auth_reply reply = { 0 };
	struct asked first, second;

	send_login(fd, 1, "alice", "right");
	ok(toy_hears(t, &first, 5000) && toy_hears(t, &second, 5000),
	   "a request without an answer is repeated");
	ok(span_eq((struct span){ first.b, first.n }, (struct span){ second.b, second.n }) &&
		   first.from.v4.sin_port == second.from.v4.sin_port,
	   "byte for byte, from the same port");
	toy_says(t, &second, RADIUS_ACCEPT);
	ok(ask_recv(fd, &reply, 5000) && reply.verdict == AUTH_OK, "and answered then");
	close(fd);
}

static void asks_more(const struct authd_run *r, const struct toy *t)
{
	int fd = run_connect(r);
	struct auth_reply reply = { 0 };
	struct auth_question q = { 0 };
	struct kit_answer kit;
	struct asked a;
	char prompt[LIMIT_PROMPT + 1] = "", password[129];
	unsigned rounds = 0;

	send_login(fd, 1, "alice", "right");
	(void)toy_hears(t, &a, 5000);
	kit_begin(&kit, RADIUS_CHALLENGE, a.b[1], true);
	kit_add(&kit, RADIUS_REPLY_MESSAGE, span_str("Code?\a"));
	kit_add(&kit, 24, span_str("round one"));
	toy_signs(t, &a, &kit);
	ok(ask_question(fd, &q, prompt, 5000) && q.ask == AUTH_ASK_PASSCODE,
	   "a challenge is a question to the user");
	is_str(prompt, "Code??", "with the server's words");
	ask_answer(fd, 1, "123456");
	ok(toy_hears(t, &a, 5000) && is_authentic(&a), "the answer is another request");
	is_str(password_of(&a, password), "123456", "with the answer as the password");
	is_bytes(value_of(&a, 24), span_str("round one"), "and the challenge's State");
	kit_begin(&kit, RADIUS_CHALLENGE, a.b[1], true);
	kit_add(&kit, 76, hex("00000001"));
	toy_signs(t, &a, &kit);
	ok(ask_question(fd, &q, prompt, 5000) && q.ask == AUTH_ASK_ANSWER,
	   "with Prompt the answer may be seen");
	ask_answer(fd, 1, "");
	ok(toy_hears(t, &a, 5000) && !value_of(&a, 24).n, "no State is none");
	toy_says(t, &a, RADIUS_ACCEPT);
	ok(ask_recv(fd, &reply, 5000) && reply.verdict == AUTH_OK, "and it is accepted");

	send_login(fd, 2, "alice", "right");
	while (rounds < LIMIT_XAUTH_ROUNDS && toy_hears(t, &a, 5000)) {
		toy_says(t, &a, RADIUS_CHALLENGE);
		if (!ask_question(fd, &q, prompt, 5000))
			break;
		rounds++;
		ask_answer(fd, 2, "x");
	}
	(void)toy_hears(t, &a, 5000);
	toy_says(t, &a, RADIUS_CHALLENGE);
	is_int(rounds, LIMIT_XAUTH_ROUNDS,
	       "N186b: a server that asks for ever does so eight times");
	ok(ask_recv(fd, &reply, 5000) && reply.id == 2 && reply.verdict == AUTH_DENIED,
	   "and the login is denied");
	send_login(fd, 3, "alice", "right");
	(void)toy_hears(t, &a, 5000);
	toy_says(t, &a, RADIUS_CHALLENGE);
	ok(ask_question(fd, &q, prompt, 5000), "who is asked");
	ask_answer(fd, 3, NULL);
	ok(!toy_hears(t, &a, 300) && !ask_recv(fd, &reply, 0), "and hangs up is not asked about");
	close(fd);
}

static void many(const struct authd_run *r, const struct toy *t)
{
	int fd = run_connect(r), size = 1 << 20;
	unsigned asked = 0, told = 0;
	struct auth_reply reply;
	double end = now_s() + 20;
	struct asked a;

	(void)setsockopt(t->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	for (unsigned i = 0; i < 400; i++)
		send_login(fd, i, "alice", "right");
	pause_ms(300);
	while (told < 400 && now_s() < end) {
		while (toy_hears(t, &a, 5)) {
			asked++;
			toy_says(t, &a, RADIUS_ACCEPT);
		}
		while (ask_recv(fd, &reply, 5))
			told += reply.verdict == AUTH_OK;
	}
	is_int(told, 400, "four hundred logins at once are all let in");
	ok(asked >= 400, "each with a request of its own");
	close(fd);
}

static void with_one(struct authd_run *r, const struct toy *t)
{
	char *text;

	up(r, "max_pending = 1000\n", one_server(t, "timeout=2s retries=2"));
	accepted(r, t);
	rejected(r, t);
	silly_values(r, t);
	forged(r, t);
	repeated(r, t);
	asks_more(r, t);
	many(r, t);
	is_int(run_stop(r, SIGTERM), 0, "it ends when it is asked to");
	text = read_file(r->log);
	ok(!strstr(text, CANARY) && !strstr(text, SECRET) && !strstr(text, "123456"),
	   "W16: neither password nor code nor secret is in the log");
	free(text);
}

/* ---- rules ---- */

static void rules(struct authd_run *r, const struct toy *t)
{
	struct ask q = { .user = "alice" };
	struct kit_answer kit;
	struct asked a;
	int fd;

	up(r, "groups = vpnusers\n", one_server(t, "require_message_authenticator=off"));
	fd = run_connect(r);
	send_login(fd, 1, "alice", "right");
	(void)toy_hears(t, &a, 5000);
	kit_begin(&kit, RADIUS_ACCEPT, a.b[1], false);
	kit_add(&kit, RADIUS_CLASS, span_str("guests"));
	kit_add(&kit, 27, hex("00001c20"));
	toy_signs(t, &a, &kit);
	q.answered = ask_recv(fd, &q.reply, 5000);
	is_verdict(&q, AUTH_NOT_ALLOWED, "groups",
		   "a lax server's answer counts, and who is in no allowed group is out");
	ok(!q.reply.n_groups && !q.reply.session_s, "with nothing of what it said");
	send_login(fd, 2, "alice", "right");
	(void)toy_hears(t, &a, 5000);
	kit_begin(&kit, RADIUS_ACCEPT, a.b[1], false);
	kit_add(&kit, RADIUS_CLASS, span_str("vpnusers"));
	toy_signs(t, &a, &kit);
	ok(ask_recv(fd, &q.reply, 5000) && q.reply.verdict == AUTH_OK, "who is in one is in");
	close(fd);
	run_stop(r, SIGTERM);
}

static void secrets(struct authd_run *r, const struct toy *t)
{
	struct ask q = { .user = "alice" };
	struct asked a;
	int fd;

	up(r, "", one_server(t, ""));
	run_stop(r, SIGTERM);
	unlink(secret_path);
	if (!run_start(r))
		bail("vpngw-authd does not start");
	ok(log_says(r, "Nobody can log in yet: cannot read"),
	   "a secret that is missing is told at the start");
	fd = run_connect(r);
	send_login(fd, 1, "alice", "right");
	q.answered = ask_recv(fd, &q.reply, 5000);
	is_verdict(&q, AUTH_ERROR, secret_path, "and with each login");
	write_file(secret_path, 0600, "\n" SECRET);
	send_login(fd, 2, "alice", "right");
	q.answered = ask_recv(fd, &q.reply, 5000);
	is_verdict(&q, AUTH_ERROR, "no secret", "an empty first line is none");
	write_file(secret_path, 0600, "%0254d\n", 1);
	send_login(fd, 3, "alice", "right");
	q.answered = ask_recv(fd, &q.reply, 5000);
	is_verdict(&q, AUTH_ERROR, "no secret", "nor is one of 254 bytes");
	write_file(secret_path, 0600, SECRET "\r\nmore\n");
	send_login(fd, 4, "alice", "right");
	ok(toy_hears(t, &a, 5000) && is_authentic(&a), "once it is there, the server is asked");
	close(fd);
	run_stop(r, SIGTERM);
}

static void over_ipv6(struct authd_run *r)
{
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	socklen_t n = sizeof(sin6);
	struct auth_reply reply = { 0 };
	struct asked a;
	struct toy t;
	int fd;

	t.fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (t.fd < 0 || bind(t.fd, (struct sockaddr *)&sin6, n) < 0 ||
	    getsockname(t.fd, (struct sockaddr *)&sin6, &n) < 0) {
		skip(2, "no IPv6 on this machine");
		return;
	}
	snprintf(t.at, sizeof(t.at), "[::1]:%u", ntohs(sin6.sin6_port));
	up(r, "", one_server(&t, ""));
	fd = run_connect(r);
	send_login(fd, 1, "alice", "right");
	ok(toy_hears(&t, &a, 5000) && is_authentic(&a) && value_of(&a, 95).n == 16 &&
		   value_of(&a, 95).p[15] == 1 && !value_of(&a, 4).n,
	   "a server with an IPv6 address is told NAS-IPv6-Address");
	toy_says(&t, &a, RADIUS_ACCEPT);
	ok(ask_recv(fd, &reply, 5000) && reply.verdict == AUTH_OK, "and its answer counts");
	close(fd);
	close(t.fd);
	run_stop(r, SIGTERM);
}

/* ---- several servers ---- */

/* Both are silent, and then gone. */
static void nobody_answers(int fd, struct toy *one, struct toy *two)
{
	struct ask q = { .user = "alice" };
	double start;

	start = now_s();
	send_login(fd, 3, "alice", "right");
	q.answered = ask_recv(fd, &q.reply, 10000);
	q.took = now_s() - start;
	is_verdict(&q, AUTH_ERROR, "no RADIUS server answers; RADIUS server",
		   "REL-06: when all are silent the login is refused");
	ok(q.took > 2.5 && q.took < 6, "when all had their time");

	close(one->fd);
	close(two->fd);
	start = now_s();
	send_login(fd, 4, "alice", "right");
	q.answered = ask_recv(fd, &q.reply, 10000);
	q.took = now_s() - start;
	is_verdict(&q, AUTH_ERROR, "Connection refused", "where nobody listens");
	ok(q.took < 0.9, "nobody is waited for");
}

static void silence(struct authd_run *r)
{
	struct auth_reply reply = { 0 };
	struct auth_question question;
	struct asked a, b;
	struct toy one, two;
	char text[512], prompt[LIMIT_PROMPT + 1];
	int fd;

	toy_open(&one);
	toy_open(&two);
	snprintf(text, sizeof(text),
		 "auth_server = %s secret=%s timeout=1s retries=1\n"
		 "auth_server = %s secret=%s timeout=1s retries=0\n",
		 one.at, secret_path, two.at, secret_path);
	up(r, "", text);
	fd = run_connect(r);
	send_login(fd, 1, "alice", "right");
	ok(toy_hears(&one, &a, 5000) && toy_hears(&one, &a, 5000) && toy_hears(&two, &b, 5000),
	   "when the first server is silent the second one is asked");
	ok(is_authentic(&b) && memcmp(a.b + 4, b.b + 4, 16) != 0,
	   "with a request that is not the same");
	toy_says(&one, &a, RADIUS_ACCEPT);
	ok(!ask_recv(fd, &reply, 200), "the first one's answer comes too late");
	toy_says(&two, &b, RADIUS_ACCEPT);
	ok(ask_recv(fd, &reply, 5000) && reply.verdict == AUTH_OK, "the second one's counts");
	ok(log_says(r, "does not answer: is it there"), "the journal tells of the silent one");
	send_login(fd, 5, "alice", "right");
	(void)toy_hears(&two, &b, 500);
	toy_says(&two, &b, RADIUS_CHALLENGE);
	ok(ask_question(fd, &question, prompt, 5000), "the second one asks a user for more");
	send_login(fd, 2, "alice", "right");
	ok(toy_hears(&two, &b, 500) && !toy_hears(&one, &a, 0),
	   "the next login goes to the second one at once");
	ok(toy_hears(&one, &a, 5000), "and to the first one when that is silent, too");
	toy_says(&one, &a, RADIUS_ACCEPT);
	ok(ask_recv(fd, &reply, 5000) && reply.verdict == AUTH_OK, "which lets in");
	ok(log_says(r, "answers again"), "as the journal says");
	ask_answer(fd, 5, "123456");
	ok(toy_hears(&two, &b, 500) && !toy_hears(&one, &a, 0),
	   "what the user has answered goes to the one that asked");
	toy_says(&two, &b, RADIUS_ACCEPT);
	ok(ask_recv(fd, &reply, 5000) && reply.id == 5 && reply.verdict == AUTH_OK,
	   "which lets in");

	nobody_answers(fd, &one, &two);
	close(fd);
	run_stop(r, SIGTERM);
}

int main(void)
{
	struct authd_run r;
	struct toy t;

	run_init(&r);
	snprintf(secret_path, sizeof(secret_path), "%s/secret", r.dir);
	toy_open(&t);
	with_one(&r, &t);
	rules(&r, &t);
	secrets(&r, &t);
	over_ipv6(&r);
	silence(&r);
	run_done(&r);
	close(t.fd);
	return done();
}
