/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* radius_msg.c - RADIUS packets of a login, to bytes and back. Pure. */
#include "auth/radius_msg.h"

#include <errno.h>
#include <nettle/hmac.h>
#include <nettle/md5.h>

#include "text.h"

enum {
	USER_NAME = 1,
	USER_PASSWORD = 2,
	NAS_IP_ADDRESS = 4,
	SERVICE_TYPE = 6,
	FRAMED_IP_ADDRESS = 8,
	STATE = 24,
	SESSION_TIMEOUT = 27,
	CALLING_STATION_ID = 31,
	NAS_IDENTIFIER = 32,
	NAS_PORT_TYPE = 61,
	PROMPT = 76,
	MESSAGE_AUTHENTICATOR = 80,
	NAS_IPV6_ADDRESS = 95,
};

#define SERVICE_FRAMED 2 /* RFC 2865 5.6: a network protocol, with an address */
#define PORT_VIRTUAL   5 /* RFC 2865 5.41 */
#define PROMPT_ECHO    1

#define AT_AUTHENTICATOR 4 /* bytes into the packet */

/* ---- requests ---- */

size_t radius_hide(const struct radius_key *key, struct span password,
		   uint8_t out[static RADIUS_PASSWORD_MAX])
{
	size_t n = password.n ? (password.n + 15) / 16 * 16 : 16;
	const uint8_t *before = key->authenticator;
	uint8_t mask[MD5_DIGEST_SIZE];
	struct md5_ctx md5;

	memset(out, 0, n);
	if (password.n)
		memcpy(out, password.p, password.n);
	for (size_t at = 0; at < n; at += 16) {
		md5_init(&md5);
		md5_update(&md5, key->secret.n, key->secret.p);
		md5_update(&md5, 16, before);
		md5_digest(&md5, sizeof(mask), mask);
		for (size_t i = 0; i < 16; i++)
			out[at + i] ^= mask[i];
		before = out + at;
	}
	explicit_bzero(mask, sizeof(mask));
	explicit_bzero(&md5, sizeof(md5));
	return n;
}

static void put_attribute(struct wr *w, uint8_t type, struct span value)
{
	if (value.n > RADIUS_VALUE)
		w->bad = true;
	wr_u8(w, type);
	wr_u8(w, (uint8_t)(value.n + 2));
	wr_span(w, value);
}

static void put_number(struct wr *w, uint8_t type, uint32_t value)
{
	wr_u8(w, type);
	wr_u8(w, 6);
	wr_be32(w, value);
}

static void put_password(struct wr *w, const struct radius_key *key, struct span password)
{
	uint8_t hidden[RADIUS_PASSWORD_MAX];

	if (password.n > sizeof(hidden)) {
		w->bad = true;
		return;
	}
	put_attribute(w, USER_PASSWORD,
		      (struct span){ hidden, radius_hide(key, password, hidden) });
}

int radius_put_request(void *buf, size_t cap, const struct radius_key *key,
		       const struct radius_request *r)
{
	struct wr w = wr_into(buf, cap < RADIUS_PACKET ? cap : RADIUS_PACKET);
	struct hmac_md5_ctx hmac;
	size_t mac;

	wr_u8(&w, RADIUS_REQUEST);
	wr_u8(&w, key->id);
	wr_be16(&w, 0);
	wr_bytes(&w, key->authenticator, sizeof(key->authenticator));
	/* First, so that nothing an attacker chooses stands in front of it. */
	wr_u8(&w, MESSAGE_AUTHENTICATOR);
	wr_u8(&w, 2 + MD5_DIGEST_SIZE);
	mac = w.len;
	wr_zero(&w, MD5_DIGEST_SIZE);
	put_attribute(&w, USER_NAME, r->user);
	put_password(&w, key, r->password);
	if (r->nas_name.n)
		put_attribute(&w, NAS_IDENTIFIER, r->nas_name);
	if (r->nas.family != IP_NONE)
		put_attribute(&w, r->nas.family == IP_V4 ? NAS_IP_ADDRESS : NAS_IPV6_ADDRESS,
			      ipaddr_span(&r->nas));
	put_number(&w, NAS_PORT_TYPE, PORT_VIRTUAL);
	put_number(&w, SERVICE_TYPE, SERVICE_FRAMED);
	if (r->from.n)
		put_attribute(&w, CALLING_STATION_ID, r->from);
	if (r->state.n)
		put_attribute(&w, STATE, r->state);
	wr_patch_be16(&w, 2, w.len);
	if (w.bad || !r->user.n)
		return -EMSGSIZE;
	hmac_md5_set_key(&hmac, key->secret.n, key->secret.p);
	hmac_md5_update(&hmac, w.len, w.p);
	hmac_md5_digest(&hmac, MD5_DIGEST_SIZE, w.p + mac);
	explicit_bzero(&hmac, sizeof(hmac));
	return (int)w.len;
}

