/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_names.c - wire numbers and the words for them; proposals read and written; what is weak. */
#include "ike/names.h"

#include "cleanup.h"
#include "ike/dh.h"
#include "ike/ike.h"
#include "ike/sa.h"
#include "tap.h"

static const char *const encs[] = { "aes256", "aes192", "aes128", "3des" };
static const char *const hashes[] = { "sha256", "sha384", "sha512", "sha1", "md5" };
static const char *const groups[] = { "modp768",  "modp1024", "modp1536", "modp2048",
				      "modp3072", "modp4096", "modp6144", "modp8192",
				      "ecp256",   "ecp384",   "ecp521",   "x25519" };

static void test_round_trip(void)
{
	char text[64], buf[IKE_NAME_LEN];
	const char *why;
	bool p1 = true, p2 = true;
	static const char *const auths[] = { "sha256", "sha256_96", "sha384",
					     "sha512", "sha1",      "md5" };
	static const char *const gcms[] = { "aes256gcm16", "aes192gcm16", "aes128gcm16" };

	for (size_t e = 0; e < ARRAY_SIZE(encs); e++)
		for (size_t h = 0; h < ARRAY_SIZE(hashes); h++)
			for (size_t g = 0; g < ARRAY_SIZE(groups); g++) {
				struct ike_p1 p = { 0 };

				snprintf(text, sizeof(text), "%s-%s-%s", encs[e], hashes[h],
					 groups[g]);
				p1 &= ike_p1_parse(text, &p, &why) == 0 &&
				      strcmp(ike_p1_str(&p, buf), text) == 0 && dh_group(p.group) &&
				      cipher_key_len(p.enc, p.key_len) && hash_len(p.hash);
			}
	ok(p1, "every phase 1 proposal is read, written and implemented");
	for (size_t e = 0; e < ARRAY_SIZE(encs) + ARRAY_SIZE(gcms); e++)
		for (size_t a = 0; a < 2 * ARRAY_SIZE(auths); a++) {
			bool gcm = e >= ARRAY_SIZE(encs), esn = a >= ARRAY_SIZE(auths);
			struct ike_p2 p = { 0 };

			snprintf(text, sizeof(text), "%s%s%s%s",
				 gcm ? gcms[e - ARRAY_SIZE(encs)] : encs[e], gcm ? "" : "-",
				 gcm ? "" : auths[a % ARRAY_SIZE(auths)], esn ? "-esn" : "");
			p2 &= ike_p2_parse(text, &p, &why) == 0 &&
			      strcmp(ike_p2_str(&p, buf), text) == 0 &&
			      (p.auth == ESP_AUTH_NONE) == gcm && p.esn == esn;
		}
	ok(p2, "every phase 2 proposal is read and written");
}

static void p1_wrong(const char *text, const char *part)
{
	struct ike_p1 p = { .enc = 99 };
	const char *why = NULL;

	ok(ike_p1_parse(text, &p, &why) < 0 && why && strstr(why, part) && p.enc == 99,
	   "\"%s\" is refused, and the text speaks of %s", text, part);
}

static void p2_wrong(const char *text, const char *part)
{
	struct ike_p2 p = { .key_len = 99 };
	const char *why = NULL;

	ok(ike_p2_parse(text, &p, &why) < 0 && why && strstr(why, part) && p.key_len == 99,
	   "\"%s\" is refused, and the text speaks of %s", text, part);
}

static void test_errors(void)
{
	p1_wrong("", "cipher");
	p1_wrong("aes", "cipher");
	p1_wrong("AES256-sha256-modp2048", "cipher");
	p1_wrong("aes256gcm16-sha256-modp2048", "cipher");
	p1_wrong("aes256", "hash");
	p1_wrong("aes256-", "hash");
	p1_wrong("aes256-sha3-modp2048", "hash");
	p1_wrong("aes256-sha256", "group");
	p1_wrong("aes256-sha256-14", "group");
	p1_wrong("aes256-sha256-modp2049", "group");
	p1_wrong("aes256-sha256-modp2048-modp2048", "cipher-hash-group");
	p1_wrong("aes256-sha256-modp2048-", "cipher-hash-group");
	p1_wrong("-aes256-sha256-modp2048", "cipher");
	p1_wrong(" aes256-sha256-modp2048", "cipher");
	p2_wrong("", "cipher");
	p2_wrong("null-sha1", "cipher");
	p2_wrong("aes256", "integrity");
	p2_wrong("aes256-sha3", "integrity");
	p2_wrong("aes256gcm16-sha256", "authenticates itself");
	p2_wrong("aes256-sha256-modp2048", "pfs_group");
	p2_wrong("aes256-sha256-", "pfs_group");
	p2_wrong("aes256gcm16-", "authenticates itself");
	p2_wrong("aes256gcm16-esn-", "authenticates itself");
	p2_wrong("aes256-esn", "integrity");
	p2_wrong("aes256-sha256-esn-", "pfs_group");
	p2_wrong("aes256-sha256-esn-esn", "pfs_group");
}

