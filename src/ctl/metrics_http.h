/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * metrics_http.h - as much of HTTP/1 as a scrape needs: GET and HEAD of /metrics. Pure.
 *
 * Whoever can connect can send anything. A request is looked at whole, and never longer than
 * LIMIT_METRICS_REQUEST; a connection has one, so bodies and what else follows do not matter.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "bytes.h"

/* Room for what metrics_http_head() writes. */
#define METRICS_HEAD_MAX 512

struct metrics_request {
	bool head; /* the answer has no body */
};

/*
 * Looks at all bytes that came so far. 0: more are needed; else the status to answer with: 200, 400,
 * 404, 405, 414 (the first line), 431 (all of it), 505. *ret is written with anything but 0.
 */
unsigned metrics_http_read(struct span got, struct metrics_request *ret);

/* The head of an answer with a body of `body` bytes; buf holds METRICS_HEAD_MAX. Returns its length. */
size_t metrics_http_head(unsigned status, size_t body, char *buf);

/* The body of an answer that is not 200: one line. */
const char *metrics_http_body(unsigned status);
