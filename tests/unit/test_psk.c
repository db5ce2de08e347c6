/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_psk.c - the file of shared keys: rows, mistakes, and which row an address gets. */
#include <errno.h>

#include "addr.h"
#include "bounds.h"
#include "cleanup.h"
#include "ike/names.h"
#include "ike/psk.h"
#include "tap.h"

static char told[4096];

static void wrong(void *ctx, unsigned line, unsigned col, const char *what)
{
	size_t n = strlen(told);

	(void)ctx;
	snprintf(told + n, sizeof(told) - n, "%u:%u: %s\n", line, col, what);
}

/* In memory of exactly its size, so that a read past the end is seen. */
static int parse(const char *text, size_t n, struct psk_table **ret)
{
	char *exact = malloc(n ? n : 1);
	int rc;

	memcpy(exact, text, n);
	*told = '\0';
	*ret = NULL;
	rc = psk_parse((struct span){ (const uint8_t *)exact, n }, wrong, NULL, ret);
	free(exact);
	return rc;
}

static struct psk_table *good(const char *text)
{
	struct psk_table *t;

	if (parse(text, strlen(text), &t) < 0)
		printf("# %s", told);
	return t;
}

/* The key for this address as text; "" when there is none. */
static const char *key_for(const struct psk_table *t, const char *addr)
{
	static char buf[LIMIT_PSK + 1];
	struct ipaddr a;
	const struct psk *p;

	if (ipaddr_parse(addr, &a) < 0)
		abort();
	p = psk_find(t, &a);
	snprintf(buf, sizeof(buf), "%.*s", p ? (int)p->key.n : 0, p ? (const char *)p->key.p : "");
	return buf;
}

static void test_choice(void)
{
	struct psk_table *t = good("# who        key\n"
				   "\n"
				   "*            for everybody else\n"
				   "192.0.2.0/24 the office\r\n"
				   "192.0.2.9\ta single host  \t\n"
				   "192.0.0.0/16 the region\n"
				   "2001:db8::/32 six\n"
				   "2001:db8::1 six alone");

	if (!ok(t != NULL, "a file with all kinds of rows is read"))
		return;
	is_int((long long)t->n, 7, "each row is one, but * is one for IPv4 and one for IPv6");
	is_str(key_for(t, "192.0.2.9"), "a single host", "a host's own row comes first");
	is_str(key_for(t, "192.0.2.10"), "the office", "then the smallest network");
	is_str(key_for(t, "192.0.3.1"), "the region", "then a larger one, wherever it stands");
	is_str(key_for(t, "10.1.2.3"), "for everybody else", "then *");
	is_str(key_for(t, "2001:db8::1"), "six alone", "the same for IPv6: a host");
	is_str(key_for(t, "2001:db8::2"), "six", "  a network");
	is_str(key_for(t, "2001:db9::2"), "for everybody else", "  everybody");
	is_str(key_for(t, "::ffff:192.0.2.9"), "a single host", "a mapped address is what it maps");
	is_int(t->short_line, 4, "the first short key is remembered by its line");
	psk_free(t);
	t = good("192.0.2.0/24 0123456789abcdef\n");
	is_str(key_for(t, "192.0.3.1"), "", "without * there may be no key");
	is_int(t->short_line, 0, "16 bytes are not short");
	psk_free(t);
	t = good("# nothing\n\n \t\n");
	ok(t && t->n == 0, "a file may have no row");
	is_str(key_for(t, "192.0.3.1"), "", "and then nobody has a key");
	psk_free(t);
	is_str(key_for(NULL, "192.0.3.1"), "", "nor without any file");
	psk_free(NULL);
}

static void test_keys(void)
{
	struct psk_table *t = good("10.0.0.1 0x00FFab10\n"
				   "10.0.0.2 a#b; \"c\" = d\n"
				   "10.0.0.3 sch\xc3\xb6n\xff\n"
				   "10.0.0.4 0X41\n");
	struct ipaddr a = ipaddr_v4(0x0a000001);

	if (!ok(t != NULL, "keys of all kinds are read"))
		return;
	is_bytes(psk_find(t, &a)->key, hex("00ffab10"), "0x begins hexadecimal digits");
	is_str(key_for(t, "10.0.0.2"), "a#b; \"c\" = d", "no sign in a key means anything");
	is_str(key_for(t, "10.0.0.3"), "sch\xc3\xb6n\xff", "nor has it an encoding");
	is_str(key_for(t, "10.0.0.4"), "0X41", "0X does not");
	psk_free(t);
}

static void bad(const char *text, const char *want)
{
	struct psk_table *t;
	int rc = parse(text, strlen(text), &t);

	ok(rc == -EINVAL && !t, "refused: %.*s", (int)strcspn(want, ","), want);
	is_str(told, want, "  and it says why");
	psk_free(t);
}

