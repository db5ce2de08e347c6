/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_keymat_exchange.c - whole exchanges of an independent implementation, derived again: public
 * values, SKEYID, keys, IVs, HASH_I and HASH_R, every message decrypted and its hash verified,
 * KEYMAT with and without PFS.
 *
 * Two exchanges are in tests/data/exchanges.inc; all run where VPNGW_VECTORS is set.
 */
#include "cleanup.h"
#include "ike/core.h"
#include "ike/dh.h"
#include "tap.h"
#include "vectors.h"

struct message {
	char label[64];
	struct span iv, plain, packet;
};

struct exchange {
	char name[96];
	bool sig;
	uint16_t hash, enc, bits, group;
	struct {
		char key[40];
		struct span v;
	} field[64];
	unsigned n_fields;
	struct message msg[16];
	unsigned n_msgs;
	bool in_qm;
	uint8_t bytes[65536];
	size_t used;
};

static struct exchange x;

/* ---- collecting ---- */

static struct span get(const char *key)
{
	for (unsigned i = 0; i < x.n_fields; i++)
		if (strcmp(x.field[i].key, key) == 0)
			return x.field[i].v;
	return (struct span){ 0 };
}

static struct span store(const char *value)
{
	struct span s = unhex(value, x.bytes + x.used, sizeof(x.bytes) - x.used);

	x.used += s.n;
	return s;
}

static void feed_message(const char *key, const char *value)
{
	struct message *m = &x.msg[x.n_msgs - 1];

	if (strcmp(key, "iv") == 0)
		m->iv = store(value);
	else if (strcmp(key, "plaintext_padded") == 0)
		m->plain = store(value);
	else if (strcmp(key, "packet") == 0)
		m->packet = store(value);
}

static void feed(const char *key, const char *value)
{
	if (strcmp(key, "prf") == 0)
		x.hash = hash_by_name(value);
	else if (strcmp(key, "enc") == 0)
		x.enc = strcmp(value, "aes") == 0 ? ENC_AES_CBC : ENC_3DES_CBC;
	else if (strcmp(key, "keybits") == 0)
		x.bits = x.enc == ENC_AES_CBC ? (uint16_t)atoi(value) : 0;
	else if (strcmp(key, "group") == 0)
		x.group = (uint16_t)atoi(value);
	else if (strcmp(key, "skeyid_form") == 0)
		x.sig = strcmp(value, "sig") == 0;
	else if (strcmp(key, "message_id") == 0)
		x.in_qm = true;
	if (strcmp(key, "label") == 0) {
		x.in_qm = false;
		if (x.n_msgs == ARRAY_SIZE(x.msg))
			abort();
		snprintf(x.msg[x.n_msgs++].label, sizeof(x.msg[0].label), "%s", value);
	} else if (x.n_msgs) {
		feed_message(key, value);
	} else if (x.n_fields < ARRAY_SIZE(x.field)) {
		snprintf(x.field[x.n_fields].key, sizeof(x.field[0].key), "%s%s",
			 x.in_qm ? "qm." : "", key);
		x.field[x.n_fields++].v = store(value);
	}
}

/* ---- deriving ---- */

static bool same(struct span is, struct span want)
{
	return want.n && span_eq(is, want);
}

/* g^x of both sides and g^xy, from the private exponents. */
static bool derive_group(void)
{
	static const uint8_t two[] = { 2 };
	const struct dh_engine *e = &dh_engine_gmp;
	struct span p = modp_prime(x.group);
	uint8_t v[DH_PUBLIC_MAX];

	return e->modexp(SPAN_OF(two), get("x_i"), p, v) == 0 &&
	       same((struct span){ v, p.n }, get("g_xi")) &&
	       e->modexp(SPAN_OF(two), get("x_r"), p, v) == 0 &&
	       same((struct span){ v, p.n }, get("g_xr")) &&
	       e->modexp(get("g_xr"), get("x_i"), p, v) == 0 &&
	       same((struct span){ v, p.n }, get("g_xy")) &&
	       e->modexp(get("g_xi"), get("x_r"), p, v) == 0 &&
	       same((struct span){ v, p.n }, get("g_xy"));
}

