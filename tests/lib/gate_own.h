/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gate_own.h - what the files of the gate share. */
#pragma once

#include "gate.h"

/* The first fault is kept. */
void gate_fault(struct gate *g, const char *text);

/* What was sent is no longer looked at. */
void gate_forget_out(struct gate *g);

/* Random bytes for a test: the same each time. ctx: the gate. */
void gate_fill(void *ctx, void *out, size_t n);

/* Another event, of which who and kind are set. */
struct gate_event *gate_note(struct gate *g, const struct fx_item *it);

/* Does what the core asks for, now or, where `hold` says so, when it is told to. */
void gate_take_job(struct gate *g, const struct fx_item *it);
/* What the user says to a question. */
void gate_take_answer(struct gate *g, const struct fx_item *it);
