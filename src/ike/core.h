/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * core.h - what the files of the state machine share. Private to ike/.
 *
 * A message travels: input.c (whose is it, is it new, decrypt) -> steps.c (is it allowed now, does
 * its hash verify) -> a handler in aggr.c, main.c, xauth.c, modecfg.c, quick.c or info.c (what does
 * it mean). Only a handler changes an SA, and only after everything about the message was verified.
 */
#pragma once

#include "ike/build.h"
#include "ike/frag.h"
#include "ike/ike.h"
#include "ike/msg.h"
#include "ike/table.h"
#include "ike/xchg.h"

#define US_PER_S UINT64_C(1000000)

struct ike {
	const struct ike_conf *conf; /* borrowed */
	struct ike_rng rng;
	struct ike_table t;
	struct frag_store frags;
	uint64_t count[IKE_C__COUNT];
	unsigned crypto_pending;
	uint64_t notify_window_us;
	unsigned notify_in_window;
	uint8_t in[LIMIT_DATAGRAM]; /* the message being read, decrypted in place */
	uint8_t out[16384];         /* the message being built */
};

/* One message on its way through. */
struct ike_event {
	struct ike *ike;
	struct ike_sa *sa; /* NULL for a first message */
	const struct ike_dgram *d;
	struct ike_hdr hdr;
	struct ike_msg msg;
	struct ike_cfg cfg; /* of a Transaction message */
	struct ike_xchg *x; /* the exchange it belongs to; NULL: it starts one */
	uint8_t digest[16];
	uint8_t iv[IKE_BLOCK_MAX]; /* IV of the exchange's next message */
	bool used;                 /* Informational: the message ID was used before */
	bool burn;                 /* the message ID is used up when the handler succeeds */
	bool pieces;               /* it came in fragments */
	uint64_t now;
	struct fx *fx;
};

/* ---- core.c ---- */

/* The only writer of sa->state. */
void sa_enter(struct ike *ike, struct ike_sa *sa, enum ike_state s);

/* Whether it is asked for name and password; else its certificate or its shared key is all. */
static inline bool sa_uses_xauth(const struct ike_sa *sa)
{
	return sa->auth != AUTH_PSK && sa->auth != AUTH_RSA_SIG && !auth_is_ecdsa(sa->auth);
}

/* Whether the client proves itself by a certificate, and the gateway by its own. */
static inline bool sa_client_signs(const struct ike_sa *sa)
{
	return sa->auth == AUTH_XAUTH_RSA || sa->auth == AUTH_RSA_SIG || auth_is_ecdsa(sa->auth);
}

static inline bool sa_gateway_signs(const struct ike_sa *sa)
{
	return !auth_is_psk(sa->auth);
}

/* Works out when the SA has something to do next. */
void sa_rearm(struct ike *ike, struct ike_sa *sa);

struct ike_ticket sa_ticket(const struct ike_sa *sa, uint32_t serial);
/* Sends a message, in fragments where it is too long for one datagram. */
void sa_send(struct ike *ike, struct ike_sa *sa, struct span data, struct fx *fx);
void ike_random(struct ike *ike, void *out, size_t n);
uint32_t ike_random_msgid(struct ike *ike, const struct ike_sa *sa);
void ike_note(struct ike *ike, const struct ike_sa *sa, const struct endpoint *peer,
	      enum ike_reason why, const char *detail, struct fx *fx);

/* When to repeat something for the n-th time (n = 0: the first repetition). */
uint64_t ike_repeat_at(const struct ike *ike, uint64_t now, unsigned n);

/* ---- messages after phase 1 ---- */

/* Opens a message in ike->out with its HASH payload. */
struct ike_build p2_start(struct ike *ike, const struct ike_sa *sa, uint8_t type, uint32_t msgid);

/* HASH(1) over it, encryption; iv is the exchange's and moves on. Empty span on failure. */
struct span p2_finish(const struct ike_sa *sa, struct ike_build *b, uint32_t msgid,
		      uint8_t iv[static IKE_BLOCK_MAX]);

/* An exchange of ours with the message in `b`, which the next tick sends. NULL: it cannot be. */
struct ike_xchg *p2_prepare(struct ike_sa *sa, struct ike_build *b, enum xchg_kind kind,
			    uint8_t type, uint32_t msgid, uint64_t now);