static void test_groups(void)
{
	static const char *const wrong[] = { "",    "0",     "22",    "modp",
					     "14x", "-14",   "+14",   " 14",
					     "14 ", "32768", "65550", "18446744073709551630" };
	char text[16], buf[IKE_NAME_LEN];
	uint16_t g = 99;
	bool named = true, numbered = true;

	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		uint16_t n = 0;

		named &= ike_group_parse(groups[i], &g) == 0 &&
			 strcmp(ike_group_str(g, buf), groups[i]) == 0;
		snprintf(text, sizeof(text), "%u", g);
		numbered &= ike_group_parse(text, &n) == 0 && n == g;
	}
	ok(named, "every group is read by its name and written by it");
	ok(numbered, "every group is read by its number");
	g = 99;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		ok(ike_group_parse(wrong[i], &g) < 0 && g == 99, "\"%s\" is no group", wrong[i]);
}

static void test_unknown(void)
{
	char buf[IKE_NAME_LEN];
	const struct ike_p1 odd = { 65535, 65535, 65535, 65535 }, des = { 1, 0, 1, 1 };

	is_str(ike_p1_str(&odd, buf), "enc#65535/65535-hash#65535-group#65535",
	       "a phase 1 proposal of unknown parts has numbers for them");
	is_str(ike_p1_str(&des, buf), "enc#1-md5-modp768", "an unknown cipher without a length");
	is_str(ike_xchg_str(XCHG_AGGRESSIVE, buf), "aggressive mode", "an exchange has a name");
	is_str(ike_xchg_str(243, buf), "#243", "an unknown exchange has a number");
	is_str(ike_payload_str(PL_NATD_DRAFT, buf), "NAT-D", "a draft's payload has its name");
	is_str(ike_payload_str(200, buf), "#200", "an unknown payload has a number");
	is_str(ike_notify_str(N_NO_PROPOSAL_CHOSEN, buf), "NO-PROPOSAL-CHOSEN",
	       "a notify has a name");
	is_str(ike_notify_str(65535, buf), "#65535", "an unknown notify has a number");
}

static const char *weak1(const char *text)
{
	struct ike_p1 p = { 0 };
	const char *why;

	return ike_p1_parse(text, &p, &why) < 0 ? "?" : ike_p1_weakness(&p);
}

static const char *weak2(const char *text)
{
	struct ike_p2 p = { 0 };
	const char *why;

	return ike_p2_parse(text, &p, &why) < 0 ? "?" : ike_p2_weakness(&p);
}

static void test_weakness(void)
{
	ok(!weak1("aes256-sha256-modp2048") && !weak1("aes128-sha1-ecp256") &&
		   !weak1("aes192-sha512-x25519"),
	   "what is sound has no weakness");
	ok(strstr(weak1("3des-sha256-modp2048"), "3DES"), "3DES is weak in phase 1");
	ok(strstr(weak1("aes256-md5-modp2048"), "MD5"), "MD5 is weak in phase 1");
	ok(strstr(weak1("aes256-sha256-modp768"), "768") &&
		   strstr(weak1("aes256-sha256-modp1024"), "1024") &&
		   strstr(weak1("aes256-sha256-modp1536"), "1536"),
	   "groups below 2048 bits are weak");
	ok(!weak2("aes256-sha256") && !weak2("aes128gcm16") && !weak2("aes128-sha1"),
	   "what is sound in phase 2 has no weakness");
	ok(strstr(weak2("3des-sha1"), "3DES") && strstr(weak2("aes256-md5"), "MD5") &&
		   strstr(weak2("aes256-sha256_96"), "96"),
	   "3DES, MD5 and the short SHA2-256 are weak in phase 2");
}

/* Every number that the core can hand out has a text, and every text is there once. */
static void test_reasons(void)
{
	bool texts = true, once = true, counters = true, states = true;

	for (unsigned i = 0; i < IKE_R__COUNT; i++) {
		texts &= ike_reason_str(i) && *ike_reason_str(i) && ike_reason_key(i) &&
			 *ike_reason_key(i) && !strchr(ike_reason_key(i), ' ');
		for (unsigned k = 0; texts && k < i; k++)
			once &= strcmp(ike_reason_key(i), ike_reason_key(k)) != 0;
	}
	ok(texts, "every reason has a phrase and a word");
	ok(once, "no two reasons share a word");
	for (unsigned i = 0; i < IKE_C__COUNT; i++) {
		counters &= ike_counter_name(i) && *ike_counter_name(i);
		for (unsigned k = 0; counters && k < i; k++)
			counters &= strcmp(ike_counter_name(i), ike_counter_name(k)) != 0;
	}
	ok(counters, "every counter has a name of its own");
	for (unsigned i = 0; i <= IKE_ST_CLOSING; i++)
		states &= ike_state_str(i) && *ike_state_str(i);
	ok(states, "every state has a name");
}

int main(void)
{
	test_round_trip();
	test_errors();
	test_groups();
	test_unknown();
	test_weakness();
	test_reasons();
	return done();
}
