/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * shell_xfrm.c - SA pairs, policies and the sweep against a real kernel, in network namespaces of
 * their own. Without ESP in the kernel an SA is refused, which proves the way back; with ESP the way
 * in is tested too.
 */
#include <sys/wait.h>

#include "xfrm_own.h"

static bool kernel_has_esp(void)
{
	struct xfrm_pair p = make_pair(1, &algs[0]);
	int r;

	if (fresh_netns() < 0)
		return false;
	r = raw_sa_add(&p.in);
	printf("# ESP with %s: %s\n", p.in.enc_name, strerror(-r));
	return r == 0;
}

static struct xfrm_pol foreign(const char *src, uint32_t if_id)
{
	return (struct xfrm_pol){ .dir = XFRM_IN,
				  .src = net(src),
				  .dst = net("10.0.12.0/24"),
				  .tmpl_src = ip("0.0.0.0"),
				  .tmpl_dst = ip("192.0.2.9"),
				  .reqid = 5,
				  .if_id = if_id };
}

static void add_foreign_policies(void)
{
	struct xfrm_pol a = foreign("10.99.99.77/32", 0), b = foreign("10.99.99.1/32", 42);

	ok(raw_policy_add(&a) == 0 && raw_policy_add(&b) == 0, "two policies of somebody else");
}