/* ---- answers ---- */

/* Those of a packet whose lengths are right. */
static bool next_attribute(struct rd *r, uint8_t *ret_type, struct span *ret)
{
	uint8_t len;

	if (r->bad || !r->left)
		return false;
	*ret_type = rd_u8(r);
	len = rd_u8(r);
	if (len < 2)
		r->bad = true;
	*ret = rd_take(r, len < 2 ? 0 : len - 2u);
	return !r->bad;
}

static void take_address(struct span value, struct radius_answer *a)
{
	struct ipaddr ip;
	uint32_t v;

	if (value.n != 4 || ipaddr_from_bytes(value, &ip) < 0) {
		a->bad = "Framed-IP-Address";
		return;
	}
	v = ipaddr_to_v4(&ip);
	if (v == UINT32_MAX || v == UINT32_MAX - 1) /* the user or the gateway chooses: the pool */
		return;
	if (v >> 24 == 0 || v >> 24 == 127 || v >> 28 >= 14)
		a->bad = "Framed-IP-Address";
	else
		a->address = ip;
}

/* mac: where the Message-Authenticator is, NULL when there is none. Of two, none counts. */
static bool read_attributes(struct span all, struct radius_answer *a, const uint8_t **mac)
{
	bool state = false, prompt = false, address = false, timeout = false;
	struct rd r = rd_from(all);
	unsigned n_macs = 0;
	struct span value;
	uint8_t type;

	*mac = NULL;
	while (next_attribute(&r, &type, &value)) {
		if (type == MESSAGE_AUTHENTICATOR) {
			if (value.n != MD5_DIGEST_SIZE || n_macs++)
				return false;
			*mac = value.p;
		} else if (type == STATE && !state) {
			state = true;
			a->state = value;
		} else if (type == PROMPT && !prompt) {
			prompt = true;
			a->echo = value.n == 4 && value.p[3] == PROMPT_ECHO;
		} else if (type == FRAMED_IP_ADDRESS && !address) {
			address = true;
			take_address(value, a);
		} else if (type == SESSION_TIMEOUT && !timeout) {
			struct rd number = rd_from(value);

			timeout = true;
			a->session_s = rd_be32(&number);
			if (number.bad || number.left)
				a->bad = "Session-Timeout";
		}
	}
	return !r.bad;
}

/* Both are made over the packet with the authenticator of its request in place of its own. */
static enum radius_flaw verify(struct span msg, const struct radius_key *key, const uint8_t *mac,
			       bool need_authenticator)
{
	uint8_t copy[RADIUS_PACKET], digest[MD5_DIGEST_SIZE];
	struct hmac_md5_ctx hmac;
	struct md5_ctx md5;

	memcpy(copy, msg.p, msg.n);
	memcpy(copy + AT_AUTHENTICATOR, key->authenticator, sizeof(key->authenticator));
	md5_init(&md5);
	md5_update(&md5, msg.n, copy);
	md5_update(&md5, key->secret.n, key->secret.p);
	md5_digest(&md5, sizeof(digest), digest);
	explicit_bzero(&md5, sizeof(md5));
	if (!span_eq_secret(SPAN_OF(digest),
			    (struct span){ msg.p + AT_AUTHENTICATOR, sizeof(digest) }))
		return RADIUS_BAD_SECRET;
	if (!mac)
		return need_authenticator ? RADIUS_UNAUTHENTICATED : RADIUS_GOOD;
	memset(copy + (mac - msg.p), 0, MD5_DIGEST_SIZE);
	hmac_md5_set_key(&hmac, key->secret.n, key->secret.p);
	hmac_md5_update(&hmac, msg.n, copy);
	hmac_md5_digest(&hmac, sizeof(digest), digest);
	explicit_bzero(&hmac, sizeof(hmac));
	return span_eq_secret(SPAN_OF(digest), (struct span){ mac, sizeof(digest) })
		       ? RADIUS_GOOD
		       : RADIUS_BAD_AUTHENTICATOR;
}

