/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * make_seeds.c - writes the seeds of the fuzz targets below a directory, named for what they are:
 *
 *   cc -DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION ... tests/fuzz/make_seeds.c CORE TESTLIB
 *   make_seeds tests/corpus
 *
 * Built with that macro, as the fuzzers are, so that sealed messages are plain in them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "craft.h"
#include "fuzz_login.h"
#include "ike/cfg_attrs.h"
#include "ike/vid.h"
#include "offer.h"

static const char *root;
static struct fuzz_login f;
static const struct span none = { 0 };

static void put(const char *target, const char *name, struct span s)
{
	_cleanup_fclose_ FILE *out = NULL;
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", root, target);
	mkdir(path, 0777);
	snprintf(path, sizeof(path), "%s/%s/%s", root, target, name);
	out = fopen(path, "wb");
	if (!out || fwrite(s.p ? s.p : (const uint8_t *)"", 1, s.n, out) != s.n) {
		perror(path);
		exit(EXIT_FAILURE);
	}
}

/* ---- the state machine ---- */

static uint8_t tape[65536];
static struct wr w;

static void record(enum fuzz_state s)
{
	w = wr_into(tape, sizeof(tape));
	wr_u8(&w, (uint8_t)s);
	fuzz_login(&f, (uint8_t)s);
}

/* One datagram for the tape, and also for the target that reads messages. */
static void say(const char *name, struct span m, uint8_t how)
{
	wr_u8(&w, how | (f.c.floated ? FUZZ_NATT : 0));
	wr_be16(&w, (uint16_t)m.n);
	wr_span(&w, m);
	put("ike_msg", name, m);
}

/* The same, and the gateway goes on as it will when the tape is played. */
static void say_and_wait(const char *name, struct span m)
{
	say(name, m, FUZZ_COOKIES | FUZZ_WAITS);
	client_to(&f.c, &f.g, m);
	gate_pass(&f.g, 3000000);
}

static void stop(const char *name)
{
	put("ike_input", name, wr_done(&w));
	gate_stop(&f.g);
}

static struct span payload(uint8_t xchg, uint8_t type, struct span body)
{
	struct ike_build b;

	client_new_exchange(&f.c);
	b = client_start(&f.c, xchg);
	build_payload(&b, type, body);
	return client_seal(&f.c, &b);
}

