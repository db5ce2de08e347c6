/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* credential.c - files that systemd hands over. */
#include "credential.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *credential_name(const char *spec)
{
	static const char prefix[] = "credential:";

	return strncmp(spec, prefix, strlen(prefix)) == 0 ? spec + strlen(prefix) : NULL;
}

bool credential_given(void)
{
	return getenv("CREDENTIALS_DIRECTORY");
}

const char *credential_path(const char *spec, const char *folder, char *buf, size_t cap)
{
	const char *name = credential_name(spec), *given = getenv("CREDENTIALS_DIRECTORY");

	if (!name)
		return spec;
	if (given)
		folder = given;
	if (!folder)
		return NULL;
	snprintf(buf, cap, "%s/%s", folder, name);
	return buf;
}