enum radius_flaw radius_get_answer(struct span msg, const struct radius_key *key,
				   bool need_authenticator, struct radius_answer *ret)
{
	struct radius_answer a = { 0 };
	struct rd r = rd_from(msg);
	uint8_t code = rd_u8(&r), id = rd_u8(&r);
	size_t len = rd_be16(&r);
	enum radius_flaw flaw;
	const uint8_t *mac;

	(void)rd_take(&r, sizeof(key->authenticator));
	if (r.bad || msg.n > RADIUS_PACKET || len != msg.n)
		return RADIUS_BAD_LENGTH;
	a.attributes = rd_rest(&r);
	if (!read_attributes(a.attributes, &a, &mac))
		return RADIUS_BAD_ATTRIBUTES;
	if (code != RADIUS_ACCEPT && code != RADIUS_REJECT && code != RADIUS_CHALLENGE)
		return RADIUS_BAD_CODE;
	if (id != key->id)
		return RADIUS_BAD_ID;
	flaw = verify(msg, key, mac, need_authenticator);
	if (flaw != RADIUS_GOOD)
		return flaw;
	a.code = (enum radius_code)code;
	*ret = a;
	return RADIUS_GOOD;
}

bool radius_next(struct span *attributes, enum radius_type type, struct span *ret)
{
	struct rd r = rd_from(*attributes);
	struct span value;
	uint8_t t;

	while (next_attribute(&r, &t, &value)) {
		*attributes = (struct span){ r.p, r.left };
		if (t != type)
			continue;
		*ret = value;
		return true;
	}
	*attributes = (struct span){ 0 };
	return false;
}

/* How many bytes the first character of s has: 0 when it cannot be shown. */
static size_t clean_length(struct span s)
{
	for (size_t n = 1; n <= 4 && n <= s.n; n++)
		if (text_is_clean((struct span){ s.p, n }))
			return n;
	return 0;
}

const char *radius_text(const struct radius_answer *a, char *buf, size_t cap)
{
	struct span all = a->attributes, s;
	size_t at = 0;

	while (radius_next(&all, RADIUS_REPLY_MESSAGE, &s))
		while (s.n) {
			bool blank = s.p[0] == '\r' || s.p[0] == '\n' || s.p[0] == '\t';
			size_t n = blank ? 1 : clean_length(s), take = n ? n : 1;

			if (at + take >= cap)
				break;
			if (n && !blank)
				memcpy(buf + at, s.p, n);
			else
				buf[at] = blank ? ' ' : '?';
			at += take;
			s.p += take;
			s.n -= take;
		}
	while (at && buf[at - 1] == ' ')
		at--;
	buf[at] = '\0';
	return buf;
}

const char *radius_flaw_str(enum radius_flaw f)
{
	switch (f) {
	case RADIUS_GOOD:
		return "is good";
	case RADIUS_BAD_LENGTH:
		return "has another length than it says";
	case RADIUS_BAD_ATTRIBUTES:
		return "has attributes that cannot be read";
	case RADIUS_BAD_CODE:
		return "is none to a login";
	case RADIUS_BAD_ID:
		return "is one to another request";
	case RADIUS_BAD_SECRET:
		return "was made with another secret, or forged";
	case RADIUS_UNAUTHENTICATED:
		return "has no Message-Authenticator";
	case RADIUS_BAD_AUTHENTICATOR:
		return "has a wrong Message-Authenticator, and is forged";
	}
	return "is not good";
}