/* Starts one: sends the message and keeps it for repetition. */
struct ike_xchg *p2_initiate(struct ike *ike, struct ike_sa *sa, struct ike_build *b,
			     enum xchg_kind kind, uint8_t type, uint32_t msgid, uint64_t now,
			     struct fx *fx);

/* The same for an exchange of ours that is in the list already. 0 or -errno. */
int p2_begin(struct ike *ike, struct ike_sa *sa, struct ike_xchg *x, struct ike_build *b,
	     uint64_t now, struct fx *fx);

/* Answers in the exchange x: seals, sends, keeps the answer for a repeated request. */
int p2_answer(struct ike *ike, struct ike_sa *sa, struct ike_xchg *x, struct ike_build *b,
	      struct fx *fx);

/* ---- input.c ---- */

/*
 * The client is where this message came from. For handlers, once they know that it is fresh: a
 * message that comes a second time, or our own that comes back, says nothing about the client.
 */
void sa_follow(const struct ike_event *ev);

/* ---- move.c ---- */

/* The client proved that it is at `peer`: we answer there, and its SA pairs follow. */
void sa_move(struct ike *ike, struct ike_sa *sa, const struct endpoint *peer, uint64_t now,
	     struct fx *fx);

/* A pair that could not follow when the session did can now: no move of its own, if another pair of
 * the session is there already. */
void sa_move_late(struct ike *ike, struct ike_sa *sa, struct ike_child *c, uint64_t now,
		  struct fx *fx);

/* ---- steps.c ---- */

/* Looks up the row for this message, checks its payloads and hash, calls its handler. */
int steps_run(struct ike_event *ev);

/* ---- handlers: 0, or -errno with nothing changed ---- */

int aggr_first(struct ike_event *ev);
int aggr_third(struct ike_event *ev);
int main_first(struct ike_event *ev);
int main_third(struct ike_event *ev);
int main_fifth(struct ike_event *ev);
/* The same, signed by the client; and what follows when the signature was found right. */
int aggr_third_signed(struct ike_event *ev);
int main_fifth_signed(struct ike_event *ev);
int aggr_proved(struct ike_event *ev);
int main_proved(struct ike_event *ev);
int xauth_reply(struct ike_event *ev);
int transaction_ack(struct ike_event *ev);
int config_request(struct ike_event *ev);
int quick_first(struct ike_event *ev);
int quick_third(struct ike_event *ev);
int rekey_second(struct ike_event *ev);
int info_message(struct ike_event *ev);

/* ---- between the parts of a login ---- */

void phase1_dh_done(struct ike *ike, struct ike_sa *sa, int err, struct span g_r,
		    struct span shared, uint64_t now, struct fx *fx);
int aggr_dh_done(struct ike *ike, struct ike_sa *sa, uint64_t now, struct fx *fx);
int aggr_signed(struct ike *ike, struct ike_sa *sa, struct span sig, uint64_t now, struct fx *fx);
int main_dh_done(struct ike *ike, struct ike_sa *sa, uint64_t now, struct fx *fx);
int main_signed(struct ike *ike, struct ike_sa *sa, struct span sig, uint64_t now, struct fx *fx);
/* Message 5 does not decrypt, or its hash is wrong. */
void main_not_authentic(struct ike_event *ev);
/* The same of message 3 of aggressive mode. */
void aggr_not_authentic(struct ike_event *ev);
/* It does not come: who has another shared key sees that in our message. */
void aggr_no_third(struct ike *ike, struct ike_sa *sa, struct fx *fx);
void aggr_repeat(struct ike *ike, struct ike_sa *sa, uint64_t now, struct fx *fx);
void xauth_start(struct ike *ike, struct ike_sa *sa, uint64_t now, struct fx *fx);
/* The same where phase 1 has said who it is: sa->user, or the identity that goes with a shared key. */
void login_start(struct ike *ike, struct ike_sa *sa, uint64_t now, struct fx *fx);
/* The client shall know that it is in, or in again. 0 or -errno. */
int login_tell(struct ike *ike, struct ike_sa *sa, uint64_t now, struct fx *fx);
/* Prepares the good verdict once more, after a restart in which it may have got lost. */
void xauth_again(struct ike *ike, struct ike_sa *sa, uint64_t now);
/* The client goes on: it has seen our verdict, acknowledged or not, and needs no push. */
void xauth_seen(struct ike_sa *sa, uint64_t now);
/* The client has acknowledged a good verdict: if it asks for nothing now, it waits to be told. */
void config_offer(struct ike *ike, struct ike_sa *sa, uint64_t now);
/* The client knows its address. */
void config_told(struct ike *ike, struct ike_sa *sa, uint64_t now);
/* The login has failed: tell the client, then end. */
void xauth_refuse(struct ike *ike, struct ike_sa *sa, enum ike_reason why, uint64_t now,
		  struct fx *fx);
