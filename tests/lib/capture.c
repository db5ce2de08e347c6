/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* capture.c - ISAKMP messages out of other people's captures. */
#include "capture.h"

#include <stdio.h>
#include <stdlib.h>

#include "cleanup.h"

const char *capture_dir(void)
{
	return getenv("VPNGW_CAPTURES");
}

const char *vector_dir(void)
{
	return getenv("VPNGW_VECTORS");
}

struct span file_read(const char *dir, const char *name)
{
	_cleanup_fclose_ FILE *f = NULL;
	struct span s = { 0 };
	char path[4096];
	uint8_t *p;
	long n;

	if (!dir)
		return s;
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "rb");
	if (!f || fseek(f, 0, SEEK_END) < 0 || (n = ftell(f)) < 0 || n > 1 << 26 ||
	    fseek(f, 0, SEEK_SET) < 0)
		return s;
	p = malloc((size_t)n + 1);
	if (!p || fread(p, 1, (size_t)n, f) != (size_t)n) {
		free(p);
		return s;
	}
	p[n] = '\0'; /* vector files are read as text */
	return (struct span){ p, (size_t)n };
}

static uint32_t file_u32(struct capture *c)
{
	uint32_t v = rd_be32(&c->r);

	return c->little ? __builtin_bswap32(v) : v;
}

bool capture_open(struct capture *c, const char *name)
{
	struct span s = file_read(capture_dir(), name);
	size_t n = strlen(name);
	uint32_t magic;

	if (!s.p)
		return false;
	*c = (struct capture){ .r = rd_from(s), .link = UINT32_MAX };
	c->file = malloc(s.n + 1);
	if (!c->file)
		abort();
	memcpy(c->file, s.p, s.n);
	c->r.p = c->file;
	free((void *)(uintptr_t)s.p);
	if (n > 4 && strcmp(name + n - 4, ".dat") == 0)
		return true;
	magic = rd_be32(&c->r);
	c->little = magic == 0xd4c3b2a1 || magic == 0x4d3cb2a1;
	(void)rd_take(&c->r, 16);
	c->link = file_u32(c);
	if ((c->little || magic == 0xa1b2c3d4) && !c->r.bad)
		return true;
	capture_close(c);
	return false;
}

void capture_close(struct capture *c)
{
	free(c->file);
	c->file = NULL;
}

/* The UDP payload of a frame, if it is IKE. */
static bool ike_of(uint32_t link, struct span frame, struct span *ret)
{
	struct rd r = rd_from(frame), udp;
	uint16_t from, to;
	uint8_t first;

	(void)rd_take(&r, link == 1 ? 14 : link == 113 ? 16 : link == 0 ? 4 : 0);
	first = r.left ? r.p[0] : 0;
	if (first >> 4 == 4) {
		struct rd ip = rd_sub(&r, (first & 15) * 4u);

		(void)rd_take(&ip, 9);
		if (rd_u8(&ip) != 17)
			return false;
	} else if (first >> 4 == 6) {
		struct rd ip = rd_sub(&r, 40);

		(void)rd_take(&ip, 6);
		if (rd_u8(&ip) != 17)
			return false;
	} else {
		return false;
	}
	udp = rd_sub(&r, 8);
	from = rd_be16(&udp);
	to = rd_be16(&udp);
	*ret = rd_rest(&r);
	if (r.bad)
		return false;
	if (from != 4500 && to != 4500)
		return from == 500 || to == 500;
	if (!span_starts(*ret, (struct span){ (const uint8_t *)"\0\0\0\0", 4 }))
		return false; /* ESP or a keepalive */
	*ret = (struct span){ ret->p + 4, ret->n - 4 };
	return true;
}

bool capture_next(struct capture *c, struct span *ret)
{
	if (c->link == UINT32_MAX) {
		*ret = rd_rest(&c->r);
		return ret->n != 0;
	}
	while (c->r.left && !c->r.bad) {
		(void)rd_take(&c->r, 8);
		uint32_t n = file_u32(c);

		(void)rd_take(&c->r, 4);
		struct span frame = rd_take(&c->r, n);

		if (!c->r.bad && ike_of(c->link, frame, ret))
			return true;
	}
	return false;
}

const char *chain_text(struct span d, char buf[static 256])
{
	size_t at = 28, n = 0;
	uint8_t type = d.n > 28 ? d.p[16] : 0;

	buf[0] = '\0';
	while (type && at + 4 <= d.n && n < 240) {
		size_t len = (size_t)d.p[at + 2] << 8 | d.p[at + 3];

		n += (size_t)snprintf(buf + n, 256 - n, "%s%u", n ? " " : "", type);
		type = d.p[at];
		if (len < 4)
			break;
		at += len;
	}
	return buf;
}