static void first_messages(void)
{
	static const struct {
		const char *name;
		uint16_t hash, group, bits;
		uint32_t natt;
		bool vpnc;
	} rows[] = {
		{ "first-strongswan", HASH_SHA256, 14, 256, VID_NATT_RFC, false },
		{ "first-vpnc", HASH_SHA1, 2, 128, VID_NATT_02N, true },
		{ "first-x25519-without-natt", HASH_SHA384, 31, 192, 0, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		record(FUZZ_NEW);
		f.c.alg = (struct ike_p1){ ENC_AES_CBC, rows[i].bits, rows[i].hash, rows[i].group };
		f.c.natt = rows[i].natt;
		f.c.vpnc_order = rows[i].vpnc;
		say(rows[i].name, client_first(&f.c), FUZZ_JOBS | FUZZ_WAITS);
		stop(rows[i].name);
	}
	record(FUZZ_DH);
	say("first-again", client_first(&f.c), 0);
	stop("first-again-while-computing");
}

static void third_messages(void)
{
	record(FUZZ_SENT);
	say("third-encrypted", client_third(&f.c), FUZZ_COOKIES);
	stop("third-encrypted");
	record(FUZZ_SENT);
	f.c.clear_third = true;
	say("third-clear", client_third(&f.c), FUZZ_COOKIES);
	stop("third-clear");
	record(FUZZ_SENT);
	f.c.initial_contact = true;
	say("third-initial-contact", client_third(&f.c), FUZZ_COOKIES);
	stop("third-initial-contact");
	record(FUZZ_SENT_RSA);
	f.c.wrong_sig = true;
	say("third-wrong-signature", client_third(&f.c), FUZZ_COOKIES | FUZZ_JOBS);
	stop("third-wrong-signature");
	record(FUZZ_SENT_RSA);
	f.c.clear_third = true;
	f.c.n_certs = 2;
	say("third-signed", client_third(&f.c), FUZZ_COOKIES | FUZZ_JOBS);
	stop("third-signed");
}

static void main_mode(void)
{
	struct ike_build b;
	struct craft *k = calloc(1, sizeof(*k));

	record(FUZZ_NEW);
	f.c.main = true;
	say("main-first", client_first(&f.c), FUZZ_JOBS);
	stop("main-first");
	record(FUZZ_MAIN_SA);
	say("main-third", client_main3(&f.c), FUZZ_COOKIES);
	client_main4(&f.c, gate_only(&f.g));
	say("main-fifth", client_main5(&f.c), FUZZ_COOKIES | FUZZ_MOVES | FUZZ_WAITS);
	stop("main-third-and-fifth");
	record(FUZZ_MAIN_DH);
	say("main-third-again", client_main3(&f.c), FUZZ_COOKIES | FUZZ_JOBS);
	stop("main-third-again-while-computing");
	record(FUZZ_MAIN_KE);
	b = client_main5_open(&f.c);
	craft_from(k, client_clear(&b));
	craft_add(k, PL_CERT, (struct span){ (const uint8_t *)"\4", 1 });
	craft_add(k, PL_CERTREQ, (struct span){ (const uint8_t *)"\4", 1 });
	craft_add(k, PL_NOTIFY, (struct span){ (const uint8_t *)"\0\0\0\1\1\0\140\2", 8 });
	say("main-fifth-with-all", craft_seal_raw(k, &f.c), FUZZ_COOKIES);
	stop("main-fifth-with-all");
	record(FUZZ_MAIN_KE_PSK);
	say("main-fifth-shared-key", client_main5(&f.c), FUZZ_COOKIES);
	stop("main-fifth-shared-key");
	record(FUZZ_MAIN_KE_RSA);
	say("main-fifth-signed", client_main5(&f.c), FUZZ_COOKIES);
	say("main-fifth-signed-again", client_main5(&f.c), FUZZ_COOKIES | FUZZ_JOBS);
	stop("main-fifth-while-checking");
	record(FUZZ_MAIN_SIGN);
	say("main-fifth-again", client_main5(&f.c), FUZZ_COOKIES | FUZZ_JOBS);
	stop("main-fifth-while-signing");
	record(FUZZ_MAIN_XAUTH);
	say("main-xauth-reply", client_credentials(&f.c, span_str("alice"), span_str("wonderland")),
	    FUZZ_COOKIES);
	stop("main-xauth-reply");
	free(k);
}

static void xauth(void)
{
	record(FUZZ_XAUTH);
	say("xauth-reply", client_credentials(&f.c, span_str("alice"), span_str("wonderland")),
	    FUZZ_COOKIES);
	stop("xauth-reply");
	record(FUZZ_XAUTH);
	say("xauth-gives-up",
	    client_attr(&f.c, CFG_REPLY, f.c.cfg_id, (struct span){ (uint8_t *)"\xc0\x8f\0\0", 4 }),
	    FUZZ_COOKIES);
	stop("xauth-gives-up");
	record(FUZZ_REFUSING);
	say("xauth-ack", client_ack(&f.c), FUZZ_COOKIES);
	stop("xauth-ack-of-a-refusal");
	record(FUZZ_CHECKING);
	say("delete-while-checking", client_delete_isakmp(&f.c), FUZZ_COOKIES | FUZZ_JOBS);
	stop("delete-while-checking");
}

/* Of an address, and of a network that is narrowed to it. */
static void quick_ipv6(void)
{
	uint8_t range[36] = {
		ID_IPV6_ADDR_RANGE, [4] = 0xfd, [7] = 0x99, [20] = 0xfd, [23] = 0x99,
	};

	memset(range + 28, 0xff, 8);
	f.c.v6 = true;
	ipaddr_parse("fd00:99::a63:6301", &f.c.address6);
	say("quick-first-ipv6", client_quick1(&f.c, none, none), FUZZ_COOKIES);
	say("quick-range-ipv6", client_quick1(&f.c, SPAN_OF(range), none), FUZZ_COOKIES);
	f.c.v6 = false;
}

static void config(void)
{
	static const uint16_t all[] = { 1,     2,     3,     4,     7,     13,    28672, 28673,
					28674, 28675, 28676, 28677, 28678, 28679, 28681 };
	static const uint16_t ipv6[] = { 1, 8, 10, 15 };

	record(FUZZ_AUTHED);
	say("config-request", client_config(&f.c, all, ARRAY_SIZE(all)), FUZZ_COOKIES);
	say("quick-first", client_quick1(&f.c, none, none), FUZZ_COOKIES);
	stop("config-then-quick");
	record(FUZZ_AUTHED);
	say("config-request-ipv6", client_config(&f.c, ipv6, ARRAY_SIZE(ipv6)), FUZZ_COOKIES);
	quick_ipv6();
	stop("config-then-quick-ipv6");
}

static void quick(void)
{
	record(FUZZ_QUICK);
	say("quick-third", client_quick3(&f.c), FUZZ_COOKIES);
	stop("quick-third");
	record(FUZZ_UP_NAT);
	say("quick-pfs", client_quick1(&f.c, none, none), FUZZ_COOKIES | FUZZ_MOVES);
	stop("quick-pfs-from-a-new-port");
	record(FUZZ_UP_NAT);
	for (unsigned i = 0; i < 5; i++)
		say("dpd", client_dpd(&f.c, 5 + i),
		    FUZZ_COOKIES | (i % 2 ? FUZZ_ESP | FUZZ_WAITS : FUZZ_MOVES));
	say("dpd", client_dpd(&f.c, 10), FUZZ_MOVES | FUZZ_ESP | FUZZ_WAITS);
	stop("moves-by-ike-and-esp");
	record(FUZZ_LEASED);
	say("quick-no-ids", payload(XCHG_QUICK, PL_SA, none), FUZZ_COOKIES);
	stop("quick-without-a-nonce");
}

static void rekey(void)
{
	static const uint8_t refusal[] = { 0, 0, 0, 1, PROTO_ESP, 4, 0, N_NO_PROPOSAL_CHOSEN };
	uint8_t body[12];

	record(FUZZ_ASKED);
	say("quick-answer", client_rekey2(&f.c), FUZZ_COOKIES | FUZZ_WAITS);
	stop("quick-answer");
	record(FUZZ_ASKED);
	memcpy(body, refusal, sizeof(refusal));
	for (unsigned i = 0; i < 4; i++)
		body[8 + i] = (uint8_t)(f.c.spi_out >> (24 - 8 * i));
	say("quick-refused", payload(XCHG_INFO, PL_NOTIFY, SPAN_OF(body)), FUZZ_COOKIES);
	stop("quick-refused");
	record(FUZZ_RETIRED);
	say("dpd", client_dpd(&f.c, 5), FUZZ_COOKIES);
	say("delete-pair", client_delete_child(&f.c), FUZZ_COOKIES | FUZZ_WAITS);
	say("delete-session", client_delete_isakmp(&f.c), FUZZ_COOKIES);
	stop("retired-dpd-then-deletes");
}

static void info(void)
{
	static const struct {
		const char *name, *body;
		size_t n;
	} rows[] = {
		{ "notify-error", "\0\0\0\1\1\0\0\30", 8 },
		{ "notify-initial-contact", "\0\0\0\1\1\0\140\2", 8 },
		{ "notify-with-spi-and-data", "\0\0\0\1\1\4\215\51abcd\0\0\0\1", 16 },
	};

	record(FUZZ_UP);
	say("dpd", client_dpd(&f.c, 5), FUZZ_COOKIES);
	say("delete-pair", client_delete_child(&f.c), FUZZ_COOKIES | FUZZ_WAITS);
	say("delete-session", client_delete_isakmp(&f.c), FUZZ_COOKIES);
	stop("dpd-then-deletes");
	record(FUZZ_UP);
	say_and_wait("dpd", client_dpd(&f.c, 5));
	say_and_wait("dpd-not-awaited", client_dpd_ack(&f.c, 7));
	say_and_wait("dpd-answer", client_dpd_ack(&f.c, client_sa(&f.c, &f.g)->dpd_base + 1));
	stop("dpd-answered");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		record(FUZZ_UP);
		say(rows[i].name,
		    payload(XCHG_INFO, PL_NOTIFY,
			    (struct span){ (const uint8_t *)rows[i].body, rows[i].n }),
		    FUZZ_COOKIES);
		stop(rows[i].name);
	}
	record(FUZZ_CLOSING);
	say("delete-answered", client_delete_isakmp(&f.c), FUZZ_COOKIES | FUZZ_WAITS);
	stop("delete-answered");
}