static void test_rights(void)
{
	pid_t pid;
	int status;

	if (!begin())
		return;
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		struct xfrm *other;

		if (setuid(65534) < 0)
			_exit(99);
		_exit(xfrm_open(&other) == -EPERM ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	ok(WIFEXITED(status) && WEXITSTATUS(status) == 0, "without CAP_NET_ADMIN: -EPERM");
}

static void test_refused(bool esp)
{
	struct alg unknown = { "cbc(nosuchcipher)", 16, "hmac(sha1)", 20, 96 };
	struct xfrm_pair p = make_pair(0, &unknown);
	const char *what = NULL;
	int r;

	if (!begin())
		return;
	add_foreign_policies();
	p.nets[1] = net("10.0.13.0/24");
	p.n_nets = 2;
	r = xfrm_pair_add(x, &p, &what);
	printf("# %s\n", what ? what : "(nothing)");
	is_int(r, -ENOSYS, "an unknown cipher is refused");
	ok(has(what, "inbound SA with cbc(nosuchcipher) hmac(sha1): ") &&
		   has(what, "modprobe -a crypto-nosuchcipher crypto-sha1"),
	   "by name, with what might help");
	is_table(0, 0, 0, 2, "the policies that did go in are out again, others' stay");
	is_int(xfrm_pair_del(x, &p, false), 0, "deleting what is not there is no error");
	if (!esp) {
		set_alg(&p.in, &algs[0]);
		is_int(xfrm_pair_add(x, &p, &what), -EPROTONOSUPPORT, "without ESP any is");
		ok(has(what, "no ESP in this kernel: load esp4"), "with what to load");
		is_table(0, 0, 0, 2, "and the same way back");
	}
	p.n_nets = 0;
	is_int(xfrm_pair_add(x, &p, &what), -EINVAL, "a pair without networks is refused");
	p.n_nets = 1;
	p.out.src = ip("2001:db8::1");
	is_int(xfrm_pair_add(x, &p, &what), -EINVAL, "as is one that no message can say");
	ok(has(what, "outbound SA"), "which is named");
	is_table(0, 0, 0, 2, "and nothing has changed");
}

/* A second pair of a session fails: the policies that the first one needs are still there. */
static void test_refused_rekey(void)
{
	struct alg unknown = { "cbc(nosuchcipher)", 16, "hmac(sha1)", 20, 96 };
	struct xfrm_pair p = make_pair(0, &unknown);
	struct xfrm_pol pol[XFRM_PAIR_POLICIES];
	const char *what;
	bool fine = true;

	if (!begin())
		return;
	for (unsigned i = 0, n = xfrm_pair_policies(&p, pol); i < n; i++)
		fine &= raw_policy_add(&pol[i]) == 0;
	ok(fine, "the policies of a session");
	p.nets[1] = net("10.0.13.0/24");
	p.n_nets = 2;
	ok(xfrm_pair_add(x, &p, &what) < 0, "its next pair is refused");
	is_table(0, 0, 3, 0, "what was there before is there still, the new ones are not");
	p.n_nets = 1;
	is_int(xfrm_pair_del(x, &p, true), 0, "deleting the pair");
	is_table(0, 0, 3, 0, "can keep the policies");
	is_int(xfrm_pair_del(x, &p, false), 0, "or");
	is_table(0, 0, 0, 0, "take them along");
}

/* The receive queue is so short that most verdicts are lost. */
static void test_overrun(bool esp)
{
	struct xfrm_pair p = make_pair(0, &algs[0]);
	int next, size = 1, r;
	const char *what = NULL;

	if (!begin())
		return;
	x = xfrm_close(x);
	next = dup(STDIN_FILENO); /* the number that the socket will get */
	close(next);
	if (!ok(xfrm_open(&x) == 0, "a socket"))
		return;
	ok(setsockopt(next, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)) == 0, "of little room");
	for (p.n_nets = 0; p.n_nets < XFRM_NETS_MAX; p.n_nets++)
		p.nets[p.n_nets] = prefix_of(&(struct ipaddr){ IP_V4, { 10, p.n_nets } }, 16);
	r = xfrm_pair_add(x, &p, &what);
	is_int(r, esp ? -ENOBUFS : -EPROTONOSUPPORT, "a pair of 50 objects fails");
	printf("# %s\n", what ? what : "(nothing)");
	is_table(0, 0, 0, 0, "and leaves nothing behind, known or not");
	size = 1 << 20;
	setsockopt(next, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	is_int(xfrm_sa_counters(x, &p.in.dst, p.in.spi, &(struct xfrm_counters){ 0 }), -ESRCH,
	       "late answers do not confuse the next question");
}

static void test_sweep(bool esp)
{
	struct xfrm_sa sa = make_pair(9, &algs[0]).in;
	unsigned sas = 99, policies = 99, n = 0;
	struct xfrm_pol pol;

	if (!begin())
		return;
	add_foreign_policies();
	for (uint32_t id = 0; id < 150; id++) {
		pol = foreign("10.99.0.0/16", 0);
		pol.src.addr.b[3] = (uint8_t)id;
		pol.src.len = 32;
		pol.dir = id % 3;
		/* Some are ours by their template, others by if_id alone. */
		if (id % 2)
			pol.reqid = XFRM_REQID_LAST - id;
		else
			pol.if_id = XFRM_IF_ID;
		n += raw_policy_add(&pol) == 0;
	}
	is_int(n, 150, "150 policies of ours");
	if (esp) {
		ok(raw_sa_add(&sa) == 0, "an SA of ours by its reqid");
		sa.reqid = 5;
		sa.spi++;
		ok(raw_sa_add(&sa) == 0, "one of somebody else");
		sa.if_id = XFRM_IF_ID;
		sa.spi++;
		ok(raw_sa_add(&sa) == 0, "one of ours by its if_id");
	}
	is_table(esp ? 2 : 0, esp ? 1 : 0, 150, 2, "are in the tables");
	is_int(xfrm_sweep(x, &sas, &policies), 0, "the sweep");
	is_int(sas, esp ? 2 : 0, "counts our SAs");
	is_int(policies, 150, "and our policies");
	is_table(0, esp ? 1 : 0, 0, 2, "and leaves what is others'");
	is_int(xfrm_sweep(x, &sas, &policies), 0, "another sweep");
	is_int(sas + policies, 0, "finds nothing");
}

/* One SA and the policies of one network stay. */
static bool stays_sa(void *ctx, uint32_t reqid, uint8_t proto, const struct ipaddr *dst,
		     uint32_t spi)
{
	const struct xfrm_pair *p = ctx;

	return reqid == p->in.reqid && proto == IPPROTO_ESP && spi == p->in.spi &&
	       ipaddr_eq(dst, &p->in.dst);
}

static bool stays_policy(void *ctx, const struct xfrm_pol *pol)
{
	const struct xfrm_pair *p = ctx;
	bool out = pol->dir == XFRM_OUT;

	return pol->reqid == p->in.reqid && prefix_eq(out ? &pol->src : &pol->dst, &p->nets[0]) &&
	       pol->proto == p->proto && (out ? pol->sport : pol->dport) == p->net_port &&
	       (out ? pol->dport : pol->sport) == p->inner_port;
}

static void test_sweep_but(bool esp)
{
	struct xfrm_pair p = make_pair(3, &algs[0]), q = make_pair(4, &algs[0]);
	const struct xfrm_keep keep = { stays_sa, stays_policy, &p };
	struct xfrm_pol pol[XFRM_PAIR_POLICIES];
	unsigned sas = 99, policies = 99, n = 0;

	if (!begin())
		return;
	p.nets[p.n_nets++] = net("10.0.13.0/24");
	p.proto = IPPROTO_TCP;
	p.inner_port = 1022;
	p.net_port = 22;
	for (unsigned i = xfrm_pair_policies(&p, pol); i-- > 0;)
		n += raw_policy_add(&pol[i]) == 0;
	for (unsigned i = xfrm_pair_policies(&q, pol); i-- > 0;)
		n += raw_policy_add(&pol[i]) == 0;
	is_int(n, 9, "policies of two clients");
	if (esp)
		ok(raw_sa_add(&p.in) == 0 && raw_sa_add(&p.out) == 0, "and SAs of one");
	is_int(xfrm_sweep_but(x, &keep, &sas, &policies), 0, "a sweep that is told what stays");
	ok(policies == 6 && sas == (esp ? 1 : 0), "counts what goes");
	is_table(esp ? 1 : 0, 0, 3, 0, "and leaves the others");
	ok(xfrm_sweep_but(x, &keep, &sas, &policies) == 0 && sas + policies == 0,
	   "again and again");
}

/* What a datagram to `to` meets: 0 or -errno. */
static int send_try(const char *to)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(9) };
	struct ipaddr a = ip(to);

	memcpy(&sin.sin_addr, a.b, 4);
	return sendto(fd, "x", 1, MSG_DONTWAIT, (struct sockaddr *)&sin, sizeof(sin)) < 0 ? -errno
											  : 0;
}

