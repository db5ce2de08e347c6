/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* proto.c - messages between vpngw and vpngw-authd, to bytes and back. Pure. */
#include "auth/proto.h"

#include <errno.h>

#include "text.h"

enum {
	TYPE_REQUEST = 1,
	TYPE_REPLY = 2,
	TYPE_QUESTION = 4,
	TYPE_ANSWER = 5,
};

static void put_header(struct wr *w, uint8_t type, uint64_t id)
{
	wr_be32(w, AUTH_MAGIC);
	wr_u8(w, type);
	wr_be64(w, id);
}

static void put_str(struct wr *w, struct span s, size_t max)
{
	if (s.n > max)
		w->bad = true;
	wr_be16(w, (uint16_t)s.n);
	wr_span(w, s);
}

/* A string held in an array of `cap` bytes, NUL included. */
static void put_text(struct wr *w, const char *s, size_t cap)
{
	put_str(w, (struct span){ (const uint8_t *)s, strnlen(s, cap) }, cap - 1);
}

static int put_done(const struct wr *w)
{
	return w->bad || w->len > LIMIT_AUTH_MESSAGE ? -EMSGSIZE : (int)w->len;
}

int auth_put_request(void *buf, size_t cap, const struct auth_request *r)
{
	struct wr w = wr_into(buf, cap);

	put_header(&w, TYPE_REQUEST, r->id);
	put_str(&w, r->user, LIMIT_USER);
	put_str(&w, r->password, LIMIT_PASSWORD);
	put_str(&w, r->peer, AUTH_PEER_MAX);
	return put_done(&w);
}

int auth_put_reply(void *buf, size_t cap, const struct auth_reply *r)
{
	struct wr w = wr_into(buf, cap);

	if (r->n_groups > LIMIT_GROUPS)
		return -EMSGSIZE;
	put_header(&w, TYPE_REPLY, r->id);
	wr_u8(&w, (uint8_t)r->verdict);
	put_text(&w, r->reason, sizeof(r->reason));
	put_text(&w, r->address, sizeof(r->address));
	wr_be32(&w, r->session_s);
	wr_be16(&w, r->n_groups);
	for (uint16_t i = 0; i < r->n_groups; i++)
		put_text(&w, r->group[i], sizeof(r->group[i]));
	return put_done(&w);
}

int auth_put_question(void *buf, size_t cap, const struct auth_question *q)
{
	struct wr w = wr_into(buf, cap);

	put_header(&w, TYPE_QUESTION, q->id);
	wr_u8(&w, (uint8_t)q->ask);
	put_str(&w, q->prompt, LIMIT_PROMPT);
	return put_done(&w);
}

int auth_put_answer(void *buf, size_t cap, const struct auth_answer *a)
{
	struct wr w = wr_into(buf, cap);

	put_header(&w, TYPE_ANSWER, a->id);
	wr_u8(&w, a->given);
	put_str(&w, a->given ? a->text : (struct span){ 0 }, LIMIT_PASSWORD);
	return put_done(&w);
}

static uint64_t get_header(struct rd *r, uint8_t type)
{
	if (rd_be32(r) != AUTH_MAGIC || rd_u8(r) != type)
		r->bad = true;
	return rd_be64(r);
}

static struct span get_str(struct rd *r, size_t max)
{
	size_t n = rd_be16(r);

	if (n > max)
		r->bad = true;
	return rd_take(r, n);
}

static void get_text(struct rd *r, char *out, size_t cap)
{
	struct span s = get_str(r, cap - 1);

	if (s.n && memchr(s.p, '\0', s.n))
		r->bad = true;
	if (s.n)
		memcpy(out, s.p, s.n);
	out[s.n] = '\0';
}

int auth_get_request(struct span msg, struct auth_request *ret)
{
	struct rd r = rd_from(msg);
	struct auth_request q;

	q.id = get_header(&r, TYPE_REQUEST);
	q.user = get_str(&r, LIMIT_USER);
	q.password = get_str(&r, LIMIT_PASSWORD);
	q.peer = get_str(&r, AUTH_PEER_MAX);
	if (r.bad || r.left)
		return -EBADMSG;
	*ret = q;
	return 0;
}

int auth_get_reply(struct span msg, struct auth_reply *ret)
{
	struct rd r = rd_from(msg);
	struct auth_reply a = { 0 };
	uint8_t verdict;

	a.id = get_header(&r, TYPE_REPLY);
	verdict = rd_u8(&r);
	get_text(&r, a.reason, sizeof(a.reason));
	get_text(&r, a.address, sizeof(a.address));
	a.session_s = rd_be32(&r);
	a.n_groups = rd_be16(&r);
	if (r.bad || verdict > AUTH_ERROR || a.n_groups > LIMIT_GROUPS)
		return -EBADMSG;
	a.verdict = (enum auth_verdict)verdict;
	for (uint16_t i = 0; i < a.n_groups; i++)
		get_text(&r, a.group[i], sizeof(a.group[i]));
	if (r.bad || r.left)
		return -EBADMSG;
	*ret = a;
	return 0;
}

int auth_get_question(struct span msg, struct auth_question *ret)
{
	struct rd r = rd_from(msg);
	struct auth_question q;
	uint8_t ask;

	q.id = get_header(&r, TYPE_QUESTION);
	ask = rd_u8(&r);
	q.prompt = get_str(&r, LIMIT_PROMPT);
	if (r.bad || r.left || ask < AUTH_ASK_ANSWER || ask > AUTH_ASK_PIN ||
	    !text_is_clean(q.prompt))
		return -EBADMSG;
	q.ask = (enum auth_ask)ask;
	*ret = q;
	return 0;
}

int auth_get_answer(struct span msg, struct auth_answer *ret)
{
	struct rd r = rd_from(msg);
	struct auth_answer a;
	uint8_t given;

	a.id = get_header(&r, TYPE_ANSWER);
	given = rd_u8(&r);
	a.text = get_str(&r, LIMIT_PASSWORD);
	if (r.bad || r.left || given > 1 || (!given && a.text.n) ||
	    (a.text.n && memchr(a.text.p, '\0', a.text.n)))
		return -EBADMSG;
	a.given = given;
	*ret = a;
	return 0;
}

bool auth_peek_id(struct span msg, uint64_t *ret_id)
{
	struct rd r = rd_from(msg);
	uint64_t id = get_header(&r, TYPE_REQUEST);

	if (r.bad)
		return false;
	*ret_id = id;
	return true;
}

const char *auth_request_refused(const struct auth_request *r, enum auth_verdict *ret_verdict)
{
	*ret_verdict = AUTH_DENIED;
	if (!r->user.n)
		return "the user name is empty";
	if (!r->password.n)
		return "the password is empty";
	if (!text_is_clean(r->user))
		return "the user name has control characters or is not UTF-8";
	if (memchr(r->password.p, '\0', r->password.n))
		return "the password has a NUL inside";
	if (span_eq(r->user, span_str("root"))) {
		*ret_verdict = AUTH_NOT_ALLOWED;
		return "root may not log in";
	}
	return NULL;
}

const char *auth_verdict_str(enum auth_verdict v)
{
	switch (v) {
	case AUTH_OK:
		return "ok";
	case AUTH_DENIED:
		return "denied";
	case AUTH_NOT_ALLOWED:
		return "not-allowed";
	case AUTH_THROTTLED:
		return "throttled";
	case AUTH_BUSY:
		return "busy";
	case AUTH_TIMEOUT:
		return "timeout";
	case AUTH_ERROR:
		return "error";
	}
	return "unknown";
}
