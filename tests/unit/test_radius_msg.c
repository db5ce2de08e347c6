/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_radius_msg.c - RADIUS packets: the examples of RFC 2865, 7, and what is no answer. */
#include <errno.h>

#include "auth/radius_msg.h"
#include "radius_kit.h"
#include "tap.h"
#include "text.h"

static struct radius_key key_of(const char *authenticator, uint8_t id)
{
	struct radius_key k = { .secret = span_str("xyzzy5461"), .id = id };

	memcpy(k.authenticator, hex(authenticator).p, sizeof(k.authenticator));
	return k;
}

/* That of RFC 2865 7.1, with an id of our own. */
static struct radius_key a_key(void)
{
	return key_of("0f403f9473978057bd83d5cb98f4227a", 7);
}

/* ---- requests ---- */

static void passwords(void)
{
	struct radius_key k = a_key();
	uint8_t out[RADIUS_PASSWORD_MAX];

	is_int((long long)radius_hide(&k, span_str("arctangent"), out), 16,
	       "RFC 2865 7.1: a short password has 16 bytes when it is hidden");
	is_bytes((struct span){ out, 16 }, hex("0dbe708d93d413ce3196e43f782a0aee"), "these");
	is_int((long long)radius_hide(&k, span_str("!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGH"),
				      out),
	       48, "one of 40 bytes has 48");
	is_bytes((struct span){ out, 48 },
		 hex("4dee30ddd79c538376c8cf13550425deccc278d6199a034eff7363404d1462c5"
		     "e668190f3d2faf4cae937d9dbc323f4e"),
		 "each block hidden with the one before it");
	is_int((long long)radius_hide(&k, (struct span){ 0 }, out), 16, "an empty one has 16");
	is_int((long long)radius_hide(&k, (struct span){ (const uint8_t[128]){ 1 }, 128 }, out),
	       128, "and 128 bytes are the most");
}

static void requests(void)
{
	struct radius_key k = a_key();
	struct radius_request r = {
		.user = span_str("nemo"),
		.password = span_str("arctangent"),
		.state = span_str("xyz"),
		.nas_name = span_str("vpn1"),
		.nas = ipaddr_v4(0xc0a80110),
		.from = span_str("198.51.100.7"),
	};
	uint8_t buf[RADIUS_PACKET], long_text[254] = "";
	int n = radius_put_request(buf, sizeof(buf), &k, &r);

	is_bytes((struct span){ buf, n < 0 ? 0 : (size_t)n },
		 hex("010700690f403f9473978057bd83d5cb98f4227a"
		     "501279e1d49a7c4157da687228fb0f5ac32f"
		     "01066e656d6f02120dbe708d93d413ce3196e43f782a0aee200676706e310406c0a80110"
		     "3d06000000050606000000021f0e3139382e35312e3130302e37180578797a"),
		 "a request, its Message-Authenticator first");
	is_int(radius_put_request(buf, (size_t)n - 1, &k, &r), -EMSGSIZE,
	       "for which a byte less is too small");
	(void)ipaddr_parse("2001:db8::2", &r.nas);
	r.state = r.nas_name = r.from = (struct span){ 0 };
	n = radius_put_request(buf, sizeof(buf), &k, &r);
	ok(n == 20 + 18 + 6 + 18 + 18 + 6 + 6 && buf[62] == 95 && buf[63] == 18,
	   "what is not known is left out, and an IPv6 address has its own attribute");
	r.user = (struct span){ 0 };
	is_int(radius_put_request(buf, sizeof(buf), &k, &r), -EMSGSIZE, "nobody is no user");
	r.user = (struct span){ long_text, 254 };
	is_int(radius_put_request(buf, sizeof(buf), &k, &r), -EMSGSIZE, "254 bytes are no name");
	r.user = (struct span){ long_text, 253 };
	r.password = (struct span){ long_text, RADIUS_PASSWORD_MAX };
	ok(radius_put_request(buf, sizeof(buf), &k, &r) > 0, "253 are one");
	r.password.n++;
	is_int(radius_put_request(buf, sizeof(buf), &k, &r), -EMSGSIZE,
	       "129 bytes are no password");
}

/* ---- answers ---- */

