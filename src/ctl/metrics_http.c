/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* metrics_http.c - reads the request of a scrape (RFC 9112) and writes the head of its answer. */
#include "ctl/metrics_http.h"

#include <stdio.h>

#include "bounds.h"
#include "cleanup.h"

#define PATH "/metrics"

static const struct {
	unsigned code;
	const char *reason, *body;
} status[] = {
	{ 200, "OK", "" },
	{ 400, "Bad Request", "this is no HTTP request\n" },
	{ 404, "Not Found", "there is nothing but " PATH "\n" },
	{ 405, "Method Not Allowed", "GET and HEAD alone\n" },
	{ 414, "URI Too Long", "the first line is too long\n" },
	{ 431, "Request Header Fields Too Large", "the request is too long\n" },
	{ 503, "Service Unavailable", "no memory\n" },
	{ 505, "HTTP Version Not Supported", "HTTP/1 alone\n" },
};

/* RFC 9110 5.6.2: what methods and names of fields are made of. */
static bool is_token(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];

		if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
		      (c && strchr("!#$%&'*+-.^_`|~", c))))
			return false;
	}
	return s.n > 0;
}

/* Printable ASCII, and blanks and tabs where they may be: never a NUL, an escape or a lone CR. */
static bool is_plain(struct span s, bool blanks)
{
	for (size_t i = 0; i < s.n; i++)
		if ((s.p[i] <= ' ' && !(blanks && (s.p[i] == ' ' || s.p[i] == '\t'))) ||
		    s.p[i] >= 0x7f)
			return false;
	return true;
}

/* Up to the first `c`, which is skipped as well; false, and *rest as it was, without one. */
static bool cut(struct span *rest, char c, struct span *ret)
{
	const uint8_t *at = rest->n ? memchr(rest->p, c, rest->n) : NULL;

	if (!at)
		return false;
	*ret = (struct span){ rest->p, (size_t)(at - rest->p) };
	*rest = (struct span){ at + 1, rest->n - ret->n - 1 };
	return true;
}

/* The next line without its end, which is CR LF, or LF alone as RFC 9112 2.2 allows. */
static bool next_line(struct span *rest, struct span *ret)
{
	if (!cut(rest, '\n', ret))
		return false;
	if (ret->n && ret->p[ret->n - 1] == '\r')
		ret->n--;
	return true;
}

/* GET /metrics HTTP/1.1; what stands behind a question mark changes nothing. */
static unsigned first_line(struct span line, struct metrics_request *ret)
{
	struct span method, target, path, version = line;

	if (!cut(&version, ' ', &method) || !cut(&version, ' ', &target) || !is_token(method) ||
	    !target.n || !is_plain(target, false) || !is_plain(version, false))
		return 400;
	if (version.n != 8 || memcmp(version.p, "HTTP/", 5) != 0 || version.p[5] < '0' ||
	    version.p[5] > '9' || version.p[6] != '.' || version.p[7] < '0' || version.p[7] > '9')
		return 400;
	if (version.p[5] != '1')
		return 505;
	ret->head = span_eq(method, span_str("HEAD"));
	if (!ret->head && !span_eq(method, span_str("GET")))
		return 405;
	path = target;
	(void)cut(&target, '?', &path);
	return span_eq(path, span_str(PATH)) ? 200 : 404;
}

/* "Name: value"; a line that goes on with the one before it has been forbidden since RFC 7230. */
static bool is_field(struct span line)
{
	struct span name;

	return cut(&line, ':', &name) && is_token(name) && is_plain(line, true);
}

unsigned metrics_http_read(struct span got, struct metrics_request *ret)
{
	struct metrics_request r = { 0 };
	struct span rest = got, line;
	unsigned code;

	*ret = r;
	if (!next_line(&rest, &line))
		return got.n >= LIMIT_METRICS_LINE ? 414 : 0;
	code = line.n >= LIMIT_METRICS_LINE ? 414 : first_line(line, &r);
	if (code != 200 && code != 404 && code != 405)
		return code;
	while (next_line(&rest, &line)) {
		if (!line.n) {
			*ret = r;
			return code;
		}
		if (!is_field(line))
			return 400;
	}
	return got.n >= LIMIT_METRICS_REQUEST ? 431 : 0;
}

static size_t row_of(unsigned code)
{
	for (size_t i = 0; i < ARRAY_SIZE(status); i++)
		if (status[i].code == code)
			return i;
	return 1;
}

const char *metrics_http_body(unsigned code)
{
	return status[row_of(code)].body;
}

size_t metrics_http_head(unsigned code, size_t body, char *buf)
{
	const char *type = code == 200
				   ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
				   : "text/plain; charset=utf-8";

	return (size_t)snprintf(buf, METRICS_HEAD_MAX,
				"HTTP/1.1 %u %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%s"
				"Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
				"Connection: close\r\n\r\n",
				code, status[row_of(code)].reason, type, body,
				code == 405 ? "Allow: GET, HEAD\r\n" : "");
}
