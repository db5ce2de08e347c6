/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_metrics_http.c - requests to vpngw-metrics: those of scrapers, and everybody else's. */
#include "bounds.h"
#include "cleanup.h"
#include "ctl/metrics_http.h"
#include "tap.h"

static char big[2 * LIMIT_METRICS_REQUEST];

static unsigned of(const char *text)
{
	struct metrics_request r;

	return metrics_http_read(span_str(text), &r);
}

static void test_served(void)
{
	static const char prometheus[] =
		"GET /metrics HTTP/1.1\r\nHost: localhost:9450\r\nUser-Agent: Prometheus/2.42.0\r\n"
		"Accept: application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.1\r\n"
		"Accept-Encoding: gzip\r\nX-Prometheus-Scrape-Timeout-Seconds: 10\r\n\r\n";
	struct metrics_request r;
	unsigned early = 0;

	is_int(of(prometheus), 200, "a scrape is served");
	for (size_t n = 0; n < sizeof(prometheus) - 1; n++)
		early += metrics_http_read((struct span){ (const uint8_t *)prometheus, n }, &r);
	is_int(early, 0, "when it has come whole, and not before");
	is_int(of("GET /metrics HTTP/1.0\n\n"), 200, "and one that somebody typed");
	is_int(of("GET /metrics?name[]=vpngw_up HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\n"),
	       200, "what stands behind it changes nothing");
	is_int(metrics_http_read(span_str("HEAD /metrics HTTP/1.1\r\nA:\r\n\r\n"), &r), 200,
	       "HEAD is served");
	ok(r.head, "without a body");
	is_int(metrics_http_read(span_str(prometheus), &r), 200, "GET is served");
	ok(!r.head, "with one");
}

static const struct {
	unsigned status;
	const char *request, *what;
} hostile[] = {
	{ 404, "GET / HTTP/1.1\r\n\r\n", "another path" },
	{ 404, "GET /metrics/ HTTP/1.1\r\n\r\n", "a longer path" },
	{ 404, "GET /metric HTTP/1.1\r\n\r\n", "a shorter path" },
	{ 404, "GET /../etc/passwd HTTP/1.1\r\n\r\n", "a path upwards" },
	{ 404, "GET /%6detrics HTTP/1.1\r\n\r\n", "a path in escapes" },
	{ 404, "GET http://localhost/metrics HTTP/1.1\r\n\r\n", "a request to a proxy" },
	{ 404, "GET ?/metrics HTTP/1.1\r\n\r\n", "a path that is empty" },
	{ 405, "OPTIONS * HTTP/1.1\r\n\r\n", "OPTIONS" },
	{ 405, "POST /metrics HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n", "POST" },
	{ 405, "get /metrics HTTP/1.1\r\n\r\n", "a method in small letters" },
	{ 405, "PRI * HTTP/1.1\r\n\r\n", "a method that nobody knows" },
	{ 505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP/2" },
	{ 505, "GET /metrics HTTP/0.9\r\n", "HTTP/0.9 by name" },
	{ 400, "GET /metrics\r\n", "HTTP/0.9" },
	{ 400, "GET /metrics HTTP/1.1 \r\n", "a blank behind the version" },
	{ 400, "GET /metrics HTTP/1.10\r\n", "a version with two digits" },
	{ 400, "GET /metrics HTTP/1x1\r\n", "a version that is none" },
	{ 400, "GET /metrics http/1.1\r\n", "a version in small letters" },
	{ 400, "GET  /metrics HTTP/1.1\r\n", "two blanks" },
	{ 400, "GET\t/metrics\tHTTP/1.1\r\n", "tabs" },
	{ 400, " GET /metrics HTTP/1.1\r\n", "a blank in front" },
	{ 400, "\r\n", "an empty line" },
	{ 400, "\n", "a line's end" },
	{ 400, "G(T /metrics HTTP/1.1\r\n", "a method with a bracket" },
	{ 400, "GET /metrics\r HTTP/1.1\r\n", "a lone CR" },
	{ 400, "GET /m\x1b[2Jetrics HTTP/1.1\r\n", "an escape" },
	{ 400, "GET /m\xc3\xa9trics HTTP/1.1\r\n", "what is not ASCII" },
	{ 400, "\x16\x03\x01\x02\n", "the beginning of TLS" },
	{ 400, "io.vpngw.List\n", "another protocol" },
	{ 400, "GET /metrics HTTP/1.1\r\nHost : x\r\n\r\n", "a blank before the colon" },
	{ 400, "GET /metrics HTTP/1.1\r\nHost: x\r\n y\r\n\r\n", "a field in two lines" },
	{ 400, "GET /metrics HTTP/1.1\r\n: x\r\n\r\n", "a field without a name" },
	{ 400, "GET /metrics HTTP/1.1\r\nHost\r\n\r\n", "a field without a colon" },
	{ 400, "GET /metrics HTTP/1.1\r\nA: b\rC: d\r\n\r\n", "a lone CR in a field" },
	{ 400, "GET /metrics HTTP/1.1\r\nA: \x1b[2J\r\n\r\n", "an escape in a field" },
	{ 0, "", "nothing" },
	{ 0, "GET /metrics HTTP/1.1\r\n", "a request that does not end" },
	{ 0, "GET /metrics HTTP/1.1\r\nHost: x\r\n", "one whose fields do not end" },
	{ 0, "POST / HTTP/1.1\r\n", "a wrong one that does not end" },
};

static void test_hostile(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(hostile); i++)
		is_int(of(hostile[i].request), hostile[i].status, hostile[i].what);
	is_int(metrics_http_read(SPAN_OF("GET /metrics\0 HTTP/1.1\r\n\r\n"),
				 &(struct metrics_request){ 0 }),
	       400, "a NUL in the first line");
	is_int(metrics_http_read(SPAN_OF("GET /metrics HTTP/1.1\r\nA: \0\r\n\r\n"),
				 &(struct metrics_request){ 0 }),
	       400, "a NUL in a field");
}

