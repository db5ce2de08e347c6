/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_text.c - text from strangers made safe; suggestions, durations and sizes. */
#include "cleanup.h"
#include "tap.h"
#include "text.h"

static void escapes(const char *in, const char *want, const char *name)
{
	char buf[256];

	is_str(text_escape(span_str(in), buf, sizeof(buf)), want, name);
}

static void test_escape(void)
{
	char buf[16];

	escapes("alice@example.net", "alice@example.net", "ordinary text stays");
	escapes("J\xc3\xbcrgen \xe2\x82\xac \xf0\x9f\x98\x80",
		"J\xc3\xbcrgen \xe2\x82\xac \xf0\x9f\x98\x80", "well-formed UTF-8 letters stay");
	escapes("a\x1b[2J", "a\\x1b[2J", "a terminal's escape sequence is disarmed (N166)");
	escapes("a\r\nb\tc\x7f", "a\\x0d\\x0ab\\x09c\\x7f", "control characters are written out");
	escapes("a\\x1b", "a\\x5cx1b", "a backslash cannot imitate an escape");
	escapes("DOMAIN\\alice", "DOMAIN\\alice", "any other backslash stays");
	escapes("a\\x1", "a\\x1", "even at half an escape");
	escapes("\\x\x1b", "\\x\\x1b", "or in front of one");
	escapes("\\\\x5cx1b", "\\\\x5cx5cx1b", "what is written out is written out again");
	escapes("\xc2\x9b"
		"31m",
		"\\xc2\\x9b31m", "C1 control characters are written out (N166)");
	escapes("a\xe2\x80\xae"
		"b",
		"a\\xe2\\x80\\xaeb", "right-to-left override is written out");
	escapes("a\xe2\x81\xa6"
		"b",
		"a\\xe2\\x81\\xa6b", "an isolate is written out");
	escapes("a\xe2\x80\x8b"
		"b",
		"a\\xe2\\x80\\x8bb", "a zero-width space is written out");
	escapes("\xef\xbb\xbf"
		"a",
		"\\xef\\xbb\\xbfa", "a byte order mark is written out");
	escapes("\xc0\xaf", "\\xc0\\xaf", "an overlong form is written out");
	escapes("\xed\xa0\x80", "\\xed\\xa0\\x80", "a surrogate is written out");
	escapes("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80", "beyond Unicode is written out");
	escapes("\xff\xfe\x80", "\\xff\\xfe\\x80",
		"bytes that UTF-8 does not have are written out");
	escapes("a\xe2\x82", "a\\xe2\\x82", "a character cut off at the end is written out");
	is_str(text_escape((struct span){ (const uint8_t *)"a\0b", 3 }, buf, sizeof(buf)),
	       "a\\x00b", "NUL is written out");
	is_str(text_escape((struct span){ 0 }, buf, sizeof(buf)), "", "nothing stays nothing");
}

static void test_escape_bounds(void)
{
	char buf[64];
	bool bounded = true, marked = true, exact = true;
	static const char *const in[] = { "abcdefghijklmnop", "\x1b\x1b\x1b\x1b\x1b",
					  "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac",
					  "ab\xe2\x80\xae"
					  "cd\xff"
					  "ef" };

	is_str(text_escape(span_str("abcdefgh"), buf, 8), "abcd...", "what is too long is cut");
	is_str(text_escape(span_str("abcdefg"), buf, 8), "abcdefg", "what just fits is whole");
	is_str(text_escape(span_str("abc\x1b\x1b"), buf, 8), "abc...",
	       "no escape is cut in the middle");
	for (size_t i = 0; i < 4; i++)
		for (size_t cap = 1; cap < sizeof(buf); cap++) {
			size_t full;

			text_escape(span_str(in[i]), buf, sizeof(buf));
			full = strlen(buf);
			memset(buf, 'Z', sizeof(buf));
			text_escape(span_str(in[i]), buf, cap);
			bounded &= strlen(buf) < cap && buf[cap] == 'Z';
			if (full < cap)
				exact &= strlen(buf) == full;
			else if (cap >= 4)
				marked &= strcmp(buf + strlen(buf) - 3, "...") == 0;
		}
	ok(bounded, "no buffer is too small");
	ok(exact, "what fits is never cut");
	ok(marked, "what is cut says so");
	buf[0] = 'Z';
	text_escape(span_str("abc"), buf, 0);
	is_int(buf[0], 'Z', "no room means no byte");
}

static void test_cut(void)
{
	static const char euros[] = "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac";
	char buf[32];
	bool good = true;

	is_str(text_cut("abcdefgh", buf, 9), "abcdefgh", "what fits is not cut");
	is_str(text_cut("abcdefgh", buf, 8), "abcd...", "what does not is cut, and says so");
	is_str(text_cut(euros, buf, 9), "\xe2\x82\xac...", "not through the middle of a letter");
	for (size_t cap = 1; cap < sizeof(euros) + 2; cap++) {
		memset(buf, 'Z', sizeof(buf));
		text_cut(euros, buf, cap);
		good &= strlen(buf) < cap && buf[cap] == 'Z' && text_is_utf8(span_str(buf));
	}
	ok(good, "wherever the end is");
}

