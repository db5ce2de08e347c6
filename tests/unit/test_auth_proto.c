/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_auth_proto.c - messages between vpngw and vpngw-authd. */
#include <errno.h>

#include "auth/proto.h"
#include "tap.h"

static struct auth_request a_request(void)
{
	return (struct auth_request){
		.id = UINT64_C(0x0102030405060708),
		.user = span_str("alice"),
		.password = span_str("s3cret"),
		.peer = span_str("192.0.2.7"),
	};
}

static void request_bytes(void)
{
	struct auth_request q = a_request(), back;
	uint8_t buf[AUTH_REQUEST_MAX];
	int n = auth_put_request(buf, sizeof(buf), &q);
	bool all = true;

	is_bytes((struct span){ buf, (size_t)n },
		 hex("76706731 01 0102030405060708 0005 616c696365 0006 733363726574"
		     "0009 3139322e302e322e37"),
		 "a request has the bytes of proto.h");
	is_int(auth_get_request((struct span){ buf, (size_t)n }, &back), 0, "and reads back");
	ok(back.id == q.id && span_eq(back.user, q.user) && span_eq(back.password, q.password) &&
		   span_eq(back.peer, q.peer),
	   "with the same fields");
	for (int i = 0; i < n; i++)
		all &= auth_get_request((struct span){ buf, (size_t)i }, &back) == -EBADMSG;
	ok(all, "cut anywhere it is refused");
}

static void request_limits(void)
{
	uint8_t buf[LIMIT_AUTH_MESSAGE + 100], long_text[512];
	struct auth_request q = a_request(), back;
	uint64_t id = 0;
	int n;

	memset(long_text, 'x', sizeof(long_text));
	q.user = (struct span){ long_text, LIMIT_USER };
	q.password = (struct span){ long_text, LIMIT_PASSWORD };
	q.peer = (struct span){ long_text, AUTH_PEER_MAX };
	n = auth_put_request(buf, AUTH_REQUEST_MAX, &q);
	is_int(n, AUTH_REQUEST_MAX, "the longest request fits AUTH_REQUEST_MAX exactly");
	is_int(auth_get_request((struct span){ buf, (size_t)n }, &back), 0, "and reads back");
	is_int(auth_put_request(buf, AUTH_REQUEST_MAX - 1, &q), -EMSGSIZE,
	       "one byte less room is -EMSGSIZE");
	q.user.n++;
	is_int(auth_put_request(buf, sizeof(buf), &q), -EMSGSIZE, "a longer name is not written");
	q = a_request();
	q.password = (struct span){ long_text, LIMIT_PASSWORD + 1 };
	is_int(auth_put_request(buf, sizeof(buf), &q), -EMSGSIZE,
	       "a longer password is not written");

	struct span m = hex("76706731 01 0000000000000009 0100");

	ok(auth_peek_id(m, &id) && id == 9, "the id of a broken request is still known");
	is_int(auth_get_request(m, &back), -EBADMSG, "a name of 256 bytes is refused");
	ok(!auth_peek_id(hex("76706731 02 0000000000000009"), &id), "a reply has no request id");
	ok(!auth_peek_id(hex("76706731 01 00000000000000"), &id), "a cut header has no id");
	is_int(auth_get_request(hex("76706731 01 0000000000000001 0000 0000 0000 00"), &back),
	       -EBADMSG, "a byte behind the end is refused");
	is_int(auth_get_request(hex("76706732 01 0000000000000001 0000 0000 0000"), &back),
	       -EBADMSG, "another magic is refused");
}