/* Packets for an inner address leave by a pair, or not at all. */
static void test_guard(void)
{
	struct prefix pool[] = { net("10.99.99.1/32"), net("10.99.99.2/31"), net("10.99.99.4/30") };
	struct xfrm_pair p = make_pair(0, &algs[0]);
	struct xfrm_pol pol[XFRM_PAIR_POLICIES];
	unsigned sas, policies = 0, n;
	bool fine = true;

	if (!begin())
		return;
	if (make_veth("va", "vb") < 0 ||
	    system("ip addr add 192.0.2.1/24 dev va && ip link set vb up &&"
		   " ip route add default via 192.0.2.2 dev va") != 0) {
		skip(15, "no veth in this kernel, or no ip");
		return;
	}
	is_int(xfrm_set_hthresh(x), 0, "policies are indexed as the gateway has them");
	is_int(send_try("10.99.99.1"), 0, "without a guard an inner address is like any other");
	is_int(xfrm_guard_add(x, pool, ARRAY_SIZE(pool), false), 0, "with one");
	ok(send_try("10.99.99.1") == -EPERM && send_try("10.99.99.3") == -EPERM &&
		   send_try("10.99.99.7") == -EPERM,
	   "none is reached");
	ok(send_try("10.99.99.0") == 0 && send_try("10.99.99.8") == 0, "addresses beside it are");
	is_table(0, 0, 9, 0, "in, forward and out for each prefix, known as ours");

	p.nets[0] = net("0.0.0.0/0");
	for (unsigned i = n = xfrm_pair_policies(&p, pol); i-- > 0;)
		fine &= raw_policy_add(&pol[i]) == 0;
	ok(fine && n == 3, "a client's policies for everything go beside it");
	/* There is no SA: the kernel asks for one. */
	ok(send_try("10.99.99.1") != -EPERM, "and come before it");
	is_int(send_try("10.99.99.3"), -EPERM, "for this client alone");
	is_int(xfrm_pair_del(x, &p, false), 0, "the client goes");
	ok(send_try("10.99.99.1") == -EPERM, "and its address is not reached any more");
	is_int(xfrm_guard_del(x, pool, 1), 0, "one of its networks is let out");
	ok(send_try("10.99.99.1") == 0 && send_try("10.99.99.3") == -EPERM, "no other");
	is_int(xfrm_guard_del(x, pool, 1), 0, "nor is it an error that it is out");
	ok(xfrm_guard_add(x, pool, ARRAY_SIZE(pool), false) == -EEXIST &&
		   xfrm_guard_add(x, pool, ARRAY_SIZE(pool), true) == 0,
	   "there is no second guard, but the same one again");
	ok(xfrm_sweep(x, &sas, &policies) == 0 && policies == 9 && send_try("10.99.99.1") == 0,
	   "the sweep takes the guard away");
}

