/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_crypto.c - hashes, HMAC and CBC against known answers, and the guard on lengths.
 *
 * GnuTLS ends the process on a CBC call of an odd length when it runs without the CPU's own AES
 * instructions, so everything runs a second time in a process without them.
 */
#include "ike/crypto.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>

#include "cleanup.h"
#include "ike/names.h"
#include "tap.h"

static void test_hashes(void)
{
	static const struct {
		uint16_t id;
		const char *name, *abc;
	} rows[] = {
		{ HASH_MD5, "MD5 (RFC 1321)", "900150983cd24fb0d6963f7d28e17f72" },
		{ HASH_SHA1, "SHA-1 (FIPS 180)", "a9993e364706816aba3e25717850c26c9cd0d89d" },
		{ HASH_SHA256, "SHA-256 (FIPS 180)",
		  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
		{ HASH_SHA384, "SHA-384 (FIPS 180)",
		  "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
		  "8086072ba1e7cc2358baeca134c825a7" },
		{ HASH_SHA512, "SHA-512 (FIPS 180)",
		  "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
		  "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct span parts[] = { span_str("a"), { 0 }, span_str("bc") };
		struct span want = hex(rows[i].abc);
		uint8_t h[IKE_HASH_MAX];

		ok(hash_of(rows[i].id, parts, 3, h) == 0 && hash_len(rows[i].id) == want.n &&
			   span_eq((struct span){ h, want.n }, want),
		   "%s of a message in parts", rows[i].name);
	}
	uint8_t h[IKE_HASH_MAX];
	struct secret s;

	for (unsigned id = 0; id < 20; id++)
		if (!hash_len((uint16_t)id))
			ok(hash_of((uint16_t)id, NULL, 0, h) == -ENOTSUP &&
				   prf((uint16_t)id, span_str("k"), NULL, 0, &s) == -ENOTSUP,
			   "there is no hash %u", id);
}

static void test_hmac(void)
{
	static const struct {
		uint16_t id;
		const char *name, *key, *data, *want;
	} rows[] = {
		{ HASH_MD5, "HMAC-MD5, RFC 2202 case 1", "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b",
		  "4869205468657265", "9294727a3638bb1c13f48ef8158bfc9d" },
		{ HASH_MD5, "HMAC-MD5, RFC 2202 case 2", "4a656665",
		  "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
		  "750c783e6ab0b503eaa86e310a5db738" },
		{ HASH_SHA1, "HMAC-SHA-1, RFC 2202 case 1",
		  "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
		  "b617318655057264e28bc0b6fb378c8ef146be00" },
		{ HASH_SHA1, "HMAC-SHA-1, RFC 2202 case 2", "4a656665",
		  "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
		  "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79" },
		{ HASH_SHA256, "HMAC-SHA-256, RFC 4231 case 2", "4a656665",
		  "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
		  "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
		{ HASH_SHA384, "HMAC-SHA-384, RFC 4231 case 2", "4a656665",
		  "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
		  "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e"
		  "8e2240ca5e69e2c78b3239ecfab21649" },
		{ HASH_SHA512, "HMAC-SHA-512, RFC 4231 case 2", "4a656665",
		  "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
		  "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
		  "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737" },
	};
	uint8_t long_key[131];
	const struct span text = span_str("Test Using Larger Than Block-Size Key - Hash Key First");
	struct secret s;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct span d = hex(rows[i].data);
		const struct span parts[] = { { d.p, 3 }, { 0 }, { d.p + 3, d.n - 3 } };

		ok(prf(rows[i].id, hex(rows[i].key), parts, 3, &s) == 0 &&
			   span_eq(secret_span(&s), hex(rows[i].want)),
		   "%s", rows[i].name);
	}
	memset(long_key, 0xaa, sizeof(long_key));
	prf(HASH_SHA256, SPAN_OF(long_key), &text, 1, &s);
	is_bytes(secret_span(&s),
		 hex("60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"),
		 "HMAC-SHA-256, RFC 4231 case 6: a key longer than the block");
}

/* ---- CBC ---- */

static const struct cbc_row {
	const char *name;
	uint16_t enc;
	const char *key, *iv, *plain, *sealed;
} cbc_rows[] = {
	{ "AES-128-CBC, SP 800-38A F.2.1", ENC_AES_CBC, "2b7e151628aed2a6abf7158809cf4f3c",
	  "000102030405060708090a0b0c0d0e0f",
	  "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51",
	  "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2" },
	{ "AES-192-CBC, SP 800-38A F.2.3", ENC_AES_CBC,
	  "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b", "000102030405060708090a0b0c0d0e0f",
	  "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51",
	  "4f021db243bc633d7178183a9fa071e8b4d9ada9ad7dedf4e5e738763f69145a" },
	{ "AES-256-CBC, SP 800-38A F.2.5", ENC_AES_CBC,
	  "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
	  "000102030405060708090a0b0c0d0e0f",
	  "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51",
	  "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d" },
	{ "3DES-CBC, NIST's example", ENC_3DES_CBC,
	  "0123456789abcdef23456789abcdef01456789abcdef0123", "f69f2445df4f9b17",
	  "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51",
	  "2079c3d53aa763e193b79e2569ab526251657048 1f25b50f73c0bda85c8e0da7" },
};

static void test_cbc(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(cbc_rows); i++) {
		const struct cbc_row *r = &cbc_rows[i];
		struct span key = hex(r->key), want = hex(r->sealed), plain = hex(r->plain);
		size_t block = cipher_block(r->enc), half = 16;
		uint8_t iv[IKE_BLOCK_MAX] = { 0 }, data[64];

		memcpy(iv, hex(r->iv).p, block);
		memcpy(data, plain.p, plain.n);
		ok(cbc_encrypt(r->enc, key, iv, data, plain.n) == 0 &&
			   span_eq((struct span){ data, plain.n }, want) &&
			   memcmp(iv, want.p + want.n - block, block) == 0,
		   "%s: encrypts, and the last block is the next IV", r->name);
		/* In two halves, the IV carried on. */
		memcpy(iv, hex(r->iv).p, block);
		ok(cbc_decrypt(r->enc, key, iv, data, half) == 0 &&
			   memcmp(iv, want.p + half - block, block) == 0 &&
			   cbc_decrypt(r->enc, key, iv, data + half, plain.n - half) == 0 &&
			   span_eq((struct span){ data, plain.n }, plain),
		   "%s: decrypts in two halves", r->name);
	}
}

static void test_guard(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(cbc_rows); i++) {
		const struct cbc_row *r = &cbc_rows[i];
		size_t block = cipher_block(r->enc);
		struct span key = hex(r->key);
		uint8_t iv[IKE_BLOCK_MAX] = { 7 }, data[128] = { 0 };
		bool refused = true, taken = true, untouched = true;

		for (size_t n = 0; n <= 128; n++) {
			if (n && n % block == 0) {
				taken &= cbc_encrypt(r->enc, key, iv, data, n) == 0 &&
					 cbc_decrypt(r->enc, key, iv, data, n) == 0;
				memset(iv, 0, sizeof(iv));
				memset(data, 0, sizeof(data));
				iv[0] = 7;
				continue;
			}
			refused &= cbc_encrypt(r->enc, key, iv, data, n) == -EINVAL &&
				   cbc_decrypt(r->enc, key, iv, data, n) == -EINVAL;
			untouched &= iv[0] == 7 && data[0] == 0;
		}
		ok(refused && taken, "%s: N146: no length but multiples of the block", r->name);
		ok(untouched, "%s: what is refused changes nothing", r->name);
	}
}