static void known_answers(void)
{
	struct radius_key k = key_of("0f403f9473978057bd83d5cb98f4227a", 0);
	struct radius_answer a = { 0 };
	struct span msg = hex("0200002686fe220e7624ba2a1005f6bf9b55e0b2"
			      "0606000000010f06000000000e06c0a80103"),
		    all, s;
	char text[128];

	is_int(radius_get_answer(msg, &k, false, &a), RADIUS_GOOD, "RFC 2865 7.1: accepted");
	is_int(a.code, RADIUS_ACCEPT, "it says so");
	is_int(radius_get_answer(msg, &k, true, &a), RADIUS_UNAUTHENTICATED,
	       "but where a Message-Authenticator is needed it does not count");
	k = key_of("f3a47a1f6a6d76710b947ab93041a039", 2);
	msg = hex("0b02004e36f3c8764ae8c71157403c0c71ff9c45"
		  "12304368616c6c656e67652033323736393433302e2020456e74657220726573706f6e"
		  "73652061742070726f6d70742e180a3332373639343330");
	is_int(radius_get_answer(msg, &k, false, &a), RADIUS_GOOD, "RFC 2865 7.3: challenged");
	is_int(a.code, RADIUS_CHALLENGE, "it says so");
	is_bytes(a.state, span_str("32769430"), "it has a state");
	is_str(radius_text(&a, text, sizeof(text)),
	       "Challenge 32769430.  Enter response at prompt.", "and a text");
	is_str(radius_text(&a, text, 10), "Challenge", "which is cut where there is no room");
	ok(!a.echo, "what is answered is a secret");
	k = key_of("b122556d428a13d0d6253807c457ecf0", 3);
	msg = hex("03030014a42f4fca45916c4e09c8340f9e746aa0");
	is_int(radius_get_answer(msg, &k, false, &a), RADIUS_GOOD, "RFC 2865 7.3: rejected");
	is_int(a.code, RADIUS_REJECT, "it says so");

	k = a_key();
	msg = hex("020700509538d8eb348c54845386c56b1ab68ccd5012a7def7fc7ca619c7341e5aa1dc61289e"
		  "19077374616666190a76706e757365727308060a636314120948656c6c6f0d0a120a1b5b316d"
		  "6e656d6f");
	is_int(radius_get_answer(msg, &k, true, &a), RADIUS_GOOD,
	       "one with a Message-Authenticator");
	all = a.attributes;
	ok(radius_next(&all, RADIUS_CLASS, &s) && span_eq(s, span_str("staff")), "has a class");
	ok(radius_next(&all, RADIUS_CLASS, &s) && span_eq(s, span_str("vpnusers")), "another");
	ok(!radius_next(&all, RADIUS_CLASS, &s) && !radius_next(&all, RADIUS_CLASS, &s),
	   "and no third");
	is_str(ipaddr_str(&a.address, text), "10.99.99.20", "an address");
	is_str(radius_text(&a, text, sizeof(text)), "Hello  ?[1mnemo", "and a text that is clean");
	msg = hex("0b07003c9b5f688e8ef09f5258a955cae2f47cc65012e559a70b4d99729fa780787181ad66b0"
		  "1207436f64653f1809726f756e642d314c0600000001");
	is_int(radius_get_answer(msg, &k, true, &a), RADIUS_GOOD, "a challenge");
	ok(a.echo, "whose answer may be seen");
}

/* What of a good answer counts after a change. */
static enum radius_flaw flaw_of(const struct kit_answer *a, const struct radius_key *k)
{
	struct radius_answer ret = { .code = RADIUS_REQUEST };
	enum radius_flaw f = radius_get_answer((struct span){ a->b, a->n }, k, true, &ret);

	if (f != RADIUS_GOOD && ret.code != RADIUS_REQUEST)
		ok(false, "something was written in spite of a flaw");
	return f;
}

static void an_accept(struct kit_answer *a, const struct radius_key *k)
{
	kit_begin(a, RADIUS_ACCEPT, k->id, true);
	kit_add(a, RADIUS_CLASS, span_str("staff"));
	(void)kit_sign(a, k->secret, k->authenticator);
}

