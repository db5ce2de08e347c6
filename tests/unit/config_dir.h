/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* config_dir.h - files for one run: the test makes the directory (mkdtemp(dir)) and removes it. */
#pragma once

#include <stdio.h>
#include <stdlib.h>

static char dir[] = "/tmp/vpngw-conf-XXXXXX";

/* A path below the test's directory, good for the next 31 calls. */
static const char *below(const char *name)
{
	static char buf[32][256];
	static unsigned turn;
	char *out = buf[turn++ % 32];

	snprintf(out, sizeof(buf[0]), "%s/%s", dir, name);
	return out;
}

static const char *put(const char *name, const char *text)
{
	const char *path = below(name);
	FILE *f = fopen(path, "w");

	if (!f || fputs(text, f) < 0 || fclose(f) != 0)
		abort();
	return path;
}
