/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* core.c - the core's own life, its counters, and what all handlers use. Pure. */
#include "ike/core.h"

#include <errno.h>
#include <stdio.h>

#include "cleanup.h"

int ike_new(const struct ike_conf *conf, struct ike_rng rng, struct ike **ret)
{
	struct ike *ike = calloc(1, sizeof(*ike));
	uint64_t seed;

	if (!ike)
		return -ENOMEM;
	ike->conf = conf;
	ike->rng = rng;
	rng.fill(rng.ctx, &seed, sizeof(seed));
	if (table_init(&ike->t, seed) < 0) {
		free(ike);
		return -ENOMEM;
	}
	frag_init(&ike->frags, seed, ike->count);
	*ret = ike;
	return 0;
}

struct ike *ike_free(struct ike *ike)
{
	if (ike) {
		table_clear(&ike->t);
		frag_clear(&ike->frags);
		explicit_bzero(ike, sizeof(*ike));
		free(ike);
	}
	return NULL;
}

/* ---- looking ---- */

static const char *const counter_names[IKE_C__COUNT] = {
	[IKE_C_RECEIVED] = "received",
	[IKE_C_SENT] = "sent",
	[IKE_C_RESENT] = "resent",
	[IKE_C_DROP_HEADER] = "dropped_header",
	[IKE_C_DROP_MALFORMED] = "dropped_malformed",
	[IKE_C_DROP_UNEXPECTED] = "dropped_unexpected",
	[IKE_C_DROP_COOKIE] = "dropped_unknown_cookie",
	[IKE_C_DROP_HASH] = "dropped_not_authentic",
	[IKE_C_DROP_REPLAY] = "dropped_replay",
	[IKE_C_DROP_LIMIT] = "dropped_limit",
	[IKE_C_DROP_CREDIT] = "dropped_amplification",
	[IKE_C_DROP_FRAG_OFF] = "dropped_fragment_off",
	[IKE_C_DROP_FRAG_MALFORMED] = "dropped_fragment_malformed",
	[IKE_C_DROP_FRAG_CONFLICT] = "dropped_fragment_conflict",
	[IKE_C_DROP_FRAG_LIMIT] = "dropped_fragment_limit",
	[IKE_C_NO_PROPOSAL] = "no_proposal",
	[IKE_C_LOGIN_OK] = "logins",
	[IKE_C_LOGIN_FAILED] = "logins_failed",
	[IKE_C_MOVED] = "moved",
	[IKE_C_MOVE_IGNORED] = "moves_ignored",
	[IKE_C_FRAG_RECEIVED] = "fragments_received",
	[IKE_C_FRAG_REPEATED] = "fragments_repeated",
	[IKE_C_FRAG_WHOLE] = "fragmented_messages",
	[IKE_C_FRAG_EXPIRED] = "fragmented_messages_expired",
	[IKE_C_FRAG_EVICTED] = "fragmented_messages_evicted",
	[IKE_C_FRAG_SENT] = "fragments_sent",
	[IKE_C_RENEWED] = "renewals",
	[IKE_C_REKEYED] = "rekeys",
	[IKE_C_REKEY_FAILED] = "rekeys_failed",
};

uint64_t ike_counter(const struct ike *ike, enum ike_count c)
{
	return ike->count[c];
}

const char *ike_counter_name(enum ike_count c)
{
	return counter_names[c];
}

unsigned ike_sessions(const struct ike *ike)
{
	return ike->t.n_logged_in;
}

unsigned ike_half_open(const struct ike *ike)
{
	return half_open_count(&ike->t);
}

unsigned ike_fragmented(const struct ike *ike)
{
	return ike->frags.waiting;
}

const struct ike_sa *ike_next(const struct ike *ike, uint32_t *cursor)
{
	while (*cursor < ike->t.cap) {
		const struct ike_sa *sa = ike->t.slot[(*cursor)++].sa;

		if (sa && (1u << sa->state & ST_LOGGED_IN))
			return sa;
	}
	return NULL;
}

const struct ike_sa *ike_find(const struct ike *ike, struct sess_id id)
{
	return table_get(&ike->t, id);
}

bool ike_changed(struct ike *ike, uint32_t *ret_slot, struct sess_id *ret_id)
{
	const struct ike_sa *sa;

	if (!table_next_changed(&ike->t, ret_slot))
		return false;
	sa = ike->t.slot[*ret_slot].sa;
	*ret_id = sa && (1u << sa->state & ST_LOGGED_IN) ? sa->id : (struct sess_id){ 0 };
	return true;
}

