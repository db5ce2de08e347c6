/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_bytes.c - reading and writing bytes: bounds, the sticky error, patches, comparisons. */
#include "bytes.h"
#include "tap.h"

static const uint8_t nine[9] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };

static void test_reading(void)
{
	struct rd r = rd_from(SPAN_OF(nine));

	is_int(rd_u8(&r), 1, "a byte is read");
	is_int(rd_be16(&r), 0x0203, "16 bits are big-endian");
	is_int(rd_be32(&r), 0x04050607, "32 bits are big-endian");
	is_int((long long)r.left, 2, "reading uses up what it has read");
	is_int(rd_be16(&r), 0x0809, "the last bytes can be read");
	ok(!r.bad && r.left == 0, "the end is no error");
	is_int(rd_u8(&r), 0, "past the end there are zeros");
	ok(r.bad, "past the end there is an error");
	r = rd_from(SPAN_OF(nine));
	ok(rd_be64(&r) == UINT64_C(0x0102030405060708), "64 bits are big-endian");
	ok(rd_be64(&r) == 0 && r.bad && r.left == 0, "half a number is none and ends the reading");
	ok(rd_u8(&r) == 0 && r.bad, "the error stays, although a byte was left");
	r = rd_from((struct span){ 0 });
	ok(rd_take(&r, 0).n == 0 && !r.bad, "nothing can be taken from nothing");
	ok(rd_rest(&r).n == 0 && !r.bad, "the rest of nothing is nothing");
}

static void test_taking(void)
{
	struct rd r = rd_from(SPAN_OF(nine)), child;
	uint8_t out[4] = { 9, 9, 9, 9 };
	struct span s = rd_take(&r, 3);

	is_bytes(s, hex("010203"), "taking gives a view of just these bytes");
	child = rd_sub(&r, 2);
	is_int(rd_be16(&child), 0x0405, "a child reads its part");
	ok(rd_u8(&child) == 0 && child.bad && !r.bad, "a child cannot see past its own end");
	rd_copy(&r, out, sizeof(out));
	is_bytes(SPAN_OF(out), hex("06070809"), "copying copies exactly so many");
	rd_copy(&r, out, 1);
	ok(r.bad && out[0] == 0, "copying what is not there gives zeros");
	child = rd_sub(&r, 0);
	ok(child.bad, "the child of an error is one");
	r = rd_from(SPAN_OF(nine));
	ok(rd_take(&r, SIZE_MAX).n == 0 && r.bad, "the largest length does not wrap around");
	r = rd_from(SPAN_OF(nine));
	is_bytes(rd_rest(&r), SPAN_OF(nine), "the rest is all that is left");
	ok(!r.bad && r.left == 0, "after the rest nothing is left");
}

static void test_every_length(void)
{
	bool good = true;

	for (size_t have = 0; have <= sizeof(nine); have++)
		for (size_t want = 0; want <= sizeof(nine) + 1; want++) {
			struct rd r = rd_from((struct span){ nine, have });
			struct span s = rd_take(&r, want);

			good &= want <= have ? s.n == want && !r.bad && r.left == have - want
					     : s.n == 0 && r.bad && r.left == 0;
		}
	ok(good, "every length of taking from every length of bytes does what it says");
}

static void test_writing(void)
{
	uint8_t buf[16];
	struct wr w = wr_into(buf, sizeof(buf));

	wr_u8(&w, 1);
	wr_be16(&w, 0x0203);
	wr_be32(&w, 0x04050607);
	wr_be64(&w, UINT64_C(0x08090a0b0c0d0e0f));
	is_bytes(wr_done(&w), hex("0102030405060708090a0b0c0d0e0f"), "numbers are big-endian");
	wr_be16(&w, 1);
	ok(w.bad && wr_done(&w).n == 0, "what does not fit makes the whole worthless");
	wr_u8(&w, 1);
	ok(w.bad && w.len == 15, "nothing is written after that");
	w = wr_into(buf, 4);
	wr_zero(&w, 4);
	is_bytes(wr_done(&w), hex("00000000"), "zeros fill exactly");
	wr_zero(&w, 0);
	wr_bytes(&w, NULL, 0);
	ok(!w.bad, "nothing fits always");
	w = wr_into(buf, 4);
	ok(!wr_space(&w, SIZE_MAX) && w.bad, "the largest length does not wrap around");
}

static void test_patching(void)
{
	uint8_t buf[8];
	struct wr w = wr_into(buf, sizeof(buf));

	wr_zero(&w, 4);
	wr_patch_be16(&w, 1, 0xffff);
	wr_patch_u8(&w, 3, 7);
	is_bytes(wr_done(&w), hex("00ffff07"), "fields written as zero are filled in");
	wr_patch_be16(&w, 3, 1);
	ok(w.bad, "a field beyond what was written is an error");
	w = wr_into(buf, sizeof(buf));
	wr_zero(&w, 4);
	wr_patch_be16(&w, 0, 0x10000);
	ok(w.bad, "a length that does not fit its 16 bits is an error");
	w = wr_into(buf, sizeof(buf));
	wr_zero(&w, 1);
	wr_patch_u8(&w, 1, 1);
	ok(w.bad, "a byte beyond what was written is an error");
}

static void test_comparing(void)
{
	const struct span a = span_str("abc"), b = span_str("abd"), none = { 0 };

	ok(span_eq(a, span_str("abc")) && !span_eq(a, b), "equal bytes are equal");
	ok(!span_eq(a, span_str("ab")) && !span_eq(a, none), "another length is not equal");
	ok(span_eq(none, none) && span_eq(none, span_str("")), "nothing equals nothing");
	ok(span_eq_secret(a, span_str("abc")) && !span_eq_secret(a, b),
	   "secrets compare like other bytes");
	ok(!span_eq_secret(a, span_str("ab")) && span_eq_secret(none, none),
	   "secrets of other lengths differ");
	ok(span_starts(a, span_str("ab")) && !span_starts(a, b) &&
		   !span_starts(a, span_str("abcd")),
	   "a beginning is recognized");
}

int main(void)
{
	test_reading();
	test_taking();
	test_every_length();
	test_writing();
	test_patching();
	test_comparing();
	return done();
}