static void forged(void)
{
	struct radius_key k = a_key(), other;
	struct kit_answer good, a;
	unsigned taken = 0;

	an_accept(&good, &k);
	is_int(flaw_of(&good, &k), RADIUS_GOOD, "a good answer");
	for (size_t i = 0; i < good.n * 8; i++) {
		a = good;
		a.b[i / 8] ^= (uint8_t)(1u << i % 8);
		taken += flaw_of(&a, &k) == RADIUS_GOOD;
	}
	is_int(taken, 0, "N232: with any bit changed it is none");
	other = k;
	other.authenticator[15] ^= 1;
	is_int(flaw_of(&good, &other), RADIUS_BAD_SECRET, "N233: nor is it one to a later request");
	other = k;
	other.id++;
	is_int(flaw_of(&good, &other), RADIUS_BAD_ID, "nor to one with another id");
	other = k;
	other.secret = span_str("xyzzy5462");
	is_int(flaw_of(&good, &other), RADIUS_BAD_SECRET, "nor from a server with another secret");
	kit_begin(&a, RADIUS_ACCEPT, k.id, false);
	(void)kit_sign(&a, k.secret, k.authenticator);
	is_int(flaw_of(&a, &k), RADIUS_UNAUTHENTICATED,
	       "N232: without a Message-Authenticator it does not count");
	kit_begin(&a, RADIUS_ACCEPT, k.id, true);
	a.mac = 0; /* it stays zero, and the rest is right */
	(void)kit_sign(&a, k.secret, k.authenticator);
	is_int(flaw_of(&a, &k), RADIUS_BAD_AUTHENTICATOR, "with a wrong one it does not, either");
	ok(radius_get_answer((struct span){ a.b, a.n }, &k, false, &(struct radius_answer){ 0 }) ==
		   RADIUS_BAD_AUTHENTICATOR,
	   "even where none is needed");
	kit_begin(&a, RADIUS_ACCEPT, k.id, true);
	kit_add(&a, 80, (struct span){ good.b, 16 });
	(void)kit_sign(&a, k.secret, k.authenticator);
	is_int(flaw_of(&a, &k), RADIUS_BAD_ATTRIBUTES, "and of two nobody knows which counts");
	for (uint8_t code = 0; code < 255; code++) {
		kit_begin(&a, code, k.id, true);
		(void)kit_sign(&a, k.secret, k.authenticator);
		taken += flaw_of(&a, &k) == RADIUS_GOOD;
	}
	is_int(taken, 3, "three codes are answers to a login");
}

static void malformed(void)
{
	struct radius_key k = a_key();
	struct kit_answer a;
	uint8_t packet[RADIUS_PACKET + 1] = { RADIUS_ACCEPT, 7, 0x10, 0x01 };
	bool cut = true;

	an_accept(&a, &k);
	for (size_t n = 0; n < a.n; n++) {
		struct kit_answer b = a;

		b.n = n;
		cut = cut && flaw_of(&b, &k) == RADIUS_BAD_LENGTH;
	}
	ok(cut, "N231: cut anywhere it has a bad length");
	a.n++;
	is_int(flaw_of(&a, &k), RADIUS_BAD_LENGTH, "so it has with a byte more than it says");
	ok(radius_get_answer(SPAN_OF(packet), &k, true, &(struct radius_answer){ 0 }) ==
		   RADIUS_BAD_LENGTH,
	   "and 4097 bytes are too long");
	for (uint8_t len = 0; len < 4; len++) {
		kit_begin(&a, RADIUS_ACCEPT, k.id, true);
		kit_add(&a, RADIUS_CLASS, (struct span){ 0 });
		a.b[a.n - 1] = len;
		(void)kit_sign(&a, k.secret, k.authenticator);
		is_int(flaw_of(&a, &k), len == 2 ? RADIUS_GOOD : RADIUS_BAD_ATTRIBUTES,
		       len == 2 ? "an empty attribute is one"
				: "N231: one with a length of 0, 1 or past the end is none");
	}
	kit_begin(&a, RADIUS_ACCEPT, k.id, true);
	a.b[a.n++] = RADIUS_CLASS;
	(void)kit_sign(&a, k.secret, k.authenticator);
	is_int(flaw_of(&a, &k), RADIUS_BAD_ATTRIBUTES, "nor is one without a length");
	kit_begin(&a, RADIUS_ACCEPT, k.id, true);
	while (a.n + 2 <= sizeof(a.b))
		kit_add(&a, RADIUS_CLASS, (struct span){ 0 });
	(void)kit_sign(&a, k.secret, k.authenticator);
	is_int(flaw_of(&a, &k), RADIUS_GOOD, "N234: two thousand attributes are read");
}

/* ---- what they say ---- */