/* A message in fragments, backwards: what is said is put together. */
static void say_pieces(struct span m, size_t each, uint8_t how)
{
	static struct pieces p;

	pieces_cut(&p, m, each, 1);
	pieces_plain(&p);
	while (p.n--)
		say("fragment", piece_span(&p.v[p.n]), p.n ? 0 : how);
}

static void fragments(void)
{
	record(FUZZ_NEW);
	f.c.knows_frag = true;
	say_pieces(client_first(&f.c), 150, 0);
	stop("fragments-first");
	record(FUZZ_SENT);
	say_pieces(client_third(&f.c), 40, 0);
	stop("fragments-third");
	record(FUZZ_UP_NAT);
	say_pieces(client_quick1(&f.c, none, none), 200, FUZZ_WAITS);
	say_pieces(client_dpd(&f.c, 7), 40, 0);
	stop("fragments-behind-the-encryption");
}

/* ---- the parts ---- */

/* One fragment for the target that reads them. */
static void part(uint8_t how, uint8_t id, uint8_t number, bool last, const char *data)
{
	wr_u8(&w, how);
	wr_u8(&w, id);
	wr_u8(&w, number);
	wr_u8(&w, last);
	wr_u8(&w, (uint8_t)strlen(data));
	wr_span(&w, span_str(data));
}