const char *ike_session_name(const struct ike_sa *sa, char buf[static IKE_SESSION_NAME])
{
	snprintf(buf, IKE_SESSION_NAME, "%08x", sa->name);
	return buf;
}

const char *ike_state_str(enum ike_state s)
{
	static const char *const name[] = { "new",    "dh",    "sign",     "am-sent",  "mm-sa",
					    "mm-ke",  "xauth", "checking", "refusing", "authed",
					    "leased", "up",    "retired",  "closing",  "proof" };

	return name[s];
}

/* ---- what all handlers use ---- */

void sa_enter(struct ike *ike, struct ike_sa *sa, enum ike_state s)
{
	bool was = 1u << sa->state & ST_LOGGED_IN, is = 1u << s & ST_LOGGED_IN;

	ike->t.n_logged_in += (unsigned)is - (unsigned)was;
	if (s == IKE_ST_XAUTH || s == IKE_ST_CHECKING)
		half_open_prove(&ike->t, sa);
	if (was || is)
		table_changed(&ike->t, sa->id.slot);
	/* A login that is being refused counts until it is gone. */
	if (is || s == IKE_ST_RETIRED)
		half_open_leave(&ike->t, sa);
	sa->state = s;
}

static void least(uint64_t *min, uint64_t v)
{
	if (v < *min)
		*min = v;
}

/* Only what tick_children() acts on: a time that stays in the past would be looked at for ever. */
static uint64_t child_due(const struct ike_child *c)
{
	uint64_t due = c->expires_us;

	if (c->state == IKE_CHILD_UP)
		least(&due, c->rekey_us);
	else if (c->state == IKE_CHILD_READY && !c->installing)
		least(&due, c->send_us);
	return due;
}

void sa_rearm(struct ike *ike, struct ike_sa *sa)
{
	uint64_t due = sa->deadline_us;

	least(&due, sa->expires_us);
	least(&due, keepalive_at(sa));
	least(&due, dpd_due(ike, sa));
	least(&due, life_due(ike, sa));
	if (sa->nego)
		least(&due, sa->nego->next_us);
	for (const struct ike_xchg *x = sa->xchgs; x; x = x->next) {
		least(&due, x->next_us);
		least(&due, x->forget_us);
	}
	for (const struct ike_child *c = sa->children; c; c = c->next)
		least(&due, child_due(c));
	table_due(&ike->t, sa, due);
	/* All that changes a session ends here. */
	if (1u << sa->state & ST_LOGGED_IN)
		table_changed(&ike->t, sa->id.slot);
}

struct ike_ticket sa_ticket(const struct ike_sa *sa, uint32_t serial)
{
	return (struct ike_ticket){ .who = sa->id, .serial = serial };
}

static void send_datagram(struct ike *ike, const struct ike_sa *sa, struct span data, struct fx *fx)
{
	struct fx_item *it = fx_add(fx, FX_SEND, sa_ticket(sa, 0));

	it->send.local = sa->local;
	it->send.peer = sa->peer;
	it->send.natt = sa->natt;
	it->send.data = fx_copy(fx, data);
	ike->count[IKE_C_SENT]++;
}

void sa_send(struct ike *ike, struct ike_sa *sa, struct span data, struct fx *fx)
{
	uint8_t piece[IKE_FRAG_SIZE_MAX];
	struct wr w = wr_into(piece, sizeof(piece));

	if (!data.n)
		return;
	if (!frag_wanted(ike->conf, sa, data.n)) {
		send_datagram(ike, sa, data, fx);
		return;
	}
	for (unsigned i = 0; frag_cut(ike->conf, sa, data, i, &w); i++) {
		send_datagram(ike, sa, wr_done(&w), fx);
		ike->count[IKE_C_FRAG_SENT]++;
		w.len = 0;
	}
	sa->frag |= IKE_FRAG_OUT;
}

void ike_random(struct ike *ike, void *out, size_t n)
{
	ike->rng.fill(ike->rng.ctx, out, n);
}

uint32_t ike_random_msgid(struct ike *ike, const struct ike_sa *sa)
{
	const struct ike_xchg *x;
	uint32_t id;

	do {
		ike_random(ike, &id, sizeof(id));
		for (x = sa->xchgs; x && x->msgid != id; x = x->next)
			;
	} while (id == 0 || x || used_id(sa, id));
	return id;
}