static struct radius_answer with_address(struct kit_answer *a, const char *address, size_t n)
{
	struct radius_key k = a_key();
	struct radius_answer ret = { 0 };
	struct ipaddr ip = { 0 };

	(void)ipaddr_parse(address, &ip);
	kit_begin(a, RADIUS_ACCEPT, k.id, true);
	kit_add(a, 8, (struct span){ ip.b, n });
	kit_add(a, 8, span_str("\x0a\x01\x01\x01"));
	(void)radius_get_answer(kit_sign(a, k.secret, k.authenticator), &k, true, &ret);
	return ret;
}

static void addresses(void)
{
	static const struct {
		const char *text;
		size_t n;
		bool good, bad;
	} rows[] = {
		{ "10.99.99.20", 4, true, false },      { "223.255.255.255", 4, true, false },
		{ "255.255.255.254", 4, false, false }, { "255.255.255.255", 4, false, false },
		{ "0.0.0.0", 4, false, true },          { "0.1.2.3", 4, false, true },
		{ "127.0.0.1", 4, false, true },        { "224.0.0.1", 4, false, true },
		{ "240.0.0.1", 4, false, true },        { "255.255.255.253", 4, false, true },
		{ "10.99.99.20", 3, false, true },      { "10.99.99.20", 5, false, true },
		{ "10.99.99.20", 16, false, true },     { "10.99.99.20", 0, false, true },
	};
	struct radius_answer a;
	struct kit_answer kit;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		a = with_address(&kit, rows[i].text, rows[i].n);
		ok((a.address.family == IP_V4) == rows[i].good && (a.bad != NULL) == rows[i].bad,
		   "N183, N234: %s in %zu bytes %s", rows[i].text, rows[i].n,
		   rows[i].good  ? "is an address"
		   : rows[i].bad ? "is none"
				 : "leaves it to the pool");
	}
}

static void timeouts(void)
{
	static const struct {
		const char *hex;
		uint32_t s;
		bool bad;
	} rows[] = {
		{ "00000e10", 3600, false }, { "ffffffff", UINT32_MAX, false },
		{ "00000000", 0, false },    { "000e10", 0, true },
		{ "0000000e10", 0, true },   { "", 0, true },
	};
	struct radius_key k = a_key();
	struct radius_answer a;
	struct kit_answer kit;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		kit_begin(&kit, RADIUS_ACCEPT, k.id, true);
		kit_add(&kit, 27, hex(rows[i].hex));
		(void)radius_get_answer(kit_sign(&kit, k.secret, k.authenticator), &k, true, &a);
		ok((rows[i].bad || a.session_s == rows[i].s) && (a.bad != NULL) == rows[i].bad,
		   "N234: Session-Timeout %s", *rows[i].hex ? rows[i].hex : "of no bytes");
	}
}

static void texts(void)
{
	struct radius_key k = a_key();
	struct radius_answer ret = { 0 };
	struct kit_answer a;
	uint8_t all[RADIUS_VALUE];
	char text[5000];

	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (uint8_t)i;
	kit_begin(&a, RADIUS_REJECT, k.id, true);
	kit_add(&a, RADIUS_REPLY_MESSAGE, span_str("J\xc3\xbcrgen \xe2\x80\xae %n"));
	for (unsigned i = 0; i < 15; i++)
		kit_add(&a, RADIUS_REPLY_MESSAGE, SPAN_OF(all));
	is_int(radius_get_answer(kit_sign(&a, k.secret, k.authenticator), &k, true, &ret),
	       RADIUS_GOOD, "a long text");
	radius_text(&ret, text, sizeof(text));
	ok(text_is_clean(span_str(text)) && strlen(text) > 15u * 200,
	   "N185: is clean, whatever was in it");
	ok(strncmp(text, "J\xc3\xbcrgen ??? %n", 14) == 0, "letters are letters");
	for (size_t cap = 1; cap < 12; cap++)
		if (strlen(radius_text(&ret, text, cap)) >= cap || !text_is_clean(span_str(text)))
			ok(false, "cut to %zu bytes it is not clean", cap);
	for (int f = 0; f < RADIUS_FLAWS; f++)
		if (!*radius_flaw_str((enum radius_flaw)f))
			ok(false, "flaw %d has no words", f);
}

int main(void)
{
	passwords();
	requests();
	known_answers();
	forged();
	malformed();
	addresses();
	timeouts();
	texts();
	return done();
}