static void frag(void)
{
	enum { /* fuzz_ike_frag.c */
		OTHER = 1,
		CLIENT = 4,
		RAW = 16,
		LATER = 32,
		GOOD = 64,
		LONG = 128,
	};
	static const struct {
		const char *name;
		struct {
			uint8_t how, id, number, last;
			const char *data;
		} part[9];
	} rows[] = {
		{ "in-order-then-again",
		  { { GOOD, 1, 1, 0, "one" },
		    { GOOD, 1, 2, 0, "two" },
		    { GOOD, 1, 3, 1, "three" },
		    { GOOD, 1, 1, 0, "one" },
		    { GOOD, 1, 2, 0, "two" },
		    { GOOD, 1, 3, 1, "three" },
		    { GOOD, 1, 1, 0, "ONE" },
		    { GOOD, 1, 2, 1, "TWO" } } },
		{ "backwards-of-a-client",
		  { { CLIENT, 1, 3, 1, "three" },
		    { CLIENT, 1, 2, 0, "two" },
		    { CLIENT | GOOD, 1, 1, 0, "one" },
		    { CLIENT, 2, 1, 1, "whole" } } },
		{ "contradictions",
		  { { 0, 1, 1, 0, "one" },
		    { 0, 1, 1, 0, "uno" },
		    { 0, 1, 3, 1, "three" },
		    { 0, 1, 2, 1, "two" },
		    { 0, 1, 4, 0, "four" },
		    { 0, 1, 2, 1, "two" },
		    { LATER, 1, 1, 0, "one" } } },
		{ "two-senders-three-ids",
		  { { 0, 1, 1, 0, "a" },
		    { OTHER, 1, 2, 1, "b" },
		    { 0, 2, 1, 0, "c" },
		    { 2, 3, 1, 0, "d" },
		    { 2, 3, 2, 1, "e" },
		    { LATER, 1, 2, 1, "f" } } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		w = wr_into(tape, sizeof(tape));
		for (unsigned k = 0; rows[i].part[k].data; k++)
			part(rows[i].part[k].how, rows[i].part[k].id, rows[i].part[k].number,
			     rows[i].part[k].last, rows[i].part[k].data);
		put("ike_frag", rows[i].name, wr_done(&w));
	}
	w = wr_into(tape, sizeof(tape));
	for (uint8_t i = 1; i < 34; i++)
		part(LONG, 1, i, false, "forty times fourteen");
	put("ike_frag", "too-many-and-too-long", wr_done(&w));
	w = wr_into(tape, sizeof(tape));
	part(RAW, 0, 0, false, ""); /* zeros where a fragment begins */
	wr_u8(&w, RAW);
	wr_u8(&w, 9);
	wr_bytes(&w, "\0\0\0\11\0\1\1\1x", 9);
	put("ike_frag", "raw", wr_done(&w));
}

static void sapl(void)
{
	static const uint8_t spi[4] = { 0xc0, 0xff, 0xee, 1 };
	static struct offer o;
	static uint8_t buf[20000];
	struct span s;

	offer_start(&o);
	offer_proposal(&o, 1, PROTO_ISAKMP, none);
	offer_p1(&o, 1, 7, 256, 4, 14, AUTH_HYBRID_INIT_RSA);
	offer_p1(&o, 2, 7, 128, 2, 2, AUTH_HYBRID_INIT_RSA);
	offer_p1(&o, 3, 5, 0, 1, 14, 1);
	s = offer_done(&o);
	buf[0] = 1;
	memcpy(buf + 1, s.p, s.n);
	put("ike_sapl", "phase1-three-transforms", (struct span){ buf, s.n + 1 });
	offer_start(&o);
	offer_proposal(&o, 0, PROTO_ESP, SPAN_OF(spi));
	offer_p2(&o, 0, 12, 256, 5, 1, 0);
	offer_p2(&o, 1, 20, 256, 0, 1, 14);
	offer_proposal(&o, 1, PROTO_ESP, SPAN_OF(spi));
	offer_p2(&o, 0, 12, 128, 2, 1, 14);
	offer_proposal(&o, 1, PROTO_IPCOMP, (struct span){ spi, 2 });
	offer_transform(&o, 1, 2);
	s = offer_done(&o);
	memcpy(buf + 1, s.p, s.n);
	buf[0] = 0;
	put("ike_sapl", "quick-with-a-bundle", (struct span){ buf, s.n + 1 });
	buf[0] = 8;
	put("ike_sapl", "quick-with-pfs", (struct span){ buf, s.n + 1 });
	offer_start(&o);
	offer_proposal(&o, 1, PROTO_ESP, SPAN_OF(spi));
	offer_p2(&o, 1, 12, 256, 5, 1, 0);
	offer_proposal(&o, 1, PROTO_IPCOMP, (struct span){ spi, 2 });
	offer_transform(&o, 1, 2);
	offer_tv(&o, 4, 1);
	s = offer_done(&o);
	memcpy(buf + 1, s.p, s.n);
	buf[0] = 64;
	put("ike_sapl", "quick-with-ipcomp", (struct span){ buf, s.n + 1 });
	offer_start(&o);
	offer_proposal(&o, 1, PROTO_ESP, SPAN_OF(spi));
	offer_p2(&o, 1, 12, 256, 5, 3, 0);
	offer_p2(&o, 1, 12, 256, 5, 61443, 0);
	s = offer_done(&o);
	memcpy(buf + 1, s.p, s.n);
	buf[0] = 16;
	put("ike_sapl", "quick-in-udp", (struct span){ buf, s.n + 1 });
}

static void attr(void)
{
	static const uint8_t reply[] = "\2\0\x12\x34\x40\x89\0\5alice\x40\x8a\0\1x\xc0\x88\0\0";
	static const uint8_t request[] = "\1\0\0\x14\0\1\0\0\0\3\0\4\0\0\0\0\x70\0\0\0\xf0\7\0\0";

	static const uint8_t request_ipv6[] =
		"\1\0\0\x14\0\10\0\21\xfd\0\0\x99\0\0\0\0\0\0\0\0\x0a\x63\x63\1\x40\0\12\0\0";

	put("ike_attr", "xauth-reply", (struct span){ reply, sizeof(reply) - 1 });
	put("ike_attr", "config-request", (struct span){ request, sizeof(request) - 1 });
	put("ike_attr", "config-request-ipv6",
	    (struct span){ request_ipv6, sizeof(request_ipv6) - 1 });
	put("ike_attr", "empty", (struct span){ request, 4 });
}

static void save(void)
{
	static uint8_t rec[65536];
	static const struct {
		const char *name;
		enum fuzz_state s;
		bool ipv6;
	} rows[] = { { "logged-in", FUZZ_AUTHED, false },
		     { "up", FUZZ_UP, false },
		     { "up-nat", FUZZ_UP_NAT, false },
		     { "up-ipv6", FUZZ_UP, true },
		     { "quick-answered", FUZZ_QUICK, false } };
	size_t n;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fuzz_login(&f, (uint8_t)rows[i].s);
		if (rows[i].ipv6) {
			f.c.v6 = true;
			ipaddr_parse("fd00:99::a63:6301", &f.c.address6);
			client_quick(&f.c, &f.g);
		}
		if (ike_save(f.g.ike, client_sa(&f.c, &f.g)->id, rec, sizeof(rec), &n) == 0)
			put("ike_save", rows[i].name, (struct span){ rec, n });
		gate_stop(&f.g);
	}
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: make_seeds DIRECTORY\n");
		return EXIT_FAILURE;
	}
	root = argv[1];
	first_messages();
	third_messages();
	main_mode();
	xauth();
	config();
	quick();
	rekey();
	info();
	fragments();
	sapl();
	frag();
	attr();
	save();
	return EXIT_SUCCESS;
}
