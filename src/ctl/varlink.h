/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * varlink.h - Varlink messages on a stream, for both ends: JSON objects that end with a NUL byte.
 *
 * Nothing here does I/O. The receive buffer is bounded, and a message is refused before it is
 * parsed when it is nested deeper than any message of ours.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "bytes.h"
#include "ctl/jsonw.h"

#define VARLINK_DEPTH       16         /* brackets within brackets */
#define VARLINK_CALL_VALUES 256        /* values in one call */
#define VARLINK_REPLY_MAX   (64 << 20) /* bytes of one reply that a client is ready to take */

#define VARLINK_INTERFACE_NOT_FOUND "org.varlink.service.InterfaceNotFound"
#define VARLINK_METHOD_NOT_FOUND    "org.varlink.service.MethodNotFound"
#define VARLINK_EXPECTED_MORE       "org.varlink.service.ExpectedMore"
#define VARLINK_INVALID_PARAMETER   "org.varlink.service.InvalidParameter"

/* ---- receiving ---- */

struct varlink_buf {
	char *p; /* owned */
	size_t from, len, cap;
	size_t seen; /* up to here there is no NUL */
	size_t max;  /* bytes of one message, its NUL included */
};

/*
 * Where the next read goes, and how much of it. Spans from varlink_buf_next() end here. -EMSGSIZE:
 * the message is longer than max; -ENOMEM.
 */
int varlink_buf_space(struct varlink_buf *b, void **ret_p, size_t *ret_n);
void varlink_buf_add(struct varlink_buf *b, size_t n);

/* Takes the next whole message without its NUL; false when there is none yet. */
bool varlink_buf_next(struct varlink_buf *b, struct span *ret);
/* There is a whole message. */
bool varlink_buf_ready(struct varlink_buf *b);
/* Gives the memory back when nothing is in it. */
void varlink_buf_trim(struct varlink_buf *b);
void varlink_buf_reset(struct varlink_buf *b);

/* ---- messages ---- */

struct varlink_call {
	json_t *root;       /* owned */
	const char *method; /* borrowed from root */
	json_t *parameters; /* borrowed from root; NULL when absent */
	bool more;          /* several replies are welcome */
	bool oneway;        /* no reply is */
};

struct varlink_reply {
	json_t *root;       /* owned */
	const char *error;  /* borrowed from root; NULL: it went well */
	json_t *parameters; /* borrowed from root; NULL when absent */
	bool continues;     /* another reply follows */
};

/* 0; -EBADMSG: not JSON, not UTF-8, too deep or of another shape; -ENOMEM. */
int varlink_call_parse(struct span message, struct varlink_call *ret);
int varlink_reply_parse(struct span message, struct varlink_reply *ret);
void varlink_call_clear(struct varlink_call *c);
void varlink_reply_clear(struct varlink_reply *r);

/* A call as text with its NUL in *ret_n; owned by the caller. NULL when memory ran out. */
char *varlink_call_text(const char *method, json_t *parameters, bool more, size_t *ret_n);

/* ---- replies ---- */

/* {"parameters":{ ... the caller writes the members ... and varlink_end() closes it. */
void varlink_begin(struct jsonw *w);
void varlink_end(struct jsonw *w);

/* An error of org.varlink.service with its one parameter, or none with key NULL; value is cut when it
 * is long. */
void varlink_error(struct jsonw *w, const char *error, const char *key, const char *value);
