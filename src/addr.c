/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* addr.c - addresses, endpoints and prefixes: compare, print, parse. Pure. */
#include "addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct ipaddr ipaddr_v4(uint32_t v)
{
	return (struct ipaddr){ .family = IP_V4,
				.b = { (uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8),
				       (uint8_t)v } };
}

uint32_t ipaddr_to_v4(const struct ipaddr *a)
{
	if (a->family != IP_V4)
		return 0;
	return (uint32_t)a->b[0] << 24 | (uint32_t)a->b[1] << 16 | (uint32_t)a->b[2] << 8 | a->b[3];
}

int ipaddr_from_bytes(struct span s, struct ipaddr *ret)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (s.n != 4 && s.n != 16)
		return -EINVAL;
	if (s.n == 16 && span_starts(s, SPAN_OF(mapped)))
		s = (struct span){ s.p + 12, 4 };
	*ret = (struct ipaddr){ .family = s.n == 4 ? IP_V4 : IP_V6 };
	memcpy(ret->b, s.p, s.n);
	return 0;
}

bool ipaddr_eq(const struct ipaddr *a, const struct ipaddr *b)
{
	return a->family == b->family && span_eq(ipaddr_span(a), ipaddr_span(b));
}

bool endpoint_eq(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && ipaddr_eq(&a->addr, &b->addr);
}

const char *ipaddr_str(const struct ipaddr *a, char buf[static ENDPOINT_STRLEN])
{
	int af = a->family == IP_V6 ? AF_INET6 : AF_INET;

	if (a->family == IP_NONE || !inet_ntop(af, a->b, buf, ENDPOINT_STRLEN))
		snprintf(buf, ENDPOINT_STRLEN, "-");
	return buf;
}

const char *endpoint_str(const struct endpoint *e, char buf[static ENDPOINT_STRLEN])
{
	char ip[ENDPOINT_STRLEN];
	bool v6 = e->addr.family == IP_V6;

	snprintf(buf, ENDPOINT_STRLEN, "%s%.45s%s:%u", v6 ? "[" : "", ipaddr_str(&e->addr, ip),
		 v6 ? "]" : "", e->port);
	return buf;
}

const char *prefix_str(const struct prefix *p, char buf[static ENDPOINT_STRLEN])
{
	char ip[ENDPOINT_STRLEN];

	snprintf(buf, ENDPOINT_STRLEN, "%.45s/%u", ipaddr_str(&p->addr, ip), p->len);
	return buf;
}

int ipaddr_parse(const char *s, struct ipaddr *ret)
{
	uint8_t b[16];

	if (inet_pton(AF_INET, s, b) == 1)
		return ipaddr_from_bytes((struct span){ b, 4 }, ret);
	if (inet_pton(AF_INET6, s, b) == 1)
		return ipaddr_from_bytes((struct span){ b, 16 }, ret);
	return -EINVAL;
}

/* A decimal number of at most `max` that fills the whole string. */
static int parse_number(const char *s, unsigned long max, unsigned long *ret)
{
	char *end;

	if (*s < '0' || *s > '9')
		return -EINVAL;
	errno = 0;
	*ret = strtoul(s, &end, 10);
	return errno || *end || *ret > max ? -EINVAL : 0;
}

int endpoint_parse(const char *s, struct endpoint *ret)
{
	char host[ENDPOINT_STRLEN];
	const char *colon = strrchr(s, ':');
	unsigned long port;
	struct ipaddr addr;
	size_t n;

	if (!colon || parse_number(colon + 1, UINT16_MAX, &port) < 0)
		return -EINVAL;
	n = (size_t)(colon - s);
	if (n >= sizeof(host))
		return -EINVAL;
	memcpy(host, s, n);
	host[n] = '\0';
	if (n >= 2 && host[0] == '[' && host[n - 1] == ']') {
		host[n - 1] = '\0';
		memmove(host, host + 1, n - 1);
		if (!strchr(host, ':'))
			return -EINVAL;
	} else if (strchr(host, ':')) {
		return -EINVAL; /* IPv6 needs its brackets */
	}
	if (ipaddr_parse(host, &addr) < 0)
		return -EINVAL;
	*ret = (struct endpoint){ .addr = addr, .port = (uint16_t)port };
	return 0;
}

int prefix_parse(const char *s, struct prefix *ret)
{
	char host[ENDPOINT_STRLEN];
	const char *slash = strchr(s, '/');
	size_t n = slash ? (size_t)(slash - s) : strlen(s);
	struct ipaddr addr;
	unsigned long len;
	struct prefix p;

	if (n >= sizeof(host))
		return -EINVAL;
	memcpy(host, s, n);
	host[n] = '\0';
	if (ipaddr_parse(host, &addr) < 0)
		return -EINVAL;
	len = ipaddr_len(&addr) * 8;
	if (slash && parse_number(slash + 1, len, &len) < 0)
		return -EINVAL;
	p = prefix_of(&addr, (unsigned)len);
	if (!ipaddr_eq(&p.addr, &addr))
		return -EINVAL;
	*ret = p;
	return 0;
}

struct prefix prefix_of(const struct ipaddr *a, unsigned len)
{
	struct prefix p = { .addr = *a, .len = (uint8_t)len };

	for (unsigned i = 0; i < sizeof(p.addr.b); i++) {
		unsigned keep = len > i * 8 ? len - i * 8 : 0;

		if (keep < 8)
			p.addr.b[i] &= (uint8_t)(0xff00 >> keep);
	}
	return p;
}

bool prefix_has(const struct prefix *p, const struct ipaddr *a)
{
	struct prefix q;

	if (p->addr.family != a->family)
		return false;
	q = prefix_of(a, p->len);
	return ipaddr_eq(&p->addr, &q.addr);
}

bool prefix_covers(const struct prefix *out, const struct prefix *in)
{
	return in->len >= out->len && prefix_has(out, &in->addr);
}

bool prefix_eq(const struct prefix *a, const struct prefix *b)
{
	return a->len == b->len && ipaddr_eq(&a->addr, &b->addr);
}

uint32_t prefix_mask_v4(unsigned len)
{
	return len == 0 ? 0 : UINT32_MAX << (32 - len);
}