static void test_keys(void)
{
	uint8_t iv[IKE_BLOCK_MAX] = { 0 }, data[32] = { 0 }, key[64] = { 1 };
	bool all = true;

	for (size_t n = 0; n <= sizeof(key); n++)
		if (n != 16 && n != 24 && n != 32)
			all &= cbc_encrypt(ENC_AES_CBC, (struct span){ key, n }, iv, data, 32) ==
			       -EINVAL;
	ok(all, "AES takes keys of 16, 24 and 32 bytes only");
	ok(cbc_decrypt(ENC_3DES_CBC, (struct span){ key, 16 }, iv, data, 32) == -EINVAL &&
		   cbc_decrypt(1, (struct span){ key, 8 }, iv, data, 32) == -EINVAL,
	   "3DES takes 24, and there is no DES");
	ok(cipher_key_len(ENC_AES_CBC, 128) == 16 && cipher_key_len(ENC_AES_CBC, 192) == 24 &&
		   cipher_key_len(ENC_AES_CBC, 256) == 32 && cipher_key_len(ENC_3DES_CBC, 0) == 24,
	   "key lengths follow the KEY_LENGTH attribute");
	ok(!cipher_key_len(ENC_AES_CBC, 0) && !cipher_key_len(ENC_AES_CBC, 512) &&
		   !cipher_key_len(ENC_3DES_CBC, 192) && !cipher_key_len(1, 0) && !cipher_block(1),
	   "and other lengths and ciphers are not known");
}

static void test_digest(void)
{
	uint8_t a[16], b[16];

	digest_of(span_str("abc"), a);
	is_bytes(SPAN_OF(a), hex("ba7816bf8f01cfea414140de5dae2223"), "a datagram has a name");
	digest_of((struct span){ 0 }, b);
	is_bytes(SPAN_OF(b), hex("e3b0c44298fc1c149afbf4c8996fb924"), "the empty one too");
}

/* GnuTLS looks at the CPU when it is loaded: only a new process runs without its instructions. */
static void test_without_aes(void)
{
	pid_t pid = fork();
	int status = -1, null;

	if (pid == 0) {
		null = open("/dev/null", O_WRONLY);
		dup2(null, STDOUT_FILENO);
		setenv("GNUTLS_CPUID_OVERRIDE", "0x1", 1);
		execl("/proc/self/exe", "test_crypto", (char *)NULL);
		_exit(127);
	}
	ok(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
		   WEXITSTATUS(status) == 0,
	   "all of it holds on a CPU without AES instructions");
}

int main(void)
{
	bool again = getenv("GNUTLS_CPUID_OVERRIDE");

	test_hashes();
	test_hmac();
	test_cbc();
	test_guard();
	test_keys();
	test_digest();
	fflush(stdout);
	if (!again)
		test_without_aes();
	return done();
}