static void test_mistakes(void)
{
	struct psk_table *t;

	bad("secret\n", "1:7: a key of 0 bytes, expected 1 to 256\n");
	bad("192.0.2.9 \n", "1:10: a key of 0 bytes, expected 1 to 256\n");
	bad("# x\nvpn.example.net key\n192.0.2.1/24 key\n",
	    "2:1: 'vpn.example.net' is no address, expected one such as 192.0.2.9, a network such "
	    "as 192.0.2.0/24, *, or an identity such as keyid:staff\n"
	    "3:1: '192.0.2.1/24' is no address, expected one such as 192.0.2.9, a network such as "
	    "192.0.2.0/24, *, or an identity such as keyid:staff\n");
	bad("\x1b[2J key\n",
	    "1:1: '\\x1b[2J' is no address, expected one such as 192.0.2.9, a "
	    "network such as 192.0.2.0/24, *, or an identity such as keyid:staff\n");
	bad(" 192.0.2.9 key\n", "1:1: a row begins with white space, expected an address\n");
	bad("10.0.0.1 0xabc\n10.0.0.2 0xzz\n10.0.0.3 0x\n",
	    "1:10: the key begins with 0x and goes on otherwise, expected pairs of hexadecimal "
	    "digits\n"
	    "2:10: the key begins with 0x and goes on otherwise, expected pairs of hexadecimal "
	    "digits\n"
	    "3:10: a key of 0 bytes, expected 1 to 256\n");
	bad("* a\n10.0.0.0/8 b\n* c\n10.0.0.0/8 d\n::/0 e\n",
	    "3:1: 0.0.0.0/0 has a key in line 1 already, expected one\n"
	    "4:1: 10.0.0.0/8 has a key in line 2 already, expected one\n"
	    "5:1: ::/0 has a key in line 1 already, expected one\n");
	ok(!strstr(told, " c") && !strstr(told, " d\n"), "no key is ever told");
	is_int(parse("10.0.0.1\0 key\n", 14, &t), -EINVAL, "a NUL in an address is refused");
	is_int(parse("10.0.0.1 k\0y\n", 13, &t), 0, "in a key it is a byte like others");
	ok(t && t->v[0].key.n == 3, "  and counts");
	psk_free(t);
}

static void test_bounds(void)
{
	static char text[64 * LIMIT_PSK_ROWS];
	struct psk_table *t;
	size_t n = 0;

	for (unsigned i = 0; i < LIMIT_PSK_ROWS; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "10.0.%u.%u 0123456789abcdef%u\n",
				      i / 256, i % 256, i);
	is_int(parse(text, n, &t), 0, "so many rows as the limit says");
	is_str(key_for(t, "10.0.3.255"), "0123456789abcdef1023", "  all of which count");
	psk_free(t);
	n += (size_t)snprintf(text + n, sizeof(text) - n, "10.1.0.0 x\n");
	is_int(parse(text, n, &t), -EINVAL, "one more is refused");
	is_str(told, "1025:1: one row too many, expected at most 1024\n", "  and it says why");
	n = (size_t)snprintf(text, sizeof(text), "* ");
	memset(text + n, 'k', LIMIT_PSK + 1);
	is_int(parse(text, n + LIMIT_PSK, &t), 0, "a key of 256 bytes");
	psk_free(t);
	is_int(parse(text, n + LIMIT_PSK + 1, &t), -EINVAL, "a longer one is refused");
	is_str(told, "1:3: a key of 257 bytes, expected 1 to 256\n", "  and it says why");
}

/* The key for a key ID; "" when there is none. */
static const char *key_of(const struct psk_table *t, const char *name)
{
	static char buf[LIMIT_PSK + 1];
	uint8_t id[300] = { ID_KEY_ID };
	const struct psk_named *p;

	memcpy(id + 4, name, strlen(name));
	p = psk_find_named(t, (struct span){ id, strlen(name) + 4 });
	snprintf(buf, sizeof(buf), "%.*s", p ? (int)p->key.n : 0, p ? (const char *)p->key.p : "");
	return buf;
}

static void test_named(void)
{
	struct psk_table *t = good("* by address\n"
				   "keyid:* for everybody else\n"
				   "keyid:branch-* for branches\n"
				   "keyid:branch-*-lab for their labs\n"
				   "keyid:branch-? 0x626f7373\n"
				   "keyid:branch-9 for the ninth\n"
				   "fqdn:staff another type\n");

	if (!ok(t && t->n == 2 && t->n_named == 6, "rows by identity beside those by address"))
		return;
	is_str(key_of(t, "branch-9"), "for the ninth", "a name goes before patterns");
	is_str(key_of(t, "branch-12-lab"), "for their labs", "of those the one that says most");
	is_str(key_of(t, "branch-8"), "for branches", "  and of two that say as much the first");
	is_str(key_of(t, "branch-12"), "for branches", "  or another that fits");
	is_str(key_of(t, "staff"), "for everybody else", "a type has its own rows");
	is_str(key_for(t, "192.0.2.1"), "by address", "addresses theirs");
	psk_free(t);
	t = good("* by address\n");
	is_str(key_of(t, "192.0.2.1"), "", "none is for an identity unless it says so");
	ok(psk_find_named(NULL, (struct span){ (const uint8_t *)"\x0b\0\0\0a", 5 }) == NULL,
	   "nor without a table");
	psk_free(t);
	bad("keyid: key\n",
	    "1:1: 'keyid:' is no pattern, expected text of at most 128 bytes behind "
	    "the colon\n");
	bad("asn1dn:CN=* key\n",
	    "1:1: 'asn1dn:CN=*' is no pattern, expected parts of a subject such as "
	    "/OU=Staff/O=Example*\n");
	bad("keyid:a key\nkeyid:a other\n",
	    "2:1: keyid:a has a key in line 1 already, expected one\n");
}

static void test_named_rows(void)
{
	char *text = malloc(LIMIT_PSK_ROWS * 32);
	size_t n = 0;

	for (unsigned i = 0; i < LIMIT_PSK_ROWS - 1; i++)
		n += (size_t)sprintf(text + n, "keyid:%u key\n", i);
	sprintf(text + n, "192.0.2.9 key\n");
	psk_free(good(text));
	sprintf(text + n, "192.0.2.9 key\n192.0.2.10 key\n");
	bad(text, "1025:1: one row too many, expected at most 1024\n");
	free(text);
}

int main(void)
{
	test_choice();
	test_keys();
	test_mistakes();
	test_bounds();
	test_named();
	test_named_rows();
	return done();
}
