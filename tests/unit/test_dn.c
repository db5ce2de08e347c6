/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_dn.c - subjects of certificates, and patterns for them. */
#include <stdlib.h>
#include <string.h>

#include "bounds.h"
#include "cleanup.h"
#include "ike/dn.h"
#include "tap.h"

/* ---- names, made part by part ---- */

static uint8_t der[600];
static size_t len;

static void begin(void)
{
	len = 0;
}

/* SET { SEQUENCE { OID, string } } behind what is there. */
static void add(const char *oid, uint8_t tag, const char *value)
{
	size_t o = strlen(oid), v = strlen(value);
	const uint8_t head[] = { 0x31,      (uint8_t)(o + v + 6), 0x30, (uint8_t)(o + v + 4), 0x06,
				 (uint8_t)o };

	memcpy(der + len, head, sizeof(head));
	memcpy(der + len + 6, oid, o);
	der[len + 6 + o] = tag;
	der[len + 7 + o] = (uint8_t)v;
	memcpy(der + len + 8 + o, value, v);
	len += o + v + 8;
}

/* SEQUENCE { ... } around it, with the shortest length that holds it. */
static struct span name(void)
{
	static uint8_t whole[700];
	size_t h = 0;

	whole[h++] = 0x30;
	if (len > 255) {
		whole[h++] = 0x82;
		whole[h++] = (uint8_t)(len >> 8);
	} else if (len > 127) {
		whole[h++] = 0x81;
	}
	whole[h++] = (uint8_t)len;
	memcpy(whole + h, der, len);
	return (struct span){ whole, h + len };
}

static struct span alice(void)
{
	begin();
	add("\x55\x04\x06", 0x13, "DE");
	add("\x55\x04\x0a", 0x0c, "Example & Sons");
	add("\x55\x04\x0b", 0x0c, "Staff");
	add("\x55\x04\x0b", 0x0c, "Sales");
	add("\x55\x04\x03", 0x0c, "Alice A. Doe");
	add("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01", 0x16, "alice@example.net");
	return name();
}

static bool fits(const char *pattern, struct span subject)
{
	return !dn_pattern_check(span_str(pattern)) && dn_fits(span_str(pattern), subject);
}

/* ---- tests ---- */

static void test_fits(void)
{
	ok(fits("/CN=Alice A. Doe", alice()), "a part that is there fits");
	ok(fits("/OU=Sales", alice()) && fits("/OU=Staff", alice()),
	   "  be it one of two of that name");
	ok(!fits("/OU=Lab", alice()) && !fits("/L=Staff", alice()),
	   "  and one that is not does not");
	ok(fits("/O=Example*/OU=Staff", alice()) && fits("/OU=Staff/O=Example*", alice()),
	   "all must be there, in any order");
	ok(!fits("/O=Example*/OU=Lab", alice()), "  not one of them alone");
	ok(fits("/cn=alice*/OU=SALES", alice()), "names and values fit in any case");
	ok(fits("/CN=Alice?A.?Doe", alice()) && !fits("/CN=Alice", alice()),
	   "a question mark is one byte, and the whole value is compared");
	ok(fits("/emailAddress=*@example.net/C=de", alice()), "types and strings of all kinds");
	begin();
	add("\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19", 0x16, "net");
	add("\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01", 0x0c, "adoe");
	ok(fits("/DC=net/UID=adoe", name()), "  those of directories as well");
	begin();
	add("\x55\x04\x03", 0x1e, "\1a");
	ok(!fits("/CN=*", name()), "a string of 16 bits per character fits nothing");
	begin();
	add("\x55\x04\x03", 0x0c, "");
	ok(!fits("/CN=*", name()), "nor does an empty one");
	begin();
	ok(!fits("/CN=*", name()), "nor a name without parts");
}

static void test_long(void)
{
	char big[111];

	memset(big, 'x', 110);
	big[110] = '\0';
	begin();
	add("\x55\x04\x06", 0x13, "DE");
	add("\x55\x04\x0a", 0x0c, big);
	ok(fits("/O=x*x", name()), "a length of one byte more");
	add("\x55\x04\x0b", 0x0c, big);
	add("\x55\x04\x03", 0x0c, big);
	ok(fits("/CN=x*x", name()), "  and of two");
	begin();
	for (unsigned i = 0; i < LIMIT_DN_PARTS; i++)
		add("\x55\x04\x0b", 0x0c, i ? "other" : "first");
	ok(fits("/OU=first", name()), "a name has so many parts");
	add("\x55\x04\x0b", 0x0c, "other");
	ok(!fits("/OU=first", name()), "  and no more");
}

/* No name in DER is nobody's, wherever it is broken, and nothing is read behind its end. */
static void test_broken(void)
{
	struct span s = alice();
	unsigned fit = 0;

	for (size_t n = 0; n < s.n; n++) {
		uint8_t *cut = malloc(n ? n : 1); /* a read past its end is seen */

		memcpy(cut, s.p, n);
		fit += dn_fits(span_str("/C=DE"), (struct span){ cut, n });
		free(cut);
	}
	is_int(fit, 0, "no part of a name is one");
	begin();
	add("\x55\x04\x06", 0x13, "DE");
	s = name();
	((uint8_t *)(uintptr_t)s.p)[s.n] = 0;
	ok(!fits("/C=DE", (struct span){ s.p, s.n + 1 }), "nor is one with something behind it");
	((uint8_t *)(uintptr_t)s.p)[2] = 0x30;
	ok(!fits("/C=DE", s), "nor one of other elements");
	((uint8_t *)(uintptr_t)s.p)[2] = 0x31;
	((uint8_t *)(uintptr_t)s.p)[1] = 0x80;
	ok(!fits("/C=DE", s), "nor one of a length without an end");
}

static void test_patterns(void)
{
	static const char *const bad[] = {
		"", "/", "CN=alice", "/CN", "/CN=", "/=alice", "/CN=a/", "/CN=a//OU=b", "/CN=a/OU",
	};
	unsigned taken = 0;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		taken += dn_pattern_check(span_str(bad[i])) == NULL;
	is_int(taken, 0, "a pattern has parts, and a part has a name and a value");
	ok(strstr(dn_pattern_check(span_str("/CN=a/XY=b")), "unknown name, expected CN, OU"),
	   "  a name that is known");
	ok(!dn_pattern_check(span_str("/CN=a=b")), "  and what value it likes");
}

int main(void)
{
	test_fits();
	test_long();
	test_broken();
	test_patterns();
	return done();
}
