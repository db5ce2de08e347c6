/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* varlink.c - Varlink messages on a stream: framing, parsing, errors. */
#include "ctl/varlink.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "cleanup.h"
#include "text.h"

#define FIRST_CAP 16384

/* ---- receiving ---- */

int varlink_buf_space(struct varlink_buf *b, void **ret_p, size_t *ret_n)
{
	size_t cap = b->cap ? b->cap * 2 : FIRST_CAP;
	char *p;

	if (b->from) {
		memmove(b->p, b->p + b->from, b->len - b->from);
		b->len -= b->from;
		b->seen -= b->from;
		b->from = 0;
	}
	if (b->len == b->cap) {
		if (b->len >= b->max)
			return -EMSGSIZE;
		if (cap > b->max)
			cap = b->max;
		p = realloc(b->p, cap);
		if (!p)
			return -ENOMEM;
		b->p = p;
		b->cap = cap;
	}
	*ret_p = b->p + b->len;
	*ret_n = b->cap - b->len;
	return 0;
}

void varlink_buf_add(struct varlink_buf *b, size_t n)
{
	b->len += n;
}

/* Where the NUL of the first message is, or NULL. No byte is looked at twice. */
static const char *message_end(struct varlink_buf *b)
{
	const char *end = b->len > b->seen ? memchr(b->p + b->seen, '\0', b->len - b->seen) : NULL;

	b->seen = end ? (size_t)(end - b->p) : b->len;
	return end;
}

bool varlink_buf_ready(struct varlink_buf *b)
{
	return message_end(b) != NULL;
}

bool varlink_buf_next(struct varlink_buf *b, struct span *ret)
{
	const char *end = message_end(b);

	if (!end)
		return false;
	*ret = (struct span){ (const uint8_t *)b->p + b->from, (size_t)(end - b->p) - b->from };
	b->from = b->seen = (size_t)(end - b->p) + 1;
	return true;
}

void varlink_buf_trim(struct varlink_buf *b)
{
	if (b->from == b->len)
		varlink_buf_reset(b);
}

void varlink_buf_reset(struct varlink_buf *b)
{
	free(b->p);
	*b = (struct varlink_buf){ .max = b->max };
}

/* ---- messages ---- */

/*
 * The parser recurses, and a value of two bytes costs it fifty: look first how deep it would go
 * and how many values it would make. What is inside strings does not count.
 */
static bool is_plain(struct span s, unsigned most)
{
	unsigned depth = 0, values = 0;
	bool in_string = false;

	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];

		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
			continue;
		}
		in_string = c == '"';
		if (c == '{' || c == '[')
			depth++;
		else if ((c == '}' || c == ']') && depth)
			depth--;
		if (c == '{' || c == '[' || c == ',')
			values++;
		if (depth > VARLINK_DEPTH || values > most)
			return false;
	}
	return true;
}

static json_t *parse(struct span s, unsigned most_values)
{
	json_error_t e;
	json_t *root;

	if (!is_plain(s, most_values))
		return NULL;
	root = json_loadb((const char *)s.p, s.n, JSON_REJECT_DUPLICATES, &e);
	if (root && !json_is_object(root)) {
		json_decref(root);
		return NULL;
	}
	return root;
}

/* false when `key` is there and of another type than boolean. */
static bool get_bool(const json_t *o, const char *key, bool *ret)
{
	const json_t *v = json_object_get(o, key);

	*ret = json_is_true(v);
	return !v || json_is_boolean(v) || json_is_null(v);
}

/* false when `parameters` is there and is no object. */
static bool get_parameters(const json_t *o, json_t **ret)
{
	json_t *v = json_object_get(o, "parameters");

	*ret = json_is_object(v) ? v : NULL;
	return !v || json_is_object(v) || json_is_null(v);
}

int varlink_call_parse(struct span message, struct varlink_call *ret)
{
	struct varlink_call c = { .root = parse(message, VARLINK_CALL_VALUES) };

	c.method = json_string_value(json_object_get(c.root, "method"));
	if (!c.method || !get_parameters(c.root, &c.parameters) ||
	    !get_bool(c.root, "more", &c.more) || !get_bool(c.root, "oneway", &c.oneway)) {
		json_decref(c.root);
		return -EBADMSG;
	}
	*ret = c;
	return 0;
}

int varlink_reply_parse(struct span message, struct varlink_reply *ret)
{
	struct varlink_reply r = { .root = parse(message, UINT_MAX) };
	const json_t *error = json_object_get(r.root, "error");

	r.error = json_string_value(error);
	if (!r.root || (error && !r.error) || !get_parameters(r.root, &r.parameters) ||
	    !get_bool(r.root, "continues", &r.continues)) {
		json_decref(r.root);
		return -EBADMSG;
	}
	*ret = r;
	return 0;
}

void varlink_call_clear(struct varlink_call *c)
{
	json_decref(c->root);
	*c = (struct varlink_call){ 0 };
}

void varlink_reply_clear(struct varlink_reply *r)
{
	json_decref(r->root);
	*r = (struct varlink_reply){ 0 };
}

char *varlink_call_text(const char *method, json_t *parameters, bool more, size_t *ret_n)
{
	json_t *root = json_pack("{s:s, s:O*}", "method", method, "parameters", parameters);
	char *text = NULL;

	if (root && (!more || json_object_set_new(root, "more", json_true()) == 0))
		text = json_dumps(root, JSON_COMPACT);
	json_decref(root);
	if (text)
		*ret_n = strlen(text) + 1;
	return text;
}

/* ---- replies ---- */

void varlink_begin(struct jsonw *w)
{
	jsonw_open(w, NULL, '{');
	jsonw_open(w, "parameters", '{');
}

void varlink_end(struct jsonw *w)
{
	jsonw_close(w, '}');
	jsonw_close(w, '}');
	jsonw_raw(w, "", 1);
}

void varlink_error(struct jsonw *w, const char *error, const char *key, const char *value)
{
	char cut[256];

	jsonw_open(w, NULL, '{');
	jsonw_text(w, "error", error);
	jsonw_open(w, "parameters", '{');
	if (key)
		jsonw_text(w, key, text_escape(span_str(value), cut, sizeof(cut)));
	varlink_end(w);
}