int quick_keep_dh(struct ike_quick *q, struct span own);
void quick_dh_done(struct ike *ike, struct ike_sa *sa, struct ike_xchg *x, int err, struct span own,
		   struct span shared, uint64_t now, struct fx *fx);
/* The kernel has taken the pair (err 0), or has nothing of it. */
void quick_installed(struct ike *ike, struct ike_sa *sa, struct ike_child *c, int err, uint64_t now,
		     struct fx *fx);

/* ---- xauth_ask.c: what the user is asked for ---- */

void put_attr_header(struct ike_build *b, enum ike_cfg_type type, uint16_t id);

/*
 * Asks for the attribute `asks`, or with 0 for name and password, and shows the user `message`, which
 * may be empty. False: it cannot be asked, or LIMIT_XAUTH_ROUNDS are over.
 */
bool xauth_request(struct ike *ike, struct ike_sa *sa, uint16_t asks, struct span message,
		   uint64_t now, struct fx *fx);

/* A wrong password: true when the user was asked for another one. */
bool xauth_try_again(struct ike *ike, struct ike_sa *sa, uint64_t now, struct fx *fx);

/* The client's answer to a further question goes to vpngw-authd. */
void xauth_answer(struct ike_event *ev, struct span text);

/* The SA ends; where a question was open, vpngw-authd is told that nobody answers. */
void xauth_no_answer(struct ike_sa *sa, struct fx *fx);

/* The verdict goes out under a message ID of its own. NULL: it does not. */
struct ike_xchg *xauth_status(struct ike *ike, struct ike_sa *sa, uint16_t status, uint64_t now,
			      struct fx *fx);

/* ---- renew.c: the client renews phase 1 ---- */

/* The session that this ISAKMP SA, whose user has just been found to be right, renews; or NULL. */
struct ike_sa *renew_find(struct ike *ike, const struct ike_sa *fresh);

/* The session goes on under `fresh`'s ISAKMP SA; `fresh` is what is left of the old one. */
void renew_adopt(struct ike *ike, struct ike_sa *fresh, struct ike_sa *session, uint64_t now,
		 struct fx *fx);

/* The session of a RETIRED SA, the RETIRED SA of a session, or NULL. */
struct ike_sa *renew_kin(const struct ike *ike, const struct ike_sa *sa);

/* ---- info.c: what we tell ---- */

/* A clear NO-PROPOSAL-CHOSEN and the like, before there is an SA; rate-limited. */
void info_notify_clear(struct ike *ike, const struct ike_dgram *d, const struct ike_hdr *h,
		       uint16_t type, uint64_t now, struct fx *fx);
/* One protected Notify, never repeated by us. What was sent, valid until the next message is built. */
struct span info_notify(struct ike *ike, struct ike_sa *sa, uint8_t proto, uint16_t type,
			struct span spi, struct span data, struct fx *fx);
void info_delete_child(struct ike *ike, struct ike_sa *sa, const struct ike_child *c, uint64_t now,
		       struct fx *fx);
/* How long the ISAKMP SA lives (RFC 2407 4.6.3.1), a few times over. */
void info_lifetime(struct ike *ike, struct ike_sa *sa, uint64_t now, struct fx *fx);
void info_delete_sa(struct ike *ike, struct ike_sa *sa, uint64_t now, struct fx *fx);