static void test_algorithms(void)
{
	struct xfrm_counters c;
	const char *what;
	uint32_t id = 0;

	if (!begin())
		return;
	for (size_t i = 0; i < ARRAY_SIZE(algs); i++) {
		for (unsigned way = 0; way < 4; way++) {
			struct xfrm_pair p = make_pair(id++, &algs[i]);
			int r;

			p.in.encap = p.out.encap = way & 1;
			p.in.sport = p.in.dport = p.out.sport = p.out.dport = 4500;
			p.in.if_id = p.out.if_id = way & 2 ? XFRM_IF_ID : 0;
			what = "";
			r = xfrm_pair_add(x, &p, &what);
			ok(r == 0 && xfrm_sa_counters(x, &p.in.dst, p.in.spi, &c) == 0 &&
				   c.packets == 0,
			   "%s %u, %s/%u%s%s %s", algs[i].enc, algs[i].enc_len * 8,
			   algs[i].auth ? algs[i].auth : "-", algs[i].icv_bits,
			   way & 1 ? ", in UDP" : "", way & 2 ? ", with if_id" : "", what);
		}
	}
	is_table(2 * id, 0, 3 * id, 0, "all of them are in the tables");
	for (uint32_t i = 0; i < id; i++) {
		struct xfrm_pair p = make_pair(i, &algs[0]);

		p.in.if_id = p.out.if_id = i & 2 ? XFRM_IF_ID : 0;
		if (xfrm_pair_del(x, &p, false) < 0)
			ok(false, "pair %u does not go", i);
	}
	is_table(0, 0, 0, 0, "and out of them");
}

/* The way to learn what a kernel can do before somebody needs it. */
static void test_probe(bool esp)
{
	struct alg unknown = { "cbc(nosuchcipher)", 16, "hmac(sha1)", 20, 96 };
	struct xfrm_sa sa = make_pair(0, &unknown).in;
	const char *what = NULL;

	if (!begin())
		return;
	is_int(xfrm_sa_probe(x, &sa, &what), -ENOSYS, "an unknown cipher is found out");
	ok(has(what, "SA with cbc(nosuchcipher) hmac(sha1): ") &&
		   has(what, "modprobe -a crypto-nosuchcipher crypto-sha1"),
	   "with its name and what might help");
	set_alg(&sa, &algs[0]);
	if (!esp) {
		is_int(xfrm_sa_probe(x, &sa, &what), -EPROTONOSUPPORT,
		       "as is a kernel without ESP");
		ok(has(what, "no ESP in this kernel: load esp4"), "with what to load");
		is_table(0, 0, 0, 0, "nothing is left of it");
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(algs); i++) {
		set_alg(&sa, &algs[i]);
		is_int(xfrm_sa_probe(x, &sa, &what), 0, algs[i].enc);
	}
	is_table(0, 0, 0, 0, "nothing is left of it");
	sa.reqid = 5;
	ok(raw_sa_add(&sa) == 0, "somebody's SA with the same SPI");
	is_int(xfrm_sa_probe(x, &sa, &what), 0, "does not disturb it");
	is_table(0, 1, 0, 0, "and is not disturbed");
}

static void test_conflicts(void)
{
	struct xfrm_pair p = make_pair(0, &algs[0]), q = make_pair(1, &algs[0]);
	struct xfrm_pol pol = foreign("10.99.99.2/32", 0);
	const char *what = NULL;

	if (!begin())
		return;
	is_int(xfrm_pair_add(x, &p, &what), 0, "a pair");
	q.in.spi = p.in.spi;
	is_int(xfrm_pair_add(x, &q, &what), -EEXIST, "another with its SPI is refused");
	ok(has(what, "inbound SA") && has(what, "SPI in use"), "with these words");
	is_table(2, 0, 3, 0, "and the first has all it had");
	q = make_pair(1, &algs[0]);
	ok(raw_policy_add(&pol) == 0, "somebody's policy");
	is_int(xfrm_pair_add(x, &q, &what), -EEXIST, "is not replaced");
	ok(has(what, "policy 10.99.99.2/32 to 10.0.12.0/24: somebody else"), "but named");
	is_table(2, 0, 3, 1, "and the second pair is out again");

	q = make_pair(0, &algs[7]);
	q.in.spi += 100;
	q.out.spi += 100;
	is_int(xfrm_pair_add(x, &q, &what), 0, "a session's next pair");
	is_table(4, 0, 3, 1, "shares the policies");
	is_int(xfrm_pair_del(x, &p, true), 0, "the old pair goes");
	is_table(2, 0, 3, 1, "and leaves them");
	is_int(xfrm_pair_del(x, &q, false), 0, "the new pair goes");
	is_table(0, 0, 0, 1, "with them");
}