static bool derive_phase1(struct ike_keys *k, uint8_t *iv)
{
	const struct span nonces[] = { get("ni"), get("nr") };
	const struct hash_input in_i = { get("g_xi"),  get("g_xr"),  get("cky_i"),
					 get("cky_r"), get("sai_b"), get("idii_b") };
	const struct hash_input in_r = { get("g_xr"),  get("g_xi"),  get("cky_r"),
					 get("cky_i"), get("sai_b"), get("idir_b") };
	struct secret skeyid, h;
	uint8_t both[16];
	int rc;

	memcpy(both, get("cky_i").p, 8);
	memcpy(both + 8, get("cky_r").p, 8);
	rc = x.sig ? keymat_skeyid_sig(x.hash, nonces[0], nonces[1], get("g_xy"), &skeyid)
		   : keymat_skeyid_psk(x.hash, get("psk"), nonces[0], nonces[1], &skeyid);
	if (rc < 0 || !same(secret_span(&skeyid), get("skeyid")) ||
	    keymat_phase1(x.hash, x.enc, x.bits, &skeyid, get("g_xy"), SPAN_OF(both), k) < 0 ||
	    !same(secret_span(&k->skeyid_d), get("skeyid_d")) ||
	    !same(secret_span(&k->skeyid_a), get("skeyid_a")) ||
	    !same(ike_key_span(k), get("key")) ||
	    keymat_iv_phase1(x.hash, x.enc, get("g_xi"), get("g_xr"), iv) < 0 ||
	    !same((struct span){ iv, cipher_block(x.enc) }, get("iv0")))
		return false;
	return keymat_hash_p1(x.hash, &skeyid, &in_i, &h) == 0 &&
	       same(secret_span(&h), get("hash_i")) &&
	       keymat_hash_p1(x.hash, &skeyid, &in_r, &h) == 0 &&
	       same(secret_span(&h), get("hash_r"));
}

static bool derive_natd(void)
{
	struct endpoint remote = { .addr = ipaddr_v4(0xc6336401), .port = 500 },
			local = { .addr = ipaddr_v4(0x0a000005), .port = 500 };
	uint8_t h[IKE_HASH_MAX];
	size_t n = natd_of(x.hash, get("cky_i").p, get("cky_r").p, &remote, h);

	if (!get("natd_remote_198.51.100.1_500").n)
		return true; /* main mode has none here */
	if (!same((struct span){ h, n }, get("natd_remote_198.51.100.1_500")))
		return false;
	n = natd_of(x.hash, get("cky_i").p, get("cky_r").p, &local, h);
	return same((struct span){ h, n }, get("natd_local_10.0.0.5_500"));
}

/* The hash that the first payload must hold; HASH(1) but for Quick Mode's second and third. */
static bool verify(const struct ike_keys *k, const char *label, uint32_t msgid,
		   const struct ike_msg *m)
{
	struct secret h;

	if (strcmp(label, "QM2") == 0)
		keymat_hash2(k, msgid, get("qm.ni"), m->after_hash, &h);
	else if (strcmp(label, "QM3") == 0)
		keymat_hash3(k, msgid, get("qm.ni"), get("qm.nr"), &h);
	else
		keymat_hash1(k, msgid, m->after_hash, &h);
	return m->first == PL_HASH && same(secret_span(&h), m->hash);
}

