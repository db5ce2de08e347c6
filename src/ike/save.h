/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* save.h - what save.c and save_quick.c share. Private to ike/. */
#pragma once

#include "ike/core.h"

/* This pair waits for HASH(3), in a Quick Mode that goes into the record. */
bool save_has_quick(const struct ike_sa *sa, const struct ike_child *c);

/* A count, and the exchanges; the pairs they are about have been written before. */
void save_put_quicks(struct wr *w, const struct ike_sa *sa);
/* 0, -EBADMSG or -ENOMEM; what was read is sa's to free. */
int save_get_quicks(struct rd *r, struct ike_sa *sa);

/* When the session is restored: what may not have left is said once more, and what the gateway had
 * begun and not come far enough with begins anew. */
void save_resume_quicks(struct ike_sa *sa, uint64_t now);