/* A rekey: the newer pair receives first, and sends when its client can hear it. */
static void test_parts(void)
{
	struct xfrm_pair p = make_pair(0, &algs[0]), q = make_pair(0, &algs[7]);
	const char *what = NULL;

	if (!begin())
		return;
	xfrm_pair_add(x, &p, &what);
	q.in.spi += 100;
	q.out.spi += 100;
	q.part = XFRM_PAIR_IN;
	is_int(xfrm_pair_add(x, &q, &what), 0, "the inbound SA of the next pair");
	is_table(3, 0, 3, 0, "goes in alone");
	is_int(xfrm_pair_add(x, &q, &what), -EEXIST, "once");
	is_table(3, 0, 3, 0, "and a refusal takes nothing out");
	q.part = XFRM_PAIR_OUT;
	q.out.enc_name = "cbc(nonsense)";
	ok(xfrm_pair_add(x, &q, &what) < 0 && has(what, "outbound SA"), "what is wrong is named");
	is_table(3, 0, 3, 0, "and the rest stays");
	q.out.enc_name = q.in.enc_name;
	is_int(xfrm_pair_add(x, &q, &what), 0, "the rest");
	is_table(4, 0, 3, 0, "joins it, with the policies that are there");
	is_int(xfrm_pair_del(x, &p, true), 0, "the old pair goes");
	is_int(xfrm_pair_del(x, &q, false), 0, "the new pair goes");
	is_table(0, 0, 0, 0, "with all it had");
	q.part = XFRM_PAIR_IN;
	xfrm_pair_add(x, &q, &what);
	q.part = XFRM_PAIR_OUT;
	is_int(xfrm_pair_add(x, &q, &what), 0, "the rest of a pair whose elder has gone");
	is_table(2, 0, 3, 0, "brings the policies along");
	xfrm_pair_del(x, &q, false);
}

struct seen {
	unsigned n, stop_at;
};

static int see(void *ctx, const struct ipaddr *dst, uint32_t spi, const struct xfrm_counters *c)
{
	struct seen *s = ctx;

	(void)dst, (void)spi, (void)c;
	return ++s->n == s->stop_at ? -ECANCELED : 0;
}

static void test_each(void)
{
	struct seen s = { 0 };
	const char *what;
	bool fine = true;

	if (!begin())
		return;
	for (uint32_t id = 0; id < 200; id++) {
		struct xfrm_pair p = make_pair(id, &algs[0]);

		fine &= xfrm_pair_add(x, &p, &what) == 0;
	}
	ok(fine, "200 pairs");
	is_int(xfrm_sa_each(x, see, &s), 0, "are walked");
	is_int(s.n, 400, "SA by SA");
	s = (struct seen){ .stop_at = 7 };
	is_int(xfrm_sa_each(x, see, &s), -ECANCELED, "until the callback says stop");
	is_int(s.n, 7, "at once");
	s = (struct seen){ 0 };
	ok(xfrm_sa_each(x, see, &s) == 0 && s.n == 400, "and the next walk is complete again");
}

static void test_ipv6(void)
{
	struct xfrm_pair p = make_pair(0, &algs[0]);
	const char *what = "";
	int r;

	if (!begin())
		return;
	p.in.src = p.out.dst = ip("2001:db8::2");
	p.in.dst = p.out.src = ip("2001:db8::1");
	r = xfrm_pair_add(x, &p, &what);
	if (r == -EPROTONOSUPPORT) {
		ok(has(what, "load esp6"), "a kernel without ESP for IPv6 says so");
		return;
	}
	is_int(r, 0, "IPv4 policies go through an IPv6 tunnel");
	is_table(2, 0, 3, 0, "all of them");
}

int main(void)
{
	bool esp;

	if (!can_run())
		return done();
	esp = kernel_has_esp();
	test_rights();
	test_refused(esp);
	test_refused_rekey();
	test_probe(esp);
	test_overrun(esp);
	test_sweep(esp);
	test_sweep_but(esp);
	test_guard();
	if (esp) {
		test_algorithms();
		test_conflicts();
		test_parts();
		test_each();
		test_ipv6();
	} else {
		skip(4, "no ESP in this kernel: algorithms, conflicts, walks, IPv6");
	}
	xfrm_close(x);
	return done();
}