static bool open_message(const struct ike_keys *k, const struct message *m, uint8_t *iv,
			 uint32_t *msgid)
{
	static uint8_t plain[4096];
	size_t block = cipher_block(x.enc);
	struct ike_hdr h;
	struct ike_msg w;

	if (ike_hdr_read(m->packet, &h) < 0 || m->packet.n > sizeof(plain) ||
	    !(h.flags & ISAKMP_FLAG_ENCRYPTED))
		return false;
	/* Phase 1 goes on with its last block, an exchange with its own, a new one starts. */
	if (h.msgid && h.msgid != *msgid &&
	    keymat_iv_phase2(k, get("phase1_last_block").p, h.msgid, iv) < 0)
		return false;
	*msgid = h.msgid;
	if (!same((struct span){ iv, block }, m->iv))
		return false;
	memcpy(plain, m->packet.p, m->packet.n);
	if (cbc_decrypt(x.enc, ike_key_span(k), iv, plain + ISAKMP_HDR, m->packet.n - ISAKMP_HDR) <
		    0 ||
	    !same((struct span){ plain + ISAKMP_HDR, m->packet.n - ISAKMP_HDR }, m->plain) ||
	    ike_walk((struct span){ plain + ISAKMP_HDR, m->packet.n - ISAKMP_HDR }, h.next, &w) < 0)
		return false;
	if (!h.msgid) /* HASH_I, or IDii and HASH_I */
		return w.present & PB(HASH) &&
		       !memcmp(w.hash.p,
			       strncmp(m->label, "MM6", 3) == 0 ? get("hash_r").p : get("hash_i").p,
			       w.hash.n);
	return verify(k, m->label, h.msgid, &w);
}

static bool derive_keymat(const struct ike_keys *k)
{
	static const char *const want[2][2] = {
		{ "qm.keymat_to_initiator_nopfs_52", "qm.keymat_to_initiator_pfs_52" },
		{ "qm.keymat_to_responder_nopfs_52", "qm.keymat_to_responder_pfs_52" },
	};
	bool good = true;

	for (unsigned who = 0; who < 2; who++)
		for (unsigned pfs = 0; pfs < 2; pfs++) {
			struct rd spi = rd_from(get(who ? "qm.spi_r" : "qm.spi_i"));
			uint8_t out[52];

			good &= keymat_child(k, PROTO_ESP, rd_be32(&spi),
					     pfs ? get("qm.g_xy") : (struct span){ 0 },
					     get("qm.ni"), get("qm.nr"), out, sizeof(out)) == 0 &&
				same(SPAN_OF(out), get(want[who][pfs]));
		}
	return good;
}

static void run(void)
{
	uint8_t iv[IKE_BLOCK_MAX];
	uint32_t msgid = 0;
	struct ike_keys k;

	ok(derive_group(), "%s: public values and g^xy", x.name);
	if (!ok(derive_phase1(&k, iv), "%s: SKEYID, keys, IV, HASH_I, HASH_R", x.name))
		return;
	ok(derive_natd(), "%s: NAT-D", x.name);
	for (unsigned i = 0; i < x.n_msgs; i++)
		ok(open_message(&k, &x.msg[i], iv, &msgid), "%s: %s", x.name, x.msg[i].label);
	ok(derive_keymat(&k), "%s: KEYMAT both ways, with and without PFS", x.name);
}

/* "name" begins an exchange and ends the one before. */
static void take(const char *key, const char *value)
{
	if (strcmp(key, "name") == 0) {
		if (*x.name)
			run();
		memset(&x, 0, sizeof(x));
		snprintf(x.name, sizeof(x.name), "%s", value);
	} else if (*x.name) {
		feed(key, value);
	}
}

int main(void)
{
	static const char *const typed[][2] = {
#include "../data/exchanges.inc"
	};
	const char *key, *value;
	struct vectors v;

	for (size_t i = 0; i < ARRAY_SIZE(typed); i++)
		take(typed[i][0], typed[i][1]);
	take("name", "");
	if (!vectors_open(&v, "selfgen-full-exchange.json")) {
		skip(1, "VPNGW_VECTORS is not set: no further exchanges");
		return done();
	}
	while (vectors_next(&v, &key, &value))
		take(key, value);
	take("name", "");
	vectors_close(&v);
	return done();
}