/* CKY-I | CKY-R, as notifies and Deletes name an ISAKMP SA; a view of buf. */
struct span both_cookies(const struct ike_sa *sa, uint8_t buf[static 2 * IKE_COOKIE]);

/* ---- dpd.c: is the client still there? ---- */

/* A fresh authentic message of the client, or a packet that came out of the tunnel. */
void dpd_heard(const struct ike *ike, struct ike_sa *sa, uint64_t now);

/* When dpd_tick() has something to do; UINT64_MAX: never. */
uint64_t dpd_due(const struct ike *ike, const struct ike_sa *sa);

/* Asks the client, or gives it up: true when the session has ended by that. */
bool dpd_tick(struct ike *ike, struct ike_sa *sa, uint64_t now, struct fx *fx);

/* Has the client asked soon, whenever it was heard of last, but not twice within dpd_retry. */
void dpd_ask(struct ike *ike, struct ike_sa *sa, uint64_t now);

/* A question with this number is one of ours that came back to us, not the client's. */
bool dpd_is_ours(const struct ike_sa *sa, uint32_t number);

/* The client's R-U-THERE-ACK. */
void dpd_answer(struct ike_event *ev, const struct ike_notify *n);

/* ---- unique.c: one user, several sessions ---- */

/*
 * The password was right: may this login become a session? IKE_R_NONE when it may; then it counts
 * as one, sessions that had to go for it are gone, and *ret_lease is the address of the last of
 * them, for it to have (family IP_NONE: none). Else why not.
 */
enum ike_reason unique_admit(struct ike *ike, struct ike_sa *sa, uint64_t now,
			     struct ipaddr *ret_lease, struct fx *fx);

/* The client's INITIAL-CONTACT, authentic or a part of phase 1's last message: acted upon when the
 * login is through. */
void unique_initial_contact(struct ike_event *ev, const struct ike_notify *n);

/* ---- life.c: limits of a session ---- */

/* When the session reaches a limit, if nothing passes its tunnel until then; UINT64_MAX: never. */
uint64_t life_due(const struct ike *ike, const struct ike_sa *sa);

/* True when the session has ended by that. */
bool life_tick(struct ike *ike, struct ike_sa *sa, uint64_t now, struct fx *fx);

/* ---- child.c ---- */

/* Pairs for the same traffic share their policies: the younger one is a rekey. */
bool child_same_traffic(const struct ike_child *a, const struct ike_child *b);

/* The pair, or a part of it, as the shell needs it, in the arena, without keys; NULL when there is
 * no room. */
struct ike_child_fx *child_fx(const struct ike_sa *sa, const struct ike_child *c,
			      enum ike_part part, struct fx *fx);

/* A pair that is being agreed on, with an SPI of its own, for the traffic of `like`, with its
 * algorithms. NULL: no memory. */
struct ike_child *child_new(struct ike *ike, struct ike_sa *sa, const struct ike_child *like,
			    uint64_t now);

/* Asks for the pair of this Quick Mode in the kernel; ike_child_done() goes on with
 * quick_installed(). */
void child_install(struct ike_sa *sa, const struct ike_quick *q, struct span shared, struct fx *fx);

/* Both sides have agreed on the pair: it carries traffic as soon as the kernel has all of it. */
void child_confirm(struct ike *ike, struct ike_sa *sa, struct ike_child *c, uint64_t now,
		   struct fx *fx);

/*
 * Pairs that only receive begin to send when their time has come, or when no other does. Where none
 * is left that could, one that was replaced is the pair again, until a newer one is made: both sides
 * began a Quick Mode at once, and the client has kept that one.
 */
void child_succeed(struct ike_sa *sa, uint64_t now, struct fx *fx);

/* Removes one SA pair from the kernel and from the session. */
void child_drop(struct ike *ike, struct ike_sa *sa, struct ike_child *c, struct fx *fx);

/* ---- rekey.c: Quick Mode begun by the gateway ---- */

/* When to begin one for a pair that has just come up. */
uint64_t rekey_time(struct ike *ike, const struct ike_child *c);

/* Begins one that replaces `c`, or puts it off. */
void rekey_begin(struct ike *ike, struct ike_sa *sa, struct ike_child *c, uint64_t now,
		 struct fx *fx);
