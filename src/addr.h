/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * addr.h - addresses, endpoints and prefixes as plain values.
 *
 * An address is 4 or 16 bytes in network order. An IPv4-mapped IPv6 address is always turned into
 * the IPv4 address it stands for, so one host has one value.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bytes.h"

enum ip_family {
	IP_NONE = 0,
	IP_V4 = 4,
	IP_V6 = 6,
};

struct ipaddr {
	uint8_t family; /* enum ip_family */
	uint8_t b[16];  /* network order; IPv4 uses the first 4, the rest is zero */
};

struct endpoint {
	struct ipaddr addr;
	uint16_t port; /* host order */
};

struct prefix {
	struct ipaddr addr; /* host bits are zero */
	uint8_t len;        /* bits */
};

/* Room for any text form, brackets, port and NUL included. */
#define ENDPOINT_STRLEN 64

static inline size_t ipaddr_len(const struct ipaddr *a)
{
	return a->family == IP_V4 ? 4 : a->family == IP_V6 ? 16 : 0;
}

static inline struct span ipaddr_span(const struct ipaddr *a)
{
	return (struct span){ a->b, ipaddr_len(a) };
}

/* v is in host order. */
struct ipaddr ipaddr_v4(uint32_t v);
uint32_t ipaddr_to_v4(const struct ipaddr *a); /* host order; 0 unless IPv4 */

/* From 4 or 16 bytes in network order; -EINVAL for another length. */
int ipaddr_from_bytes(struct span s, struct ipaddr *ret);

bool ipaddr_eq(const struct ipaddr *a, const struct ipaddr *b);
bool endpoint_eq(const struct endpoint *a, const struct endpoint *b);

/* Text forms into the caller's buffer, which is returned. */
const char *ipaddr_str(const struct ipaddr *a, char buf[static ENDPOINT_STRLEN]);
const char *endpoint_str(const struct endpoint *e, char buf[static ENDPOINT_STRLEN]);
const char *prefix_str(const struct prefix *p, char buf[static ENDPOINT_STRLEN]);

/* 0 or -EINVAL. endpoint: "192.0.2.1:500" or "[2001:db8::1]:500". prefix: "10.0.0.0/8", or a bare
 * address for a host prefix; host bits that are set are an error. */
int ipaddr_parse(const char *s, struct ipaddr *ret);
int endpoint_parse(const char *s, struct endpoint *ret);
int prefix_parse(const char *s, struct prefix *ret);

/* addr/len with the host bits cleared. */
struct prefix prefix_of(const struct ipaddr *a, unsigned len);
bool prefix_has(const struct prefix *p, const struct ipaddr *a);
/* Every address of `in` is in `out`. */
bool prefix_covers(const struct prefix *out, const struct prefix *in);
bool prefix_eq(const struct prefix *a, const struct prefix *b);
uint32_t prefix_mask_v4(unsigned len); /* host order */