static void replies(void)
{
	struct auth_reply r = { .id = 7, .verdict = AUTH_OK, .session_s = 7200, .n_groups = 2 },
			  back;
	uint8_t buf[LIMIT_AUTH_MESSAGE];
	bool all = true;
	int n;

	snprintf(r.address, sizeof(r.address), "10.99.99.7");
	snprintf(r.group[0], sizeof(r.group[0]), "vpnusers");
	snprintf(r.group[1], sizeof(r.group[1]), "staff");
	n = auth_put_reply(buf, sizeof(buf), &r);
	is_int(auth_get_reply((struct span){ buf, (size_t)n }, &back), 0, "a reply reads back");
	is_str(back.address, "10.99.99.7", "with its address");
	is_int(back.session_s, 7200, "the time that the session has");
	is_int(back.n_groups, 2, "two groups");
	is_str(back.group[1], "staff", "and their names");
	for (int i = 0; i < n; i++)
		all &= auth_get_reply((struct span){ buf, (size_t)i }, &back) == -EBADMSG;
	ok(all, "a reply cut anywhere is refused");
	memset(&r, 'g', sizeof(r));
	r.id = 8;
	r.verdict = AUTH_ERROR;
	r.n_groups = LIMIT_GROUPS;
	r.reason[sizeof(r.reason) - 1] = r.address[sizeof(r.address) - 1] = '\0';
	for (int i = 0; i < LIMIT_GROUPS; i++)
		r.group[i][LIMIT_GROUP_NAME] = '\0';
	n = auth_put_reply(buf, sizeof(buf), &r);
	ok(n > 0 && auth_get_reply((struct span){ buf, (size_t)n }, &back) == 0,
	   "the longest reply fits");
	r.reason[sizeof(r.reason) - 1] = 'x';
	is_int(auth_put_reply(buf, sizeof(buf), &r), -EMSGSIZE,
	       "a reason without its NUL is not written");
	r.n_groups = LIMIT_GROUPS + 1;
	is_int(auth_put_reply(buf, sizeof(buf), &r), -EMSGSIZE, "too many groups are not written");
}

static void bad_replies(void)
{
	struct auth_reply back;

	is_int(auth_get_reply(hex("76706731 02 0000000000000001 07 0000 0000 00000000 0000"),
			      &back),
	       -EBADMSG, "an unknown verdict is refused");
	is_int(auth_get_reply(hex("76706731 02 0000000000000001 01 0000 0000 00000000 0021"),
			      &back),
	       -EBADMSG, "33 groups are refused");
	is_int(auth_get_reply(hex("76706731 02 0000000000000001 01 0001 00 0000 00000000 0000"),
			      &back),
	       -EBADMSG, "a NUL in a string is refused");
	is_int(auth_get_reply(hex("76706731 02 0000000000000001 01 0080 00"), &back), -EBADMSG,
	       "a reason of 128 bytes is refused");
}

static int question(const char *text)
{
	struct auth_question back;

	return auth_get_question(hex(text), &back);
}

static int answer(const char *text)
{
	struct auth_answer back;

	return auth_get_answer(hex(text), &back);
}

static void questions(void)
{
	struct auth_question q = { .id = 7,
				   .ask = AUTH_ASK_PASSCODE,
				   .prompt = span_str("Code: ") };
	struct auth_question back;
	uint8_t buf[LIMIT_AUTH_MESSAGE], long_text[LIMIT_PROMPT + 1];
	bool all = true;
	int n = auth_put_question(buf, sizeof(buf), &q);

	is_bytes((struct span){ buf, (size_t)n },
		 hex("76706731 04 0000000000000007 02 0006 436f64653a20"),
		 "a question has the bytes of proto.h");
	ok(auth_get_question((struct span){ buf, (size_t)n }, &back) == 0 && back.id == 7 &&
		   back.ask == AUTH_ASK_PASSCODE && span_eq(back.prompt, q.prompt),
	   "and reads back");
	for (int i = 0; i < n; i++)
		all &= auth_get_question((struct span){ buf, (size_t)i }, &back) == -EBADMSG;
	ok(all, "cut anywhere it is refused");
	memset(long_text, 'x', sizeof(long_text));
	q.prompt = (struct span){ long_text, LIMIT_PROMPT };
	ok(auth_put_question(buf, sizeof(buf), &q) > 0, "the longest prompt is written");
	q.prompt.n++;
	is_int(auth_put_question(buf, sizeof(buf), &q), -EMSGSIZE, "a longer one is not");
	is_int(question("76706731 04 0000000000000001 01 0000"), 0, "a question may have no text");
	is_int(question("76706731 04 0000000000000001 00 0000"), -EBADMSG,
	       "it must say what it asks for");
	is_int(question("76706731 04 0000000000000001 04 0000"), -EBADMSG, "which must be known");
	is_int(question("76706731 04 0000000000000001 01 0001 1b"), -EBADMSG,
	       "an escape in its text is refused");
	is_int(question("76706731 04 0000000000000001 01 0001 00"), -EBADMSG, "so is a NUL");
	is_int(question("76706731 04 0000000000000001 01 0000 00"), -EBADMSG,
	       "and a byte behind the end");
	is_int(question("76706731 02 0000000000000001 01 0000"), -EBADMSG,
	       "a reply is no question");
}