void rekey_dh_done(struct ike *ike, struct ike_sa *sa, struct ike_xchg *x, int err, struct span own,
		   struct span shared, uint64_t now, struct fx *fx);
void rekey_installed(struct ike *ike, struct ike_sa *sa, struct ike_xchg *x, struct ike_child *c,
		     int err, uint64_t now, struct fx *fx);
/* What was under way is lost: pairs that were being renewed are so once more, in a moment. */
void rekey_anew(struct ike_sa *sa, uint64_t now);
/* The client sends its message again: it has not got our HASH(3). */
void rekey_repeated(struct ike_sa *sa, const struct ike_xchg *x, uint64_t now);
void rekey_given_up(struct ike *ike, struct ike_sa *sa, struct fx *fx);
/* The client refuses the pair with this SPI of ours. */
void rekey_refused(struct ike_event *ev, uint32_t spi);

/* ---- close.c ---- */

/* The client is vpnc, or the Cisco client whose name it uses. */
bool sa_is_vpnc(const struct ike_sa *sa);

/* Ends the SA: pairs, lease, journal; with `tell`, Deletes that are repeated for a few seconds.
 * The SA may be gone afterwards. */
void sa_close(struct ike *ike, struct ike_sa *sa, enum ike_reason why, bool tell, uint64_t now,
	      struct fx *fx);

/* Reports the end (FX_DOWN) of what got past phase 1; the state follows. */
void sa_down(struct ike *ike, struct ike_sa *sa, enum ike_reason why, struct fx *fx);

/* The effect that names a session as it is now; in the arena, NULL when that is full. */
struct fx_session *sa_report(struct ike_sa *sa, enum fx_kind kind, enum ike_reason why,
			     struct fx *fx);

/* ---- natt.c ---- */

/* HASH(CKY-I | CKY-R | IP | port), RFC 3947 3.2; bytes written, 0 on failure. */
size_t natd_of(uint16_t hash, const uint8_t *cky_i, const uint8_t *cky_r, const struct endpoint *e,
	       uint8_t out[static IKE_HASH_MAX]);

/* What the client's NAT-Ds say; several endpoints may be what the client meant. */
uint8_t natd_evaluate(const struct ike_sa *sa, const struct ike_msg *m,
		      const struct endpoint *local, size_t n_local, const struct endpoint *peer,
		      size_t n_peer);

/* A session has come up, or back: its NAT is kept from forgetting it, if so configured. */
void keepalive_start(const struct ike *ike, struct ike_sa *sa, uint64_t now);
/* When the next one is to be looked at; UINT64_MAX: never. */
uint64_t keepalive_at(const struct ike_sa *sa);
void keepalive_look(const struct ike *ike, struct ike_sa *sa, uint64_t now, struct fx *fx);

/* ---- quick_id.c ---- */

/*
 * The networks that this Quick Mode covers, and the protocol and ports: IDci must be the lease of its family (IPv6: hold it), IDcr
 * must meet what the gateway offers. -EINVAL otherwise, with static text why. What the client asked for before, and
 * has a pair for, it gets again, whatever is offered by now: a session keeps its networks.
 */
int quick_select(const struct ike_conf *conf, const struct ike_sa *sa, const struct ike_msg *m,
		 struct ike_child *c, const char **ret_why);

bool quick_same_upper(const struct ike_upper *a, const struct ike_upper *b);

/*
 * Another pair of the session has some of this traffic, but not just this. Of two such pairs each
 * would replace policies of the other and take them away when it goes, or get the other's packets.
 */
bool quick_overlaps(const struct ike_sa *sa, const struct ike_child *c);

/* IDci for the answer to one of this type, into `out`: as the client sent it, but no wider than the
 * address that it was given. Bytes written; 0: no room. */
size_t quick_answer_id(const struct ike_sa *sa, uint8_t type, struct span asked, uint8_t *out,
		       size_t cap);

/* The same identities for a Quick Mode of ours: IDci is the gateway's side, IDcr the lease. */
void quick_put_ids(struct ike_build *b, const struct ike_child *c, const struct ipaddr *lease);

/* Whether an answer has these identities, in whichever form. */
bool quick_ids_match(const struct ike_msg *m, const struct ike_child *c,
		     const struct ipaddr *lease);
