/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cleanup.h - scope-bound ownership.
 *
 * A local marked _cleanup_(fn) is released when it leaves its scope; TAKE_PTR hands it on.
 * Destructors accept NULL and return NULL, so `x = x_free(x)` is always right.
 */
#pragma once

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define _cleanup_(fn) __attribute__((__cleanup__(fn)))

#define TAKE_PTR(p)                                   \
	({                                            \
		__typeof__(p) *pp_ = &(p), v_ = *pp_; \
		*pp_ = NULL;                          \
		v_;                                   \
	})

#define TAKE_FD(fd)                          \
	({                                   \
		int *pf_ = &(fd), v_ = *pf_; \
		*pf_ = -1;                   \
		v_;                          \
	})

/* Makes `fnp` for a destructor `type *fn(type *)`, to use as _cleanup_(fnp). */
#define DEFINE_CLEANUP(type, fn)           \
	static inline void fn##p(type **p) \
	{                                  \
		if (*p)                    \
			*p = fn(*p);       \
	}

static inline void cleanup_free(void *p)
{
	free(*(void **)p);
}

static inline void cleanup_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void cleanup_fclose(FILE **f)
{
	if (*f)
		fclose(*f);
}

#define _cleanup_free_   _cleanup_(cleanup_free)
#define _cleanup_close_  _cleanup_(cleanup_close)
#define _cleanup_fclose_ _cleanup_(cleanup_fclose)
