/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fuzz_auth_proto.c - what one end reads, it writes back byte for byte. */
#include <stdint.h>
#include <stdlib.h>

#include "auth/proto.h"
#include "text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void more_messages(struct span msg)
{
	uint8_t buf[LIMIT_AUTH_MESSAGE];
	struct auth_question q;
	struct auth_answer a;
	int n;

	if (auth_get_question(msg, &q) == 0) {
		n = auth_put_question(buf, sizeof(buf), &q);
		if (n < 0 || !span_eq(msg, (struct span){ buf, (size_t)n }) ||
		    !text_is_clean(q.prompt) || q.prompt.n > LIMIT_PROMPT)
			abort();
	}
	if (auth_get_answer(msg, &a) == 0) {
		n = auth_put_answer(buf, sizeof(buf), &a);
		if (n < 0 || n > AUTH_ANSWER_MAX || !span_eq(msg, (struct span){ buf, (size_t)n }))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span msg = { data, size };
	uint8_t buf[LIMIT_AUTH_MESSAGE];
	struct auth_request q;
	struct auth_reply a;
	enum auth_verdict v;
	char shown[128];
	uint64_t id;
	int n;

	if (auth_get_request(msg, &q) == 0) {
		n = auth_put_request(buf, sizeof(buf), &q);
		if (n < 0 || !span_eq(msg, (struct span){ buf, (size_t)n }))
			abort();
		if (!auth_peek_id(msg, &id) || id != q.id)
			abort();
		if (!auth_request_refused(&q, &v) && (!q.user.n || !text_is_clean(q.user)))
			abort();
		text_escape(q.user, shown, sizeof(shown));
	}
	if (auth_get_reply(msg, &a) == 0) {
		n = auth_put_reply(buf, sizeof(buf), &a);
		if (n < 0 || !span_eq(msg, (struct span){ buf, (size_t)n }))
			abort();
		if (!*auth_verdict_str(a.verdict))
			abort();
	}
	more_messages(msg);
	return 0;
}