void ike_note(struct ike *ike, const struct ike_sa *sa, const struct endpoint *peer,
	      enum ike_reason why, const char *detail, struct fx *fx)
{
	struct fx_item *it;

	(void)ike;
	it = fx_add(fx, FX_NOTE, sa ? sa_ticket(sa, 0) : (struct ike_ticket){ 0 });
	it->note.reason = why;
	it->note.peer = *peer;
	it->note.detail = fx_copy(fx, span_str(detail));
}

uint64_t ike_repeat_at(const struct ike *ike, uint64_t now, unsigned n)
{
	double wait = (double)ike->conf->retransmit_us;

	while (n--)
		wait *= ike->conf->retransmit_factor;
	return now + (uint64_t)wait;
}

/* ---- messages after phase 1 ---- */

struct ike_build p2_start(struct ike *ike, const struct ike_sa *sa, uint8_t type, uint32_t msgid)
{
	struct ike_build b =
		build_start(ike->out, sizeof(ike->out), sa->cky_i, sa->cky_r, type, msgid);

	build_hash(&b, hash_len(sa->keys.hash));
	return b;
}

struct span p2_finish(const struct ike_sa *sa, struct ike_build *b, uint32_t msgid,
		      uint8_t iv[static IKE_BLOCK_MAX])
{
	_cleanup_(secret_wipe) struct secret hash = { .n = 0 };

	if (keymat_hash1(&sa->keys, msgid, build_after_hash(b), &hash) < 0)
		return (struct span){ 0 };
	return build_sealed(b, &sa->keys, &hash, iv);
}

/* Our message goes into its exchange, to be sent. */
static int p2_keep(struct ike_sa *sa, struct ike_xchg *x, struct ike_build *b)
{
	struct span out;

	use_id(sa,
	       x->msgid); /* when the exchange is forgotten, it shall not pass for the client's */
	if (keymat_iv_phase2(&sa->keys, sa->last_block, x->msgid, x->iv) < 0)
		return -EINVAL;
	out = p2_finish(sa, b, x->msgid, x->iv);
	if (!out.n)
		return -EMSGSIZE;
	if (xchg_store(x, out) < 0)
		return -ENOMEM;
	x->forget_us = UINT64_MAX;
	return 0;
}

static void p2_send_first(struct ike *ike, struct ike_sa *sa, struct ike_xchg *x, uint64_t now,
			  struct fx *fx)
{
	sa_send(ike, sa, (struct span){ x->out, x->out_len }, fx);
	x->next_us = ike_repeat_at(ike, now, 0);
}

int p2_begin(struct ike *ike, struct ike_sa *sa, struct ike_xchg *x, struct ike_build *b,
	     uint64_t now, struct fx *fx)
{
	int rc = p2_keep(sa, x, b);

	if (rc == 0)
		p2_send_first(ike, sa, x, now, fx);
	return rc;
}

struct ike_xchg *p2_prepare(struct ike_sa *sa, struct ike_build *b, enum xchg_kind kind,
			    uint8_t type, uint32_t msgid, uint64_t now)
{
	struct ike_xchg *x = xchg_add(sa, kind, type, msgid, now);

	if (!x)
		return NULL;
	x->ours = true;
	x->next_us = now;
	if (p2_keep(sa, x, b) == 0)
		return x;
	xchg_remove(sa, x);
	return NULL;
}

struct ike_xchg *p2_initiate(struct ike *ike, struct ike_sa *sa, struct ike_build *b,
			     enum xchg_kind kind, uint8_t type, uint32_t msgid, uint64_t now,
			     struct fx *fx)
{
	struct ike_xchg *x = p2_prepare(sa, b, kind, type, msgid, now);

	if (x)
		p2_send_first(ike, sa, x, now, fx);
	return x;
}

int p2_answer(struct ike *ike, struct ike_sa *sa, struct ike_xchg *x, struct ike_build *b,
	      struct fx *fx)
{
	struct span out = p2_finish(sa, b, x->msgid, x->iv);

	if (!out.n)
		return -EMSGSIZE;
	if (xchg_store(x, out) < 0)
		return -ENOMEM;
	x->answered = true;
	sa_send(ike, sa, out, fx);
	return 0;
}

/* ---- words for reasons ---- */