/* `front`, then as many `fill` as make n bytes, then `back`. */
static unsigned filled(const char *front, char fill, size_t n, const char *back)
{
	struct metrics_request r;
	size_t len = strlen(front), end = strlen(back);

	memcpy(big, front, len);
	memset(big + len, fill, n - len);
	memcpy(big + n, back, end);
	return metrics_http_read((struct span){ (const uint8_t *)big, n + end }, &r);
}

static void test_bounds(void)
{
	char fields[LIMIT_METRICS_REQUEST + 1] = "GET /metrics HTTP/1.1\r\n";
	size_t n = strlen(fields);

	is_int(filled("GET /metrics?", 'a', LIMIT_METRICS_LINE - 1, ""), 0,
	       "a first line may have that many bytes");
	is_int(filled("GET /metrics?", 'a', LIMIT_METRICS_LINE, ""), 414, "and no more");
	is_int(filled("GET /metrics?", 'a', LIMIT_METRICS_LINE, " HTTP/1.1\r\n\r\n"), 414,
	       "even if it ends");
	is_int(filled("GET /metrics HTTP/1.1\r\nA: ", 'a', LIMIT_METRICS_REQUEST - 1, ""), 0,
	       "so may a request");
	is_int(filled("GET /metrics HTTP/1.1\r\nA: ", 'a', LIMIT_METRICS_REQUEST, ""), 431,
	       "which has its end as well");
	for (; n + 4 < sizeof(fields); n += 4)
		memcpy(fields + n, "a:\r\n", 4);
	memset(fields + n, 'a', sizeof(fields) - 1 - n);
	is_int(of(fields), 431, "or in many short fields");
}

static void test_answers(void)
{
	static const unsigned status[] = { 200, 400, 404, 405, 414, 431, 503, 505 };
	char head[METRICS_HEAD_MAX], want[32];
	bool good = true;

	for (size_t i = 0; i < ARRAY_SIZE(status); i++) {
		size_t n = metrics_http_head(status[i], SIZE_MAX, head);

		snprintf(want, sizeof(want), "HTTP/1.1 %u ", status[i]);
		good &= n < sizeof(head) && n == strlen(head) && strncmp(head, want, 13) == 0 &&
			strcmp(head + n - 4, "\r\n\r\n") == 0 &&
			(status[i] == 200 || *metrics_http_body(status[i]));
	}
	ok(good, "every status has a head that fits, and a body that says why");
	metrics_http_head(200, 7, head);
	ok(strstr(head, "\r\nContent-Type: application/openmetrics-text; version=1.0.0; "
			"charset=utf-8\r\nContent-Length: 7\r\n") &&
		   strstr(head, "\r\nConnection: close\r\n"),
	   "what is served is OpenMetrics, and one answer for a connection");
	metrics_http_head(405, 7, head);
	ok(strstr(head, "\r\nAllow: GET, HEAD\r\n") != NULL, "405 says what is allowed");
}

int main(void)
{
	test_served();
	test_hostile();
	test_bounds();
	test_answers();
	return done();
}