static void answers(void)
{
	struct auth_answer a = { .id = 7, .given = true, .text = span_str("123456") }, back;
	uint8_t buf[AUTH_ANSWER_MAX + 1], long_text[LIMIT_PASSWORD + 1];
	bool all = true;
	int n = auth_put_answer(buf, sizeof(buf), &a);

	is_bytes((struct span){ buf, (size_t)n },
		 hex("76706731 05 0000000000000007 01 0006 313233343536"),
		 "an answer has the bytes of proto.h");
	ok(auth_get_answer((struct span){ buf, (size_t)n }, &back) == 0 && back.id == 7 &&
		   back.given && span_eq(back.text, a.text),
	   "and reads back");
	for (int i = 0; i < n; i++)
		all &= auth_get_answer((struct span){ buf, (size_t)i }, &back) == -EBADMSG;
	ok(all, "cut anywhere it is refused");
	a.given = false;
	n = auth_put_answer(buf, sizeof(buf), &a);
	is_bytes((struct span){ buf, (size_t)n }, hex("76706731 05 0000000000000007 00 0000"),
		 "no answer has no text");
	ok(auth_get_answer((struct span){ buf, (size_t)n }, &back) == 0 && !back.given,
	   "and reads back");
	memset(long_text, 'x', sizeof(long_text));
	a = (struct auth_answer){ .given = true, .text = { long_text, LIMIT_PASSWORD } };
	is_int(auth_put_answer(buf, sizeof(buf), &a), AUTH_ANSWER_MAX,
	       "the longest answer fits AUTH_ANSWER_MAX exactly");
	a.text.n++;
	is_int(auth_put_answer(buf, sizeof(buf), &a), -EMSGSIZE, "a longer one is not written");
	is_int(answer("76706731 05 0000000000000001 01 0000"), 0, "an answer may be empty");
	is_int(answer("76706731 05 0000000000000001 00 0001 78"), -EBADMSG,
	       "no answer with a text is refused");
	is_int(answer("76706731 05 0000000000000001 02 0000"), -EBADMSG, "as is what is neither");
	is_int(answer("76706731 05 0000000000000001 01 0002 7800"), -EBADMSG,
	       "a NUL in an answer is refused");
	is_int(answer("76706731 05 0000000000000001 01 0100"), -EBADMSG,
	       "an answer of 256 bytes is refused");
	is_int(answer("76706731 05 0000000000000001 01 0000 00"), -EBADMSG,
	       "and a byte behind the end");
}

static const char *refusal(struct span user, struct span password, enum auth_verdict *v)
{
	struct auth_request q = { .user = user, .password = password };

	return auth_request_refused(&q, v);
}

static void refused(void)
{
	struct span pw = span_str("pw"), none = { 0 };
	enum auth_verdict v;
	char name[LIMIT_USER + 1];

	ok(!refusal(span_str("alice"), pw, &v), "an ordinary name is not refused");
	ok(!refusal(span_str("j\xc3\xbcrgen"), span_str("\xc3\xa4\xff\x01"), &v),
	   "a UTF-8 name is not refused, and a password may be any bytes");
	memset(name, 'a', sizeof(name));
	ok(!refusal((struct span){ (uint8_t *)name, 64 }, pw, &v), "nor is a name of 64 bytes");
	ok(refusal(none, pw, &v) && v == AUTH_DENIED, "an empty name is denied");
	ok(refusal(span_str("alice"), none, &v) && v == AUTH_DENIED, "an empty password is denied");
	ok(refusal(span_str("root"), pw, &v) && v == AUTH_NOT_ALLOWED, "root is not allowed");
	ok(refusal(hex("616c6963650065"), pw, &v) && v == AUTH_DENIED,
	   "a NUL inside a name is denied");
	ok(refusal(span_str("alice\n"), pw, &v) && v == AUTH_DENIED, "a line break is denied");
	ok(refusal(span_str("a\x1b[2J"), pw, &v) && v == AUTH_DENIED, "an escape is denied");
	ok(refusal(hex("3084ffffff"), pw, &v) && v == AUTH_DENIED, "broken UTF-8 is denied");
	ok(refusal(span_str("a\xe2\x80\xae"), pw, &v) && v == AUTH_DENIED,
	   "a bidirectional override is denied");
	ok(refusal(span_str("alice"), hex("707700"), &v) && v == AUTH_DENIED,
	   "a NUL in a password is denied");
}

int main(void)
{
	request_bytes();
	request_limits();
	replies();
	bad_replies();
	questions();
	answers();
	refused();
	is_str(auth_verdict_str(AUTH_THROTTLED), "throttled", "a verdict has its word");
	is_str(auth_verdict_str((enum auth_verdict)99), "unknown", "and an unknown one, too");
	return done();
}