static const struct {
	const char *key, *text;
} reasons[IKE_R__COUNT] = {
	[IKE_R_NONE] = { "none", "no reason" },
	[IKE_R_CLIENT_LEFT] = { "client-left", "the client disconnected" },
	[IKE_R_KICKED] = { "kicked", "ended by the operator" },
	[IKE_R_SHUTDOWN] = { "shutdown", "the gateway is stopping" },
	[IKE_R_DPD_TIMEOUT] = { "dpd-timeout", "the client does not answer any more" },
	[IKE_R_SESSION_LIMIT] = { "session-limit",
				  "the session has lasted for session_limit or Session-Timeout" },
	[IKE_R_IDLE] = { "idle-limit", "nothing has passed the tunnel for idle_limit" },
	[IKE_R_REPLACED] = { "replaced", "a newer login of the user took its place" },
	[IKE_R_UNIQUE] = { "unique", "the user has a session already" },
	[IKE_R_TOO_MANY_OF_USER] = { "sessions-per-user",
				     "the user has as many sessions as allowed" },
	[IKE_R_PROFILE_PHASE1] = { "profile-phase1",
				   "the client begins in a way that its profile does not allow" },
	[IKE_R_PROFILE] = { "profile", "the client asks for a profile whose groups the user is not "
				       "in" },
	[IKE_R_LIFETIME] = { "lifetime", "the ISAKMP SA reached the end of its lifetime" },
	[IKE_R_MESSAGE_IDS] = { "message-ids", "too many exchanges under one ISAKMP SA" },
	[IKE_R_NO_THIRD] = { "no-third-message", "the client did not finish phase 1" },
	[IKE_R_EVICTED] = { "evicted", "gave way to a newer login" },
	[IKE_R_CLIENT_SILENT] = { "client-silent", "the client stopped answering" },
	[IKE_R_NOT_UP] = { "not-up", "logged in, but set up no IPsec SA in time" },
	[IKE_R_AUTH_FAILED] = { "auth-failed", "login refused" },
	[IKE_R_AUTH_UNAVAILABLE] = { "auth-unavailable", "the password could not be checked" },
	[IKE_R_CLIENT_REFUSED] = { "client-refused", "the client gave up" },
	[IKE_R_BAD_CREDENTIALS] = { "bad-credentials",
				    "the client sent no usable name and password" },
	[IKE_R_IDENTITY] = { "identity",
			     "the client's identity is not one to have a session under; "
			     "[phase1] authentication psk needs a name or an address" },
	[IKE_R_NO_ANSWER] = { "no-answer",
			      "the client does not answer a question beyond name and password" },
	[IKE_R_XAUTH_ROUNDS] = { "xauth-rounds", "too many questions in one login" },
	[IKE_R_POOL_EXHAUSTED] = { "pool-exhausted", "no address is left in the pool" },
	[IKE_R_ADDRESS_TAKEN] = { "address-taken",
				  "the user's own address is in use or in no pool" },
	[IKE_R_KERNEL] = { "kernel", "the kernel refused the IPsec SA" },
	[IKE_R_INTERNAL] = { "internal", "out of memory or a failed crypto operation" },
	[IKE_R_NO_PROPOSAL_P1] = { "no-proposal-phase1", "no common phase 1 proposal" },
	[IKE_R_NO_PROPOSAL_P2] = { "no-proposal-phase2", "no common phase 2 proposal" },
	[IKE_R_ID_REFUSED] = { "id-refused", "Quick Mode identities refused" },
	[IKE_R_PFS_MISMATCH] = { "pfs-mismatch", "PFS group refused" },
	[IKE_R_REKEY_FAILED] = { "rekey-failed", "the client does not take the new keys that the "
						 "gateway asks for" },
	[IKE_R_TOO_MANY_HALF_OPEN] = { "half-open-limit", "too many logins under way" },
	[IKE_R_TOO_MANY_FROM_PEER] = { "half-open-limit-source",
				       "too many logins under way from one address" },
	[IKE_R_SHARED_KEY] = { "shared-key", "the shared keys probably differ" },
	[IKE_R_CERTIFICATE] = { "certificate", "the client's certificate is refused" },
	[IKE_R_SIGNATURE] = { "signature", "the client's signature is wrong" },
	[IKE_R_BUSY] = { "busy", "too much cryptography under way" },
	[IKE_R_FRAGMENTS_OFF] = { "fragments-off", "the client sends its messages in fragments, "
						   "which [phase1] ike_frag = off refuses" },
	[IKE_R_FRAGMENTS_LIMIT] = { "fragments-limit",
				    "too many messages from one address wait for fragments" },
};

const char *ike_reason_str(enum ike_reason r)
{
	return reasons[r].text;
}

const char *ike_reason_key(enum ike_reason r)
{
	return reasons[r].key;
}