static void test_questions(void)
{
	ok(text_is_clean(span_str("J\xc3\xbcrgen M.")), "a name is clean");
	ok(text_is_clean((struct span){ 0 }), "nothing is clean");
	ok(!text_is_clean(span_str("a\nb")), "a line break is not clean");
	ok(!text_is_clean(span_str("a\xe2\x80\xae"
				   "b")),
	   "an override is not clean");
	ok(!text_is_clean(span_str("a\xc2\xad"
				   "b")),
	   "a soft hyphen is not clean");
	ok(!text_is_clean(span_str("\xff")), "broken UTF-8 is not clean");
	ok(!text_is_clean((struct span){ (const uint8_t *)"a\0b", 3 }), "NUL is not clean");
	ok(text_is_utf8(span_str("a\nb\xe2\x80\xae")), "UTF-8 of any kind is UTF-8");
	ok(!text_is_utf8(span_str("\xc3")) && !text_is_utf8(span_str("\xe2\x82")) &&
		   !text_is_utf8(span_str("\xf0\x9f\x98")),
	   "half a character is no UTF-8");
}

/* First and last of each kind, and their neighbours, which are letters. */
static void test_deceptive(void)
{
	static const char *const hidden[] = {
		"\xcd\x8f",         /* U+034F */
		"\xd8\x9c",         /* U+061C */
		"\xe1\x85\x9f",     /* U+115F */
		"\xe1\x85\xa0",     /* U+1160 */
		"\xe1\xa0\x8e",     /* U+180E */
		"\xe3\x85\xa4",     /* U+3164 */
		"\xef\xb8\x80",     /* U+FE00 */
		"\xef\xb8\x8f",     /* U+FE0F */
		"\xef\xbe\xa0",     /* U+FFA0 */
		"\xf3\xa0\x84\x80", /* U+E0100 */
		"\xf3\xa0\x87\xaf", /* U+E01EF */
	};
	static const char *const seen[] = {
		"\xcd\x8e",     /* U+034E */
		"\xd8\x9b",     /* U+061B */
		"\xe1\x85\x9e", /* U+115E */
		"\xe1\x85\xa1", /* U+1161 */
		"\xe3\x85\xa5", /* U+3165 */
		"\xef\xb8\x90", /* U+FE10 */
		"\xef\xbe\xa1", /* U+FFA1 */
	};
	char buf[64];

	for (size_t i = 0; i < ARRAY_SIZE(hidden); i++)
		ok(!text_is_clean(span_str(hidden[i])) &&
			   strncmp(text_escape(span_str(hidden[i]), buf, sizeof(buf)), "\\x", 2) ==
				   0,
		   "what shows nothing is not clean, and is written out: %s", buf);
	for (size_t i = 0; i < ARRAY_SIZE(seen); i++)
		ok(text_is_clean(span_str(seen[i])), "its neighbour is clean: %s", seen[i]);
}

/* The whole of Unicode, encoded by hand: what is well-formed, and nothing next to it. */
static void test_all_code_points(void)
{
	bool good = true;

	for (uint32_t cp = 0; cp < 0x110400; cp++) {
		uint8_t b[4];
		size_t n = cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
		static const uint8_t lead[5] = { 0, 0, 0xc0, 0xe0, 0xf0 };
		bool legal = cp < 0x110000 && (cp < 0xd800 || cp > 0xdfff);

		for (size_t i = n; i-- > 1;)
			b[i] = (uint8_t)(0x80 | (cp >> 6 * (n - 1 - i) & 0x3f));
		b[0] = (uint8_t)(n == 1 ? cp : lead[n] | cp >> 6 * (n - 1));
		good &= text_is_utf8((struct span){ b, n }) == legal;
		if (n > 1) {
			good &= !text_is_utf8((struct span){ b, n - 1 });
			b[n - 1] ^= 0x40;
			good &= !text_is_utf8((struct span){ b, n });
		}
	}
	ok(good, "every code point is well-formed or not, as Unicode says");
}

static void test_nearest(void)
{
	static const char *const words[] = { "listen", "lifetime", "pool", "proposal" };
	char longest[301] = "";

	is_str(text_nearest("lisen", words, 4), "listen", "a missing letter is found");
	is_str(text_nearest("lifetmie", words, 4), "lifetime", "two wrong letters are found");
	is_str(text_nearest("pol", words, 4), "pool", "a short word is found");
	ok(!text_nearest("certificate", words, 4), "what is too far gets no suggestion");
	ok(!text_nearest("x", words, 0), "no words, no suggestion");
	memset(longest, 'x', sizeof(longest) - 1);
	ok(!text_nearest(longest, words, 4), "nor does a word of 300 letters");
}

static void test_numbers(void)
{
	char buf[32];

	is_str(text_duration(0, buf), "00:00", "no time");
	is_str(text_duration(3599, buf), "59:59", "below an hour");
	is_str(text_duration(3600, buf), "01:00:00", "an hour");
	is_str(text_duration(86399, buf), "23:59:59", "below a day");
	is_str(text_duration(3 * 86400 + 4 * 3600 + 5 * 60 + 6, buf), "3d 04:05:06", "days");
	is_str(text_duration(UINT64_MAX, buf), "213503982334601d 07:00:15",
	       "the longest duration is whole");
	is_str(text_size(0, buf), "0 B", "no bytes");
	is_str(text_size(1023, buf), "1023 B", "bytes");
	is_str(text_size(1536, buf), "1.5 KiB", "kibibytes");
	is_str(text_size(12u << 20, buf), "12 MiB", "mebibytes");
	is_str(text_size(UINT64_MAX, buf), "16 EiB", "the largest size");
}

int main(void)
{
	test_escape();
	test_escape_bounds();
	test_cut();
	test_questions();
	test_deceptive();
	test_all_code_points();
	test_nearest();
	test_numbers();
	return done();
}
